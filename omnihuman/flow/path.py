"""The straight path between data and noise, and what can be read off it. Pure; knows no network.

Legend: t = 0 data, t = 1 noise; x_t = (1 - t) x_0 + t eps, velocity v = eps - x_0 (OmniHuman-1 section 3.1).
Tensors are `B ...`; t is a scalar tensor or `B`.
"""

from __future__ import annotations

from torch import Tensor

T_FLOOR = 0.02
"""Below this t a predicted x_0 no longer divides by t: the velocity stays bounded."""


def broadcast(t: Tensor, like: Tensor) -> Tensor:
    """A time `B` or scalar, shaped to multiply `like` (`B ...`)."""
    return t if t.ndim == 0 else t.reshape(-1, *(1,) * (like.ndim - 1))


def interpolate(data: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """The point x_t of the path between `data` and `noise` (both `B ...`)."""
    weight = broadcast(t, data)
    return (1 - weight) * data + weight * noise


def velocity(data: Tensor, noise: Tensor) -> Tensor:
    """The constant velocity eps - x_0 of a path."""
    return noise - data


def data_from_velocity(x: Tensor, v: Tensor, t: Tensor) -> Tensor:
    """The x_0 that a velocity at x_t points back to: x_t - t v."""
    return x - broadcast(t, x) * v


def noise_from_velocity(x: Tensor, v: Tensor, t: Tensor) -> Tensor:
    """The eps that a velocity at x_t points ahead to: x_t + (1 - t) v."""
    return x + (1 - broadcast(t, x)) * v


def velocity_from_data(x: Tensor, data: Tensor, t: Tensor) -> Tensor:
    """The velocity that leads from `data` to x_t: (x_t - x_0) / max(t, T_FLOOR).

    Exact above the floor. Below it the velocity shrinks to 0 with t, so a step can never be thrown off by a division.
    """
    return (x - data) / broadcast(t, x).clamp(min=T_FLOOR)


def velocity_from_noise(x: Tensor, noise: Tensor, t: Tensor) -> Tensor:
    """The velocity that leads from x_t to `noise`: (eps - x_t) / max(1 - t, T_FLOOR)."""
    return (noise - x) / (1 - broadcast(t, x)).clamp(min=T_FLOOR)
