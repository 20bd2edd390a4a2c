"""A measured number with its unit, its direction and its uncertainty. Nothing here knows what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

Item = TypeVar("Item")


@dataclass(frozen=True)
class Measurement:
    """One number.

    Attributes:
        value: NaN where the material does not define it, such as a recall without a single event.
        unit: `share`, `s`, `1/min`, `deg`, ...; empty for a pure number.
        higher_is_better: None where neither direction is.
        interval: Bootstrap interval, low and high, or None.
    """

    value: float
    unit: str
    higher_is_better: bool | None
    interval: tuple[float, float] | None = None

    def within(self, interval: tuple[float, float]) -> Measurement:
        """The same measurement with its interval."""
        return replace(self, interval=interval)

    def as_record(self) -> dict[str, Any]:
        """JSON-ready record; NaN becomes None."""
        return {
            "value": _finite(self.value),
            "unit": self.unit,
            "higher_is_better": self.higher_is_better,
            "interval": None if self.interval is None else [_finite(edge) for edge in self.interval],
        }


def bootstrap_interval(
    statistic: Callable[[Sequence[Item]], float],
    items: Sequence[Item],
    rng: np.random.Generator,
    draws: int,
    level: float = 0.95,
) -> tuple[float, float]:
    """Percentile bootstrap over independent items, such as stretches of speech (Efron 1979).

    Args:
        statistic: Items -> number; NaN where undefined.
        items: What is drawn from, with replacement.
        rng: Source of the draws.
        draws: Number of resamples.
        level: Share of the distribution inside the interval, 0..1.

    Returns:
        Low and high; both NaN when no resample defines the statistic.
    """
    values = np.array([statistic([items[i] for i in rng.integers(0, len(items), len(items))]) for _ in range(draws)])
    values = values[np.isfinite(values)] if items else values[:0]
    if values.size == 0:
        return math.nan, math.nan
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
