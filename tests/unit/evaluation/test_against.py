"""A mouth that follows the real speaker is told from one that follows the loudness, at any frame rate and lag."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli.evaluate import app
from omnihuman.evaluation.against import calm_frame, load_against_settings, measure_against, mimic_clips, pool_against
from omnihuman.media.video import VideoWriter
from omnihuman.types import Sound
from tests.unit.evaluation.spoken import tracks_of

SETTINGS = load_against_settings()
RATE = 8000


def gap_at(times_s):
    """The lips of the real speaker."""
    return (0.1 + 0.04 * np.sin(9 * times_s) + 0.04 * np.sin(5.3 * times_s + 1)).astype(np.float32)


def speaker(fps, seconds=8.0, late_s=0.0):
    tracks = tracks_of(np.zeros(round(seconds * fps), np.float32))
    times = ((np.arange(len(tracks.gap)) + 0.5) / fps).astype(np.float32)
    return replace(tracks, fps=fps, times_s=times, gap=gap_at(times - late_s))


def sound(seconds=8.0):
    """Loud where the mouth is half open."""
    times = np.arange(round(seconds * RATE)) / RATE
    return Sound(
        (np.random.default_rng(0).normal(0, 0.1, len(times)) * np.sin(9 * times) ** 2).astype(np.float32), RATE
    )


def test_the_same_mouth_at_another_frame_rate_and_late():
    found = measure_against(speaker(25.0, late_s=0.08), speaker(30.0), sound(), SETTINGS)
    assert found["aperture_correlation"].value > 0.98
    assert found["aperture_lag"].value == pytest.approx(0.08, abs=0.015)
    assert found["loudness_correlation"].value < 0.6
    assert found["aperture_size"].value == pytest.approx(1.0, abs=0.05)
    assert found["frames_judged"].value > 0.95


def test_another_mouth_a_turned_head_and_a_short_result():
    real = speaker(25.0)
    still = replace(real, gap=gap_at(real.times_s[::-1] * 1.7))
    assert measure_against(still, real, sound(), SETTINGS)["aperture_correlation"].value < 0.5
    turned = replace(real, angles_deg=np.full_like(real.angles_deg, 40.0))
    nothing = measure_against(real, turned, sound(), SETTINGS)
    assert nothing["frames_judged"].value == 0.0 and math.isnan(nothing["aperture_correlation"].value)
    short = measure_against(speaker(25.0, seconds=4.0), real, sound(), SETTINGS)
    assert short["frames_judged"].value == pytest.approx(0.5, abs=0.02)


def test_clips_count_alike_in_the_mean():
    real = speaker(25.0)
    good = measure_against(real, real, sound(), SETTINGS)
    bad = measure_against(replace(real, gap=-real.gap), real, sound(), SETTINGS)
    pooled = pool_against({"good": good, "bad": bad})
    mean = (good["aperture_correlation"].value + bad["aperture_correlation"].value) / 2
    assert pooled.measurements["aperture_correlation"].value == pytest.approx(mean)
    assert set(pooled.clips) == {"good", "bad"}


@pytest.fixture
def clip(tmp_path):
    """Eight seconds of grey that brightens, with a sound."""
    path = tmp_path / "real.mp4"
    with VideoWriter(path, 25.0, sound(), {}) as writer:
        for level in range(200):
            writer.write(np.full((48, 64, 3), level, np.uint8))
    return path


def test_the_picture_is_the_calmest_of_the_first_frames(clip):
    tracks = speaker(25.0)
    tracks.gap[[10, 150]] = [0.02, 0.0]
    tracks.gap[20], tracks.angles_deg[20] = 0.01, 15.0
    tracks.gap[5] = math.nan
    assert calm_frame(clip, tracks).mean() == pytest.approx(10, abs=3)


def test_each_clip_is_performed_by_its_own_frame_or_by_the_picture(clip, tmp_path):
    performed = []

    def perform(picture, heard, name):
        performed.append((picture, round(heard.duration_s), name))
        return speaker(25.0)

    found = mimic_clips([clip], None, perform, lambda path: speaker(25.0), SETTINGS)
    mimic_clips([clip], tmp_path / "me.png", perform, lambda path: speaker(25.0), SETTINGS)
    assert found["real"]["aperture_correlation"].value > 0.99
    assert performed[0][0].shape == (48, 64, 3) and performed[0][1:] == (8, "real")
    assert performed[1][0] == tmp_path / "me.png"


def test_clips_of_one_name_stay_two(clip, tmp_path):
    other = tmp_path / "b" / clip.name
    other.parent.mkdir()
    other.write_bytes(clip.read_bytes())
    names = []
    found = mimic_clips(
        [clip, other, other], None, lambda _, sound, name: names.append(name) or speaker(25.0),
        lambda path: speaker(25.0), SETTINGS,
    )  # fmt: skip
    assert list(found) == names == [f"{tmp_path.name}/real", "b/real", "b/real-2"]


def test_the_commands_hold_a_video_against_a_clip(clip, monkeypatch):
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.tracks_of", lambda video, face, progress: speaker(25.0))
    arguments = ["motion", str(clip), "--against", str(clip), "--no-background", "--json"]
    record = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert record["bars"]["aperture_correlation"]["met"]
    assert record["measurements"]["aperture_lag"]["value"] == pytest.approx(0.0, abs=0.01)
    missing = CliRunner().invoke(app, ["mimic", str(clip.parent / "none.mp4"), "--json"])
    assert json.loads(missing.stdout)["error"]["code"] == "audio_missing"
