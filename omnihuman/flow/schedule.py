"""Where the solver stops on its way from noise (t = 1) to data (t = 0). Pure.

The shift is the one that large flow models use for high resolutions (Seaweed-APT, arXiv 2501.08316): above 1 it
spends more of the steps near the noise, where rare events such as blinks are decided.
"""

from __future__ import annotations

import torch
from torch import Tensor


def shifted(t: Tensor, shift: float) -> Tensor:
    """Moves t to t' = s t / (1 + (s - 1) t); the identity for s = 1. Keeps 0 and 1, monotone for every s > 0."""
    return shift * t / (1 + (shift - 1) * t)


def times(steps: int, shift: float = 1.0) -> Tensor:
    """The `steps + 1` times of a run, float32, falling from exactly 1 to exactly 0.

    Raises:
        ValueError: no step, or a shift that is not positive.
    """
    if steps < 1 or not shift > 0:
        raise ValueError(f"a schedule needs at least one step and a positive shift, not {steps} and {shift}")
    return shifted(torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64), shift).float()
