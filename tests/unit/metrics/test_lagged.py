"""Sums of stretches give what the whole tracks give."""

import math

import numpy as np
import pytest

from omnihuman.metrics.lagged import correlations, lagged_sums
from omnihuman.metrics.sync import best_lag, correlation, highest

FPS, REACH = 25.0, 10


def tracks(late=3):
    rng = np.random.default_rng(3)
    target = np.convolve(rng.normal(0, 1, 400), np.ones(5), "same").astype(np.float32)
    track = np.roll(target, late) + rng.normal(0, 0.5, 400).astype(np.float32)
    track[rng.integers(0, 400, 40)] = math.nan
    return track + 7, target


def test_stretches_add_up_to_the_correlation_and_lag_of_the_whole():
    track, target = tracks()
    sums = lagged_sums(track, target, REACH, 100)
    assert sums.shape == (4, 2 * REACH + 1, 6)
    whole = correlations(sums.sum(0))
    assert whole[REACH] == pytest.approx(correlation(track, target))
    assert whole[REACH + 3] == pytest.approx(correlation(track[3:], target[:-3]))
    assert whole[REACH - 4] == pytest.approx(correlation(track[:-4], target[4:]))
    assert highest(whole, FPS).offset_s == pytest.approx(best_lag(track, target, FPS, REACH / FPS).offset_s)


def test_still_and_unknown_tracks():
    _, target = tracks()
    assert (correlations(lagged_sums(np.full(400, 2.0), target, 2, 400))[0] == 0.0).all()
    assert np.isnan(correlations(lagged_sums(np.full(400, math.nan), target, 2, 400))).all()
