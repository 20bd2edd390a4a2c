"""The straight path: its ends, and the data that a velocity points back to."""

from __future__ import annotations

import pytest
import torch

from omnihuman.flow import path


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 5, generator=generator), torch.randn(4, 3, 5, generator=generator)


def test_ends_of_the_path_are_data_and_noise(pair):
    data, noise = pair
    assert torch.equal(path.interpolate(data, noise, torch.zeros(4)), data)
    assert torch.equal(path.interpolate(data, noise, torch.ones(4)), noise)


def test_data_are_recovered_from_the_velocity(pair):
    data, noise = pair
    t = torch.tensor([0.0, 0.3, 0.7, 1.0])
    x = path.interpolate(data, noise, t)
    v = path.velocity(data, noise)
    torch.testing.assert_close(path.data_from_velocity(x, v, t), data)


def test_scalar_time_equals_a_batch_of_the_same_time(pair):
    data, noise = pair
    one = path.interpolate(data, noise, torch.tensor(0.4))
    assert torch.equal(one, path.interpolate(data, noise, torch.full((4,), 0.4)))
