"""Measured signals -> the clock of the space: bridged, smoothed by time, without losing what is short.

Everything is done on a fine grid, so that 12 and 60 frames per second, even and uneven ones, give the same motion.
Legend: N rows as measured, D signals, G rows of the fine grid, T latents.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d, maximum_filter1d, minimum_filter1d

from omnihuman.types import Float

GRID_HZ = 200.0
_BRIDGED_S = 0.2
"""Shorter gaps are bridged and count as seen."""
_SHORTEST_S = 0.12
"""What is seen for less than this, alone, is not trusted."""


@dataclass(frozen=True)
class Clock:
    """When something was measured, and when it is wanted.

    Attributes:
        times_s: `N` ascending seconds of the measured rows.
        wanted_s: `T` ascending seconds.
    """

    times_s: Float
    wanted_s: Float

    @property
    def step_s(self) -> float:
        """Usual time between two rows."""
        return float(np.median(np.diff(self.times_s))) if len(self.times_s) > 1 else 0.04

    @property
    def grid_s(self) -> NDArray[np.float64]:
        """Times of the fine grid."""
        first, last = min(self.times_s[0], self.wanted_s[0]), max(self.times_s[-1], self.wanted_s[-1])
        return np.arange(float(first), float(last) + 1 / GRID_HZ, 1 / GRID_HZ)

    def smooth(self, values: Float, known: NDArray[np.bool_], sigma_s: float) -> NDArray[np.float64]:
        """Signals `N D` at the wanted times, `T D`; unknown rows are bridged linearly."""
        if not known.any():
            return np.zeros((len(self.wanted_s), values.shape[1]))
        grid = self._on_grid(values, known)
        if sigma_s > 0:
            grid = gaussian_filter1d(grid, sigma_s * GRID_HZ, axis=0, mode="nearest")
        return self._wanted(grid)

    def hold(self, values: Float, known: NDArray[np.bool_], close_s: float, hold_s: float) -> NDArray[np.float64]:
        """Signals `N D` whose short peaks must survive: dips under `close_s` are filled, peaks last `hold_s` longer."""
        if not known.any():
            return np.zeros((len(self.wanted_s), values.shape[1]))
        grid = self._on_grid(values, known)
        grid = minimum_filter1d(maximum_filter1d(grid, _odd(close_s), axis=0), _odd(close_s), axis=0)
        grid = maximum_filter1d(grid, _odd(hold_s), axis=0)
        return self._wanted(gaussian_filter1d(grid, 0.25 * hold_s * GRID_HZ, axis=0, mode="nearest"))

    def seen(self, known: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether something is known at the wanted times, `T`; short gaps count as seen, short sights do not."""
        if not known.any():
            return np.zeros(len(self.wanted_s), bool)
        rows = self.times_s[known]
        after = np.clip(np.searchsorted(rows, self.wanted_s), 0, len(rows) - 1)
        before = np.maximum(after - 1, 0)
        apart = np.minimum(np.abs(rows[after] - self.wanted_s), np.abs(rows[before] - self.wanted_s))
        inside = (self.wanted_s >= rows[0]) & (self.wanted_s <= rows[-1])
        found = (apart <= 0.51 * self.step_s) | (
            inside & (rows[after] - rows[before] <= max(_BRIDGED_S, 2.1 * self.step_s))
        )
        wanted_step_s = float(np.median(np.diff(self.wanted_s))) if len(self.wanted_s) > 1 else self.step_s
        return _long_enough(found, round(_SHORTEST_S / wanted_step_s))

    def _on_grid(self, values: Float, known: NDArray[np.bool_]) -> NDArray[np.float64]:
        rows = self.times_s[known]
        return np.stack([np.interp(self.grid_s, rows, column) for column in values[known].T], 1)

    def _wanted(self, grid: NDArray[np.float64]) -> NDArray[np.float64]:
        times = self.grid_s
        return np.stack([np.interp(self.wanted_s, times, column) for column in grid.T], 1)


def _odd(seconds: float) -> int:
    return 2 * round(seconds * GRID_HZ / 2) + 1


def _long_enough(found: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """The same without runs shorter than `least`, unless a run is all there is."""
    edges = np.flatnonzero(np.diff(np.r_[False, found, False].astype(np.int8)))
    kept = found.copy()
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start < least and stop - start < len(found):
            kept[start:stop] = False
    return kept


def soft_limited(values: Float, limit: float, least_gain: float = 0.6, knee: float = 0.75) -> NDArray[np.float64]:
    """A signal within plus and minus `limit`: first made smaller as a whole, then bent, so that it keeps its shape.

    Args:
        values: `T`, any size.
        limit: Largest magnitude that may come out.
        least_gain: A signal is not scaled below this; the rest is bent.
        knee: Share of the limit from which on it bends.
    """
    if limit <= 0:
        return np.zeros(len(values))
    reach = float(np.percentile(np.abs(values), 99)) if len(values) else 0.0
    gain = float(np.clip(0.95 * limit / max(reach, 1e-9), least_gain, 1.0))
    scaled = gain * np.asarray(values, np.float64)
    over = np.maximum(np.abs(scaled) - knee * limit, 0.0)
    bent = knee * limit + (1 - knee) * limit * np.tanh(over / ((1 - knee) * limit))
    return np.asarray(np.sign(scaled) * np.where(over > 0, bent, np.abs(scaled)))
