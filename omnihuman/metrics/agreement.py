"""How well a reading follows what was asked: correlation and slope. Pure: arrays -> numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnihuman.types import Float

_FEWEST = 8


@dataclass(frozen=True)
class Agreement:
    """Of readings with what was asked.

    Attributes:
        correlation: Pearson's r; NaN with fewer than eight pairs or without any spread.
        slope: Reading per unit asked, least squares.
        count: Pairs in which both are known.
    """

    correlation: float
    slope: float
    count: int


def agreement(asked: Float, read: Float) -> Agreement:
    """Agreement of two series `N`; NaN marks what is not known."""
    known = np.isfinite(asked) & np.isfinite(read)
    x, y = asked[known].astype(np.float64), read[known].astype(np.float64)
    if len(x) < _FEWEST or np.ptp(x) <= 0 or np.ptp(y) <= 0:
        return Agreement(math.nan, math.nan, len(x))
    x, y = x - x.mean(), y - y.mean()
    shared = float(x @ y)
    return Agreement(shared / math.sqrt(float(x @ x) * float(y @ y)), shared / float(x @ x), len(x))
