"""Correlation and slope of readings with what was asked."""

import math

import numpy as np
import pytest

from omnihuman.metrics.agreement import agreement


def test_a_reading_that_shows_less_than_asked_has_a_slope_below_one():
    asked = np.linspace(-1, 1, 21)
    found = agreement(asked, 0.7 * asked + 3.0)
    assert found.correlation == pytest.approx(1.0)
    assert found.slope == pytest.approx(0.7)


def test_noise_lowers_the_correlation_and_the_wrong_way_round_is_negative():
    rng = np.random.default_rng(0)
    asked = rng.normal(size=400)
    assert agreement(asked, asked + rng.normal(size=400)).correlation == pytest.approx(2**-0.5, abs=0.08)
    assert agreement(asked, -asked).correlation == pytest.approx(-1.0)


def test_unknown_pairs_are_left_out():
    asked, read = np.arange(12.0), np.arange(12.0)
    read[3], asked[7], read[5] = math.nan, math.nan, math.nan
    found = agreement(asked, read)
    assert found.count == 9
    assert found.slope == pytest.approx(1.0)


@pytest.mark.parametrize("read", [np.full(20, 2.0), np.full(20, math.nan), np.append(np.arange(7.0), [math.nan] * 13)])
def test_without_spread_or_pairs_there_is_no_number(read):
    assert math.isnan(agreement(np.arange(20.0), read).correlation)
