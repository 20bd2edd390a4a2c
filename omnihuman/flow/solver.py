"""From noise to data along a velocity field, with known entries kept. Pure; the field is any callable.

Known entries (motion frames, pose track) are held at their *clean* values before every evaluation and at the end,
not at their noised path value: the denoisers were trained with them clean, as the motion frames of OmniHuman-1
section 3.1 are. Legend: x `B C T ...`; t as in `path.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(x `B ...`, t `B`) -> velocity `B ...`."""
Method = Literal["euler", "heun"]


def pinned(x: Tensor, observed: Tensor | None, mask: Tensor | None) -> Tensor:
    """`x` with `observed` wherever `mask` is above one half; `x` itself when nothing is known."""
    return x if observed is None or mask is None else torch.where(mask > 0.5, observed.to(x.dtype), x)


def initial_noise(shape: Sequence[int], generator: torch.Generator, dtype: torch.dtype = torch.float32) -> Tensor:
    """Gaussian noise on the generator's own device; the same seed gives the same tensor."""
    return torch.randn(tuple(shape), generator=generator, device=generator.device, dtype=dtype)


def integrate(
    field: Velocity,
    noise: Tensor,
    times: Tensor,
    observed: Tensor | None = None,
    mask: Tensor | None = None,
    method: Method = "euler",
) -> Tensor:
    """Solves dx/dt = field(x, t) through `times`.

    Args:
        field: The velocity field.
        noise: x at `times[0]`, `B C T ...`.
        times: Falling times, see `schedule.times`.
        observed: Known values, shaped as `noise`; None when nothing is known.
        mask: 1 where `observed` holds.
        method: `euler` asks the field once per step; `heun` twice (its last step is Euler's, for the field at
            t = 0 is not defined by data prediction).

    Returns:
        x at `times[-1]`; known entries equal `observed` bit for bit.
    """
    x = pinned(noise, observed, mask)
    for now, after in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
        x = pinned(_step(field, x, now, after, method, observed, mask), observed, mask)
    return x


def _step(
    field: Velocity, x: Tensor, now: float, after: float, method: Method, observed: Tensor | None, mask: Tensor | None
) -> Tensor:
    """One step from time `now` to the smaller `after`."""
    slope = field(x, x.new_full((len(x),), now))
    guess = x + (after - now) * slope
    if method == "euler" or after <= 0:
        return guess
    correction = field(pinned(guess, observed, mask), x.new_full((len(x),), after))
    return x + (after - now) * 0.5 * (slope + correction)
