"""The straight path between data and noise, and what can be read off it. Pure; knows no network.

Legend: t = 0 data, t = 1 noise; x_t = (1 - t) x_0 + t eps, velocity v = eps - x_0 (OmniHuman-1 section 3.1).
Tensors are `B ...`; t is a scalar tensor or `B`.
"""

from __future__ import annotations

from torch import Tensor


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
