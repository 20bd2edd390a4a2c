"""The times of a run."""

from __future__ import annotations

import pytest
import torch

from omnihuman.flow.schedule import shifted, times


@pytest.mark.parametrize("steps", [1, 2, 4, 50])
@pytest.mark.parametrize("shift", [0.3, 1.0, 3.0, 12.0])
def test_times_fall_from_exactly_one_to_exactly_zero(steps, shift):
    t = times(steps, shift)
    assert t.shape == (steps + 1,)
    assert (t[0], t[-1]) == (1.0, 0.0)
    assert (t.diff() < 0).all()


def test_shift_matches_its_formula_and_one_is_the_identity():
    t = torch.tensor([0.0, 0.25, 0.5, 1.0])
    torch.testing.assert_close(shifted(t, 3.0), torch.tensor([0.0, 0.5, 0.75, 1.0]))
    assert torch.equal(shifted(t, 1.0), t)


def test_a_larger_shift_spends_more_steps_near_the_noise():
    assert (times(8, 3.0)[1:-1] > times(8, 1.0)[1:-1]).all()


@pytest.mark.parametrize(("steps", "shift"), [(0, 1.0), (4, 0.0), (4, float("nan"))])
def test_senseless_schedules_are_refused(steps, shift):
    with pytest.raises(ValueError, match="schedule"):
        times(steps, shift)
