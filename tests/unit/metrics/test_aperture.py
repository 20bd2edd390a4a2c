"""The mouth of a real speaker is found again through noise, a lag and another size, and nothing else is."""

import math

import numpy as np
import pytest

from omnihuman.metrics.aperture import match_aperture

FPS = 25.0
REAL = np.convolve(np.random.default_rng(3).normal(0, 1, 260), np.hanning(7), "same")[5:255] * 0.03 + 0.1


@pytest.mark.parametrize("late", [-3, 0, 3])
def test_the_lag_is_found_and_the_correlation_there(late):
    found = match_aperture(np.roll(2.0 * REAL, late), REAL, FPS, 0.16)
    assert found.lag_s == pytest.approx(late / FPS, abs=0.005)
    assert found.correlation > 0.99
    assert found.size_ratio == pytest.approx(2.0)
    assert (found.in_place > 0.99) == (late == 0)


def test_noise_lowers_it_and_a_lag_too_large_is_not_tried():
    rng = np.random.default_rng(0)
    noisy = REAL + rng.normal(0, REAL.std(), len(REAL))
    assert match_aperture(noisy, REAL, FPS, 0.16).correlation == pytest.approx(2**-0.5, abs=0.1)
    assert match_aperture(np.roll(REAL, 10), REAL, FPS, 0.16).correlation < 0.6
    assert match_aperture(np.roll(REAL, 10), REAL, FPS, 0.5).correlation > 0.95


def test_unknown_frames_are_left_out_and_nothing_known_is_undefined():
    holes = REAL.copy()
    holes[20:60] = math.nan
    assert match_aperture(holes, REAL, FPS, 0.16).correlation == pytest.approx(1.0)
    nothing = match_aperture(np.full(250, math.nan), REAL, FPS, 0.16)
    assert math.isnan(nothing.correlation) and math.isnan(nothing.size_ratio)
