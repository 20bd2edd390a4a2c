"""Correlation of two tracks at every lag, as sums over stretches of time: a bootstrap draws stretches and adds up.

Legend: T frames, B stretches, L lags -reach .. reach, 6 sums: count, x, y, xx, yy, xy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omnihuman.types import Float

Sums = NDArray[np.float64]


def lagged_sums(track: Float, target: Float, reach: int, block: int) -> Sums:
    """What each stretch of a clip adds, `B L 6`; frames unknown in either track add nothing.

    Args:
        track: `T`, NaN where unknown.
        target: `T`.
        reach: Largest lag in frames; at a positive one the track comes later.
        block: Frames of a stretch; those of the target tell where a pair belongs.
    """
    count = len(track)
    padded = np.full(count + 2 * reach, np.nan)
    padded[reach : reach + count] = _centred(track)
    later = np.stack([padded[lag : lag + count] for lag in range(2 * reach + 1)])
    known = np.isfinite(later) & np.isfinite(target)
    x, y = np.where(known, later, 0.0), np.where(known, _centred(target), 0.0)
    terms = np.stack([known.astype(np.float64), x, y, x * x, y * y, x * y], axis=-1)
    return np.add.reduceat(terms, np.arange(0, count, block), axis=1).transpose(1, 0, 2)


def correlations(sums: Sums) -> Sums:
    """Pearson correlations `...` of sums `... 6`; 0 for a track that never moves, NaN under three pairs."""
    n, x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    spread = np.sqrt(np.maximum((n * xx - x * x) * (n * yy - y * y), 0.0))
    moves = spread > 1e-12 * np.maximum(n, 1.0)
    found = np.where(moves, (n * xy - x * y) / np.where(moves, spread, 1.0), 0.0)
    return np.where(n < 3, np.nan, found)


def _centred(track: Float) -> Sums:
    """The track about its mean, which keeps the digits of the sums."""
    values = np.asarray(track, np.float64)
    known = np.isfinite(values)
    return values - values[known].mean() if known.any() else values
