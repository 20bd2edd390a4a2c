import math

import numpy as np
import pytest

from omnihuman.evaluation.controls import envelope_gap, shifted_gap
from omnihuman.evaluation.expected import expected_gap
from omnihuman.speech.inventory import TimedPhone
from omnihuman.types import Sound

TIMES = ((np.arange(50) + 0.5) / 25.0).astype(np.float32)


def test_shift_moves_the_track_and_keeps_its_values():
    gap = np.arange(50, dtype=np.float32)
    late = shifted_gap(gap, 25.0, 0.4)
    assert late[10:].tolist() == gap[:-10].tolist()
    assert sorted(late) == sorted(gap)


def test_loudness_mouth_opens_with_the_sound_and_as_wide_as_the_measured_one():
    samples = np.zeros(16000, np.float32)
    samples[4000:8000] = 0.1
    samples[12000:] = 0.5
    like = np.random.default_rng(0).uniform(0, 0.2, 50).astype(np.float32)
    like[7] = math.nan
    gap = envelope_gap(Sound(samples, 8000), TIMES, like)
    assert math.isnan(gap[7])
    known = np.isfinite(like)
    assert np.array_equal(np.sort(gap[known]), np.sort(like[known]))
    assert np.nanmax(gap[1:12]) < gap[14:24].min() < gap[14:24].max() < gap[39:49].min()


def test_silence_and_a_sound_that_ends_early_are_no_error():
    gap = envelope_gap(Sound(np.zeros(100, np.float32), 8000), TIMES, np.linspace(0, 0.2, 50, dtype=np.float32))
    assert gap.shape == (50,)
    assert np.isfinite(gap).all()


def test_expected_lips_close_for_p_and_open_for_a():
    phones = [
        TimedPhone("SIL", 0.0, 0.4), TimedPhone("AA", 0.4, 0.8), TimedPhone("P", 0.8, 0.9),
        TimedPhone("AA", 0.9, 1.3), TimedPhone("SIL", 1.3, 2.0),
    ]  # fmt: skip
    gap = expected_gap(phones, TIMES)
    assert gap.shape == TIMES.shape
    assert gap[15] > 0.08
    assert gap[27] > 0.08
    assert gap[21] < 0.02
    assert gap[45] == pytest.approx(0.0, abs=0.01)
