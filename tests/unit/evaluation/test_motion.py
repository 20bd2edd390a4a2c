"""Motion of a finished video: a still face does not move, and a jump at a window's seam shows where it is."""

import math
from dataclasses import replace

import numpy as np

from omnihuman.evaluation.motion import load_motion_settings, measure_motion, seams_s
from omnihuman.pipeline.preset import load_preset
from tests.unit.evaluation.spoken import tracks_of

SAMPLER = load_preset("motion").sampler


def nodding(num_frames=250):
    tracks = tracks_of((0.1 + 0.05 * np.sin(np.arange(num_frames) / 3)).astype(np.float32))
    angles = np.stack([3 * np.sin(np.arange(num_frames) / k) for k in (9, 11, 13)], 1).astype(np.float32)
    return replace(tracks, angles_deg=angles)


def test_motion_of_a_still_face_is_none():
    scores = measure_motion(tracks_of(np.full(100, 0.01, np.float32))).measurements
    assert scores["blink_rate"].value == 0.0
    assert scores["head_yaw_spread"].value == 0.0
    assert "seam_head" not in scores


def test_seams_lie_where_the_windows_of_the_preset_begin():
    assert seams_s(3.0, SAMPLER) == []
    room_s = (SAMPLER.window_latents - SAMPLER.prefix_latents - SAMPLER.lookahead_latents) / 25
    seams = seams_s(20.0, SAMPLER)
    assert len(seams) >= 20.0 / room_s - 1
    assert all(0 < b - a <= room_s + 0.04 for a, b in zip([0.0, *seams], seams, strict=False))


def test_a_jump_of_the_head_at_a_seam_shows_even_where_frames_are_lost():
    smooth = nodding()
    seams = [4.0, 8.0]
    assert measure_motion(smooth, seams).measurements["seam_head"].value < 1.8
    jumping = replace(smooth, angles_deg=smooth.angles_deg.copy(), gap=smooth.gap.copy())
    jumping.angles_deg[100:] += 8.0
    jumping.angles_deg[30:33] = math.nan
    found = measure_motion(jumping, seams).measurements
    assert found["seam_head"].value > 3.0
    assert found["seam_mouth"].value == measure_motion(smooth, seams).measurements["seam_mouth"].value


def test_the_bars_are_those_of_people():
    assert load_motion_settings().bars["blink_rate"] == (8, 30)
