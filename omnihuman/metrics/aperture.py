"""Does a mouth move as a real speaker's does? Correlation of two apertures at their best lag, beside plain loudness.

Public clips are often out of sync by some frames, so one lag is fitted per clip. Legend: T frames of the real clip.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.metrics.sync import best_lag, correlation
from omnihuman.types import Float


@dataclass(frozen=True)
class ApertureMatch:
    """How well a track follows the real aperture.

    Attributes:
        correlation: At the best lag.
        lag_s: How much later the track comes than the real one there.
        in_place: Correlation without a shift.
        size_ratio: Spread of the track over the spread of the real one; above 1 it over-articulates.
    """

    correlation: float
    lag_s: float
    in_place: float
    size_ratio: float

    def measurements(self, prefix: str) -> dict[str, Measurement]:
        """The numbers by name."""
        return {
            f"{prefix}_correlation": Measurement(self.correlation, "", True),
            f"{prefix}_lag": Measurement(self.lag_s, "s", None),
            f"{prefix}_in_place": Measurement(self.in_place, "", True),
            f"{prefix}_size": Measurement(self.size_ratio, "ratio", None),
        }


def match_aperture(track: Float, real: Float, fps: float, max_lag_s: float) -> ApertureMatch:
    """Compares a track `T` with the real aperture `T`, both at `fps`; NaN is a frame that cannot be judged."""
    lag = best_lag(track, real, fps, max_lag_s)
    known = np.isfinite(track) & np.isfinite(real)
    spread = float(np.std(real[known])) if known.any() else 0.0
    ratio = float(np.std(track[known])) / spread if spread > 1e-9 else math.nan
    best = lag.correlation if math.isfinite(lag.offset_s) else math.nan
    return ApertureMatch(best, lag.offset_s, correlation(track, real), ratio)
