"""Tracks land on the right rows, prefixes are observed, and "absent" means the flag is 0."""

import numpy as np
import pytest
import torch

from omnihuman.conditions.base import ConditionWidths
from omnihuman.conditions.bundle import Tracks, audio_rows, window_batch
from omnihuman.conditions.mixing import without
from omnihuman.conditions.reference import REFERENCE_WIDTH, reference_track
from omnihuman.types import ConditionTrack, LatentSpec, ReferenceFacts

WIDTHS = ConditionWidths(3, REFERENCE_WIDTH, 2)
SPEC = LatentSpec("motion", 5, 25.0)
FACTS = ReferenceFacts(10.0, 0.0, -5.0, 100.0, 512, 400, 1.0, 0.0, 1.0, 0.02)


def ramp(num_rows: int = 100, rate_hz: float = 50.0) -> ConditionTrack:
    times_s = (np.arange(num_rows) / rate_hz).astype(np.float32)
    return ConditionTrack("audio", np.stack([times_s, -times_s], 1), times_s)


@pytest.mark.parametrize("start_s", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("rate_hz", [50.0, 100.0, 30.0])
def test_rows_hold_the_value_at_their_time(start_s, rate_hz):
    rows = audio_rows(ramp(), start_s, 8, rate_hz)
    expected = start_s + np.arange(8) / rate_hz
    assert rows[:, 0] == pytest.approx(expected, abs=1e-5) and np.array_equal(rows[:, 1], -rows[:, 0])


def test_same_rate_is_a_copy():
    assert np.allclose(audio_rows(ramp(), 0.2, 20, 50.0), ramp().values[10:30], atol=1e-6)


def test_window_starts_at_its_own_time_and_keeps_its_prefix():
    prefix = torch.randn(1, 5, 4)
    batch = window_batch(Tracks(reference_track(FACTS), ramp()), SPEC, 10, 12, prefix, WIDTHS)
    assert batch.audio.shape == (1, 24, 2) and batch.audio[0, 0, 0].item() == pytest.approx(0.4, abs=1e-5)
    assert torch.equal(batch.observed[:, :, :4], prefix) and batch.observed_mask[0, 0].tolist() == [1.0] * 4 + [0.0] * 8
    assert batch.audio_present.item() == batch.reference_present.item() == 1.0


def test_absent_conditions_keep_their_shape():
    batch = window_batch(Tracks(None, None), SPEC, 0, 6, None, WIDTHS)
    assert batch.audio.shape == (1, 12, 2) and batch.reference.shape == (1, REFERENCE_WIDTH)
    assert batch.audio_present.item() == batch.reference_present.item() == 0.0 and not batch.observed_mask.any()


def test_without_switches_off_only_what_is_named():
    batch = window_batch(Tracks(reference_track(FACTS), ramp()), SPEC, 0, 6, torch.ones(1, 5, 2), WIDTHS)
    assert without(batch, ["audio"]).audio_present.item() == 0.0
    assert without(batch, ["audio"]).reference_present.item() == 1.0
    with pytest.raises(ValueError, match="smell"):
        without(batch, ["smell"])
