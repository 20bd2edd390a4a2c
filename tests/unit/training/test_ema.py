"""The moving average of the weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from omnihuman.training.ema import MovingAverage


def constant(value: float) -> nn.Linear:
    model = nn.Linear(2, 1)
    nn.init.constant_(model.weight, value)
    nn.init.constant_(model.bias, value)
    return model


def test_the_first_updates_follow_quickly_and_later_ones_slowly():
    average = MovingAverage(constant(0.0), decay=0.9)
    moved = constant(1.0)
    average.update(moved)
    assert average.tensors["weight"][0, 0] == pytest.approx(1 - 2 / 11)
    average.restore({name: torch.zeros_like(value) for name, value in average.tensors.items()}, updates=10_000)
    average.update(moved)
    assert average.tensors["weight"][0, 0] == pytest.approx(0.1)


def test_it_settles_on_constant_weights_and_leaves_the_model_alone():
    average, model = MovingAverage(constant(0.0), decay=0.9), constant(2.0)
    for _ in range(200):
        average.update(model)
    torch.testing.assert_close(average.tensors["bias"], torch.full((1,), 2.0))
    assert model.weight.unique() == 2.0


def test_another_networks_tensors_are_not_taken_over():
    with pytest.raises(AssertionError):
        MovingAverage(constant(0.0), decay=0.9).restore({"weight": torch.zeros(1, 2)}, updates=1)
