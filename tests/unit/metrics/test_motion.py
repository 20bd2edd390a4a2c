import math

import numpy as np
import pytest

from omnihuman.metrics.motion import background_change, blink_rate, blinks, head_motion, seam_velocity

FPS = 25.0


def eyes(num_frames, *shut):
    aperture = np.full(num_frames, 0.11, np.float32)
    for first, last in shut:
        aperture[first : last + 1] = 0.01
    return aperture


def test_blinks_are_found_where_they_are():
    assert blinks(eyes(100, (20, 23), (60, 62)), FPS) == [(0.8, 0.96), (2.4, 2.52)]


def test_shut_eyes_are_no_blink():
    assert blinks(eyes(100, (20, 45)), FPS) == []


def test_blink_threshold_follows_the_person():
    narrow = eyes(100, (20, 23)) * 0.4
    assert len(blinks(narrow, FPS)) == 1


def test_rate_counts_judged_time_only():
    aperture = eyes(1500, *[(i, i + 3) for i in range(100, 700, 60)])
    assert blink_rate(aperture, FPS).value == pytest.approx(10.0)
    aperture[750:] = math.nan
    assert blink_rate(aperture, FPS).value == pytest.approx(20.0)
    assert math.isnan(blink_rate(np.full(10, math.nan, np.float32), FPS).value)


def test_head_statistics_of_a_known_swing():
    times = np.arange(250) / FPS
    angles = np.zeros((250, 3), np.float32)
    angles[:, 0] = 5.0 * np.sin(2 * np.pi * 0.5 * times)
    motion = head_motion(angles, FPS)
    assert motion.spread_deg[0] == pytest.approx(5.0 / math.sqrt(2), rel=0.01)
    assert motion.reach_deg[0] == pytest.approx(10.0, rel=0.01)
    assert motion.speed_deg_s[0] == pytest.approx(5.0 * 2.0, rel=0.02)
    assert motion.spread_deg[1:] == (0.0, 0.0)
    assert motion.jerkiness == pytest.approx(np.pi, rel=0.02)


def test_shaking_raises_jerkiness():
    smooth = np.cumsum(np.ones((100, 3), np.float32), 0)
    shaken = smooth + np.random.default_rng(0).normal(0, 2, smooth.shape)
    assert head_motion(smooth, FPS).jerkiness == 0.0
    assert head_motion(shaken, FPS).jerkiness > 20.0


def test_lost_faces_leave_the_head_undefined_or_out():
    lost = np.full((10, 3), math.nan, np.float32)
    assert math.isnan(head_motion(lost, FPS).jerkiness)
    lost[:5] = np.arange(5)[:, None]
    assert head_motion(lost, FPS).speed_deg_s == pytest.approx((25.0, 25.0, 25.0))


def test_a_jump_at_a_seam_shows_and_a_smooth_seam_does_not():
    track = np.stack([np.arange(200.0), np.zeros(200)], 1).astype(np.float32)
    assert seam_velocity(track, [90, 180]).value == pytest.approx(1.0)
    track[90:, 0] += 4.0
    assert seam_velocity(track, [90]).value == pytest.approx(5.0)
    assert seam_velocity(track, [50]).value == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize(("track", "seams"), [(np.zeros((50, 2)), [25]), (np.eye(5), []), (np.eye(5), [99])])
def test_seams_without_motion_or_seam_are_undefined(track, seams):
    assert math.isnan(seam_velocity(track.astype(np.float32), seams).value)


def test_background_ignores_the_person_and_sees_the_rest():
    reference = np.full((20, 30, 3), 100, np.uint8)
    person = np.zeros((20, 30), np.float32)
    person[5:15, 10:20] = 1.0
    frame = reference.copy()
    frame[5:15, 10:20] = 0
    assert background_change([frame], reference, person).value == 0.0
    frame[:5] += 10
    assert background_change([frame, reference], reference, person).value == pytest.approx(0.5 * 10 * 150 / 500)
    assert math.isnan(background_change([frame], reference, np.ones((20, 30), np.float32)).value)
    assert math.isnan(background_change([], reference, person).value)
