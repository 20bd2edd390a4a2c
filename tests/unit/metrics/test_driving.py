"""Following is measured on common times; blinks are dips that end."""

import numpy as np
import pytest

from omnihuman.metrics.driving import blink_times, events_agree, follow_error, followed

TIMES = (np.arange(150) + 0.5) / 25


def lids(*spans, depth=0.2):
    aperture = np.full(150, 0.1)
    for start, end in spans:
        aperture[(start <= TIMES) & (end > TIMES)] *= depth
    return aperture


def test_following_is_judged_at_the_same_seconds():
    driver_times = (np.arange(180) + 0.5) / 30
    assert followed(TIMES, np.sin(TIMES), driver_times, np.sin(driver_times)).value > 0.999
    assert followed(TIMES, np.cos(TIMES * 3), driver_times, np.sin(driver_times * 3)).value < 0.3


def test_blinks_are_short_dips():
    assert blink_times(lids((1.0, 1.2), (3.0, 3.12)), TIMES) == pytest.approx([1.1, 3.06], abs=0.025)
    assert not len(blink_times(lids((1.0, 2.2)), TIMES)), "eyes that stay shut do not blink"
    assert not len(blink_times(lids((1.0, 1.2), depth=0.8), TIMES))
    assert not len(blink_times(np.full(150, np.nan), TIMES))


def test_each_blink_is_met_once():
    wanted = np.array([1.0, 2.0, 3.0])
    assert events_agree(wanted + 0.07, wanted).value == 1.0
    assert events_agree(wanted + 0.09, wanted).value == 0.0
    assert events_agree(np.array([0.98, 1.02]), wanted).value == pytest.approx(0.4)
    assert np.isnan(events_agree(np.zeros(0), np.zeros(0)).value)


def test_straying_counts_without_the_pose_of_the_picture():
    wanted = 5 * np.sin(TIMES * 2)
    assert follow_error(TIMES, wanted + 8.0, TIMES, wanted) == pytest.approx(0.0, abs=1e-9)
    assert follow_error(TIMES, 0.5 * wanted, TIMES, wanted) == pytest.approx(0.5 * wanted.std(), rel=0.01)
    assert np.isnan(follow_error(TIMES + 99, wanted, TIMES, wanted))
