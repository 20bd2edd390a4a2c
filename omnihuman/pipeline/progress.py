"""Progress with remaining time over the stages of one run. Tells; never decides.

The share of a stage is a prior in seconds per unit, replaced by what is measured as soon as units finish.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from omnihuman.types import ProgressCallback, ProgressEvent

Item = TypeVar("Item")


@dataclass
class Stage:
    """One stage of a run: `total` units, `unit_s` seconds each as far as known."""

    name: str
    total: int
    unit_s: float
    done: int = 0
    began_s: float | None = None


@dataclass
class ProgressMeter:
    """Turns finished units into `ProgressEvent`s.

    Attributes:
        callback: Receives the events; None = nobody listens.
        stages: The stages in order, with prior costs.
    """

    callback: ProgressCallback | None
    stages: list[Stage]
    began_s: float = field(default_factory=time.monotonic)
    _last: ProgressEvent | None = None

    def advance(self, name: str, units: int = 1) -> None:
        """Counts finished units of a stage; the first call with 0 units starts its clock."""
        stage = next(s for s in self.stages if s.name == name)
        now = time.monotonic()
        if stage.began_s is None:
            stage.began_s = now
        stage.done += units
        if stage.done:
            stage.unit_s = (now - stage.began_s) / stage.done or stage.unit_s
        if self.callback is not None:
            remaining_s = max(0.0, sum((s.total - s.done) * s.unit_s for s in self.stages))
            self._last = ProgressEvent(name, stage.done, stage.total, now - self.began_s, remaining_s)
            self.callback(self._last)

    def beat(self) -> None:
        """Tells the last event once more, where work goes on that no stage counts: the listener may stop the run."""
        if self.callback is not None and self._last is not None:
            self.callback(self._last)

    def each(self, name: str, items: Sequence[Item]) -> Iterator[Item]:
        """Yields the items of a stage and counts each one when the next is asked for."""
        self.advance(name, 0)
        for item in items:
            yield item
            self.advance(name)
