import math

import numpy as np
import pytest

from omnihuman.metrics.measurement import Measurement, bootstrap_interval


def test_record_turns_undefined_numbers_into_none():
    record = Measurement(math.nan, "share", True, (0.1, math.nan)).as_record()
    assert record == {"value": None, "unit": "share", "higher_is_better": True, "interval": [0.1, None]}


def test_interval_covers_the_mean_as_its_standard_error_says():
    values = np.random.default_rng(3).normal(5.0, 2.0, 400).tolist()
    low, high = bootstrap_interval(lambda v: float(np.mean(v)), values, np.random.default_rng(0), 800)
    error = np.std(values) / math.sqrt(len(values))
    assert low == pytest.approx(np.mean(values) - 1.96 * error, abs=0.05)
    assert high == pytest.approx(np.mean(values) + 1.96 * error, abs=0.05)


def test_interval_is_the_same_for_the_same_seed_and_another_for_another():
    def draw(seed):
        return bootstrap_interval(lambda v: float(np.mean(v)), [1.0, 2.0, 4.0, 8.0], np.random.default_rng(seed), 50)

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_resamples_without_a_value_are_left_out():
    low, high = bootstrap_interval(
        lambda v: math.nan if 0.0 in v else float(np.mean(v)), [0.0, 1.0, 1.0], np.random.default_rng(0), 100
    )
    assert (low, high) == (1.0, 1.0)


@pytest.mark.parametrize("items", [[], [1.0, 2.0]])
def test_interval_is_undefined_without_items_or_values(items):
    edges = bootstrap_interval(lambda v: math.nan, items, np.random.default_rng(0), 20)
    assert all(math.isnan(edge) for edge in edges)
