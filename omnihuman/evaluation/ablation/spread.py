"""A quantity over the seeds of one variant: mean and standard deviation. Knows no quantity by name."""

from __future__ import annotations

import statistics
from dataclasses import dataclass


@dataclass(frozen=True)
class Spread:
    """Numbers of several seeds.

    Attributes:
        values: Seed -> number; undefined ones are left out.
    """

    values: dict[int, float]

    @property
    def mean(self) -> float | None:
        """Mean over seeds."""
        return statistics.fmean(self.values.values()) if self.values else None

    @property
    def deviation(self) -> float | None:
        """Sample standard deviation; None under two seeds."""
        return statistics.stdev(self.values.values()) if len(self.values) > 1 else None

    def text(self) -> str:
        """Mean and deviation in three decimals."""
        if self.mean is None:
            return "-"
        return f"{self.mean:.3f}" + ("" if self.deviation is None else f" \u00b1 {self.deviation:.3f}")
