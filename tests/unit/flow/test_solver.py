"""The solver against closed forms, and its care for known entries."""

from __future__ import annotations

import torch

from omnihuman.flow.schedule import times
from omnihuman.flow.solver import initial_noise, integrate


def gaussian_field(mean: float, std: float):
    """The exact velocity when the data are N(mean, std^2): E[eps - x_0 | x_t]."""

    def field(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        t = t[:, None, None]
        variance = (1 - t) ** 2 * std**2 + t**2
        residual = x - (1 - t) * mean
        return residual * (t - (1 - t) * std**2) / variance - mean

    return field


def gaussian_map(noise: torch.Tensor, mean: float, std: float) -> torch.Tensor:
    """Where the exact flow carries noise: the linear transport of one Gaussian onto the other."""
    return mean + std * noise


def test_euler_converges_to_the_exact_transport_of_a_gaussian():
    noise = initial_noise((64, 2, 8), torch.Generator().manual_seed(1))
    exact = gaussian_map(noise, 3.0, 0.5)
    errors = [(integrate(gaussian_field(3.0, 0.5), noise, times(n)) - exact).abs().max().item() for n in (10, 40, 160)]
    assert errors[2] < 0.02
    assert errors[0] > 2.5 * errors[1] > 6 * errors[2]


def test_heun_is_second_order_and_beats_euler():
    noise = initial_noise((64, 2, 8), torch.Generator().manual_seed(1))
    exact = gaussian_map(noise, 3.0, 0.5)
    field = gaussian_field(3.0, 0.5)
    heun = (integrate(field, noise, times(20), method="heun") - exact).abs().max()
    assert heun < 0.2 * (integrate(field, noise, times(40)) - exact).abs().max()


def test_a_straight_path_needs_one_step():
    noise = initial_noise((2, 3, 4), torch.Generator().manual_seed(2))
    data = torch.ones(2, 3, 4)
    torch.testing.assert_close(integrate(lambda x, t: noise - data, noise, times(1)), data)


def test_known_entries_are_clean_in_every_evaluation_and_exact_at_the_end():
    noise = initial_noise((2, 3, 6), torch.Generator().manual_seed(3))
    observed = torch.randn(2, 3, 6)
    mask = torch.zeros(2, 3, 6)
    mask[..., :2] = 1
    seen = []

    def field(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        seen.append(x[..., :2].clone())
        return x * 0.7 + 1.0

    for method in ("euler", "heun"):
        seen.clear()
        out = integrate(field, noise, times(4, 2.0), observed, mask, method=method)
        assert len(seen) == (4 if method == "euler" else 7)
        assert all(torch.equal(x, observed[..., :2]) for x in seen)
        assert torch.equal(out[..., :2], observed[..., :2])
        assert not torch.equal(out[..., 2:], observed[..., 2:])


def test_the_same_seed_gives_the_same_noise_and_another_seed_does_not():
    a, b, c = (initial_noise((1, 3, 5), torch.Generator().manual_seed(s)) for s in (4, 4, 5))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
