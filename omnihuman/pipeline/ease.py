"""Where a driver leaves the picture and comes back, the dreamt motion glides instead of jumping. Pure.

The transformer continues what it observes, but not to the last bit: what is missing at the edge of an observed stretch
is added to the free frames beside it and fades away. Legend: C channels, T latent frames.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

EASE_LATENTS = 12
"""About half a second: a turn of the head takes that long."""


def eased(latents: Tensor, observed: Tensor, mask: Tensor, reach: int = EASE_LATENTS) -> Tensor:
    """`latents` with the observed values put in and the free frames beside them led up to these.

    Args:
        latents: `1 C T` as sampled and adjusted.
        observed: `1 C T` known values.
        mask: `1 C T` 1 where they hold.
        reach: Free frames that take part.

    Returns:
        `1 C T`; observed entries equal `observed` bit for bit.
    """
    known = mask[0].numpy() > 0.5
    given = observed[0].numpy()
    result = np.where(known, given, latents[0].numpy())
    free = latents[0].numpy()
    for channel in np.flatnonzero(known.any(1) & ~known.all(1)):
        for start, stop in free_stretches(known[channel]):
            length = stop - start
            fade = _fade(min(reach, length), length)
            if start > 0:
                result[channel, start:stop] += (given[channel, start - 1] - free[channel, start]) * fade
            if stop < known.shape[1]:
                result[channel, start:stop] += (given[channel, stop] - free[channel, stop - 1]) * fade[::-1]
    return torch.from_numpy(result[None].astype(np.float32))


def free_stretches(known: np.ndarray) -> list[tuple[int, int]]:
    """First and last-plus-one of every run of False in `T` booleans."""
    edges = np.flatnonzero(np.diff(np.r_[True, known, True].astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def _fade(reach: int, length: int) -> np.ndarray:
    """`length` weights that fall from nearly 1 to 0 over `reach` frames."""
    t = np.clip(np.arange(1, length + 1) / (reach + 1), 0, 1)
    return 1 - t * t * (3 - 2 * t)
