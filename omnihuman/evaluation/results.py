"""What an evaluation gives: named measurements beside controls, groups and facts; and what a bar is. Measures nothing.

A bar is the least value that is good, or the lowest and the highest one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from omnihuman.metrics.measurement import Measurement

Bar = float | tuple[float, float]


@dataclass(frozen=True)
class EvaluationResult:
    """Named measurements.

    Attributes:
        measurements: Of everything together.
        controls: Control name -> its measurements.
        groups: Speaker, or spoiled sound -> the measurements of that part.
        clips: Clip name -> its measurements.
        facts: What the numbers rest on, JSON-ready.
    """

    measurements: dict[str, Measurement]
    controls: dict[str, dict[str, Measurement]] = field(default_factory=dict)
    groups: dict[str, dict[str, Measurement]] = field(default_factory=dict)
    clips: dict[str, dict[str, Measurement]] = field(default_factory=dict)
    facts: dict[str, float | int | str] = field(default_factory=dict)


def is_met(result: EvaluationResult, name: str, bar: Bar) -> bool:
    """Whether a measurement reaches its bar; an undefined one does not."""
    measured = result.measurements.get(name)
    if measured is None:
        return False
    low, high = bar if isinstance(bar, tuple) else (bar, float("inf"))
    return low <= measured.value <= high


def all_met(result: EvaluationResult, bars: Mapping[str, Bar]) -> bool:
    """Whether every bar is reached."""
    return all(is_met(result, name, bar) for name, bar in bars.items())
