"""A partial track lands on the latent clock with its mask; beside it motion frames keep their place."""

import numpy as np
import pytest
import torch

from omnihuman.conditions.bundle import Tracks, window_batch
from omnihuman.conditions.mixing import without
from omnihuman.conditions.pose import pose_rows
from omnihuman.types import ConditionTrack, LatentSpec

SPEC = LatentSpec("motion", 3, 25.0)


def track(num_rows, rate_hz, mask=None):
    times_s = ((np.arange(num_rows) + 0.5) / rate_hz).astype(np.float32)
    values = np.stack([times_s, 2 * times_s, -times_s], 1).astype(np.float32)
    return ConditionTrack("pose", values, times_s, np.ones_like(values) if mask is None else mask)


@pytest.mark.parametrize("rate_hz", [12.5, 25.0, 30.0, 50.0, 60.0])
def test_known_rows_keep_their_time(rate_hz):
    times_s = SPEC.times_s(25)
    values, mask = pose_rows(track(int(np.ceil(rate_hz)), rate_hz), times_s)
    inside = (times_s > 0.5 / rate_hz) & (times_s < 1 - 0.5 / rate_hz)
    assert mask.all() and values[inside, 1] == pytest.approx(2 * times_s[inside], abs=1e-5)


def test_the_same_clock_is_a_copy():
    given = track(20, 25.0)
    values, _ = pose_rows(given, SPEC.times_s(20))
    np.testing.assert_allclose(values, given.values, atol=1e-6)


def test_what_is_not_seen_is_unknown_and_never_blended_in():
    mask = np.ones((50, 3), np.float32)
    mask[20:30, 1] = 0
    given = track(50, 50.0, mask)
    given.values[20:30, 1] = 1e6
    values, found = pose_rows(given, SPEC.times_s(25))
    assert found[:, 0].all() and found[:10, 1].all() and not found[10:15, 1].any() and found[15:, 1].all()
    assert np.abs(values).max() < 3


def test_beyond_the_end_nothing_is_known():
    _, mask = pose_rows(track(25, 25.0), SPEC.times_s(40))
    assert mask[:25].all() and not mask[25:].any()


def test_a_hole_in_the_video_is_unknown():
    given = track(50, 25.0)
    kept = np.r_[0:10, 40:50]
    cut = ConditionTrack("pose", given.values[kept], given.times_s[kept], given.mask[kept])
    _, mask = pose_rows(cut, SPEC.times_s(50))
    assert mask[:10].all() and not mask[11:39].any() and mask[40:].all()


def test_motion_frames_win_and_pose_fills_the_rest():
    mask = np.zeros((40, 3), np.float32)
    mask[:, 0] = 1
    tracks = Tracks(None, None, track(40, 25.0, mask))
    batch = window_batch(tracks, SPEC, 10, 12, torch.full((1, 3, 4), 9.0))
    assert (batch.observed[:, :, :4] == 9).all() and (batch.observed_mask[:, :, :4] == 1).all()
    assert batch.observed_mask[0, :, 4:].mean(1).tolist() == [1, 0, 0]
    assert batch.observed[0, 0, 4:].numpy() == pytest.approx(SPEC.times_s(8, 14), abs=1e-5)
    alone = without(batch, ["pose"])
    assert torch.equal(alone.observed[:, :, :4], batch.observed[:, :, :4])
    assert not alone.observed_mask[:, :, 4:].any() and not alone.observed[:, :, 4:].any()
    assert not without(window_batch(tracks, SPEC, 0, 12, None), ["pose"]).observed_mask.any()
