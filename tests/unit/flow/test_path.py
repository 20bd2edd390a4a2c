"""The straight path: conversions invert each other, and stay bounded where they divide."""

from __future__ import annotations

import pytest
import torch

from omnihuman.denoisers import motion_dit
from omnihuman.flow import path


@pytest.fixture
def pair() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(4, 3, 5, generator=generator), torch.randn(4, 3, 5, generator=generator)


def test_ends_of_the_path_are_data_and_noise(pair):
    data, noise = pair
    assert torch.equal(path.interpolate(data, noise, torch.zeros(4)), data)
    assert torch.equal(path.interpolate(data, noise, torch.ones(4)), noise)


def test_data_and_noise_are_recovered_from_the_velocity(pair):
    data, noise = pair
    t = torch.tensor([0.0, 0.3, 0.7, 1.0])
    x = path.interpolate(data, noise, t)
    v = path.velocity(data, noise)
    torch.testing.assert_close(path.data_from_velocity(x, v, t), data)
    torch.testing.assert_close(path.noise_from_velocity(x, v, t), noise)


def test_velocity_is_recovered_from_either_end(pair):
    data, noise = pair
    t = torch.tensor([0.03, 0.3, 0.7, 0.97])
    x = path.interpolate(data, noise, t)
    v = path.velocity(data, noise)
    torch.testing.assert_close(path.velocity_from_data(x, data, t), v, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(path.velocity_from_noise(x, noise, t), v, atol=1e-4, rtol=1e-4)


def test_velocity_stays_bounded_at_the_ends(pair):
    data, noise = pair
    wrong = data + 1.0
    limit = 1.0 / path.T_FLOOR + 1e-3
    assert path.velocity_from_data(data, wrong, torch.zeros(4)).abs().max() <= limit
    assert path.velocity_from_noise(noise, noise + 1.0, torch.ones(4)).abs().max() <= limit


def test_scalar_time_equals_a_batch_of_the_same_time(pair):
    data, noise = pair
    one = path.interpolate(data, noise, torch.tensor(0.4))
    assert torch.equal(one, path.interpolate(data, noise, torch.full((4,), 0.4)))


def test_the_denoiser_uses_the_floor_of_the_path():
    assert motion_dit.T_FLOOR == path.T_FLOOR
