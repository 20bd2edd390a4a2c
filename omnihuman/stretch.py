"""A stretch of a recording as people write it: `2.5:10`, `0:05:1:20`, `12:` (to the end), `:30` (from the beginning).

Only the notation; what is cut is the pipeline's business.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_SIDE = re.compile(r"(?:(?P<minutes>\d+):(?=\d\d(?!\d)))?(?P<seconds>\d+(?:\.\d*)?|\.\d+)")
NOTATION = "Write START:END in seconds or m:ss, such as 2.5:10, 0:05:1:20, 12: (to the end) or :30."


class StretchError(ValueError):
    """The text is no stretch; says what is wrong with it, `NOTATION` says how it is written."""


@dataclass(frozen=True)
class Stretch:
    """From `start_s` up to `end_s`, in seconds of the recording; infinity is its end."""

    start_s: float = 0.0
    end_s: float = math.inf

    @property
    def duration_s(self) -> float:
        """Seconds, infinite where the end is left open."""
        return self.end_s - self.start_s

    @classmethod
    def parse(cls, text: str) -> Stretch:
        """Reads START:END.

        Args:
            text: Each side is empty, seconds (`12.5`) or minutes and seconds (`1:05`); not both are empty.

        Raises:
            StretchError: neither notation, readable in two ways, or nothing between the two sides.
        """
        text = text.strip()
        halves = [(text[:at], text[at + 1 :]) for at, mark in enumerate(text) if mark == ":"]
        sides = [(_seconds(start), _seconds(end)) for start, end in halves if start or end]
        readings = [(start, end) for start, end in sides if start is not None and end is not None]
        if not readings:
            raise StretchError(f"{text[:40]!r} is no stretch of time")
        if len(readings) > 1:
            raise StretchError(f"{text[:40]!r} can be read in two ways; write both sides in the same manner")
        start_s, end_s = readings[0]
        start_s = 0.0 if math.isinf(start_s) else start_s
        if end_s <= start_s:
            raise StretchError(f"the stretch {text[:40]!r} ends before it begins")
        return cls(start_s, end_s)


def _seconds(side: str) -> float | None:
    """Seconds of one side, infinite for an empty one, None for what is no time."""
    if not side:
        return math.inf
    found = _SIDE.fullmatch(side)
    if found is None:
        return None
    seconds = float(found["seconds"])
    if found["minutes"] is None:
        return seconds
    return None if seconds >= 60 else 60 * int(found["minutes"]) + seconds
