"""Phone times as files and as the intervals that metrics ask for. Where they come from is `alignment.py`'s affair."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path

from omnihuman.errors import InputError
from omnihuman.metrics.sync import Interval
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone

LONGEST_S = 86400.0
"""Later times are slips: frames or milliseconds written for seconds."""
_SHORT_PAUSE_S = 0.08
"""The aligner's shorter silences are the holds of stops; they belong to the speech around them."""


def intervals_of(phones: Sequence[TimedPhone], symbols: Collection[str]) -> list[Interval]:
    """Start and end of every phone of the given kinds."""
    return [(phone.start_s, phone.end_s) for phone in phones if phone.symbol in symbols]


def silences_of(phones: Sequence[TimedPhone], duration_s: float) -> list[Interval]:
    """Pauses, and what lies before the first and after the last phone."""
    gaps: list[Interval] = []
    end_s = 0.0
    for phone in sorted((p for p in phones if p.symbol != SILENCE), key=lambda p: p.start_s):
        if phone.start_s - end_s >= _SHORT_PAUSE_S:
            gaps.append((end_s, phone.start_s))
        end_s = max(end_s, phone.end_s)
    if duration_s - end_s >= _SHORT_PAUSE_S:
        gaps.append((end_s, duration_s))
    return gaps


def speech_of(phones: Sequence[TimedPhone], duration_s: float) -> list[Interval]:
    """Stretches of speech: everything between the silences."""
    edges = [0.0, *(edge for gap in silences_of(phones, duration_s) for edge in gap), duration_s]
    return [(start, end) for start, end in zip(edges[::2], edges[1::2], strict=True) if end > start]


def read_phones(path: Path) -> list[TimedPhone]:
    """Reads a JSON list of `{"symbol": "P", "start_s": 0.31, "end_s": 0.38}`.

    Raises:
        InputError: phones_missing or phones_unreadable.
    """
    way_out = 'Write a list of {"symbol": "P", "start_s": 0.31, "end_s": 0.38}, ARPAbet without stress.'
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
        phones = [TimedPhone(str(row["symbol"]), float(row["start_s"]), float(row["end_s"])) for row in rows]
    except FileNotFoundError:
        raise InputError("phones_missing", f"there is no file {path.name!r}", "Check the path.") from None
    except OSError as error:
        cause = f"{path.name!r} cannot be read: {error.strerror}"
        raise InputError("phones_unreadable", cause, "Give a JSON file with phone times.") from None
    except RecursionError:
        raise InputError("phones_unreadable", f"{path.name!r} is nested too deeply", way_out) from None
    except (ValueError, TypeError, KeyError) as error:
        cause = f"{path.name!r} does not list phone times ({type(error).__name__}: {error})"
        raise InputError("phones_unreadable", cause, way_out) from None
    if not phones:
        raise InputError("phones_unreadable", f"{path.name!r} lists no phone", way_out)
    for phone in phones:
        if phone.symbol not in PHONES or not 0.0 <= phone.start_s <= phone.end_s <= LONGEST_S:
            raise InputError("phones_unreadable", f"{path.name!r} holds {phone}", way_out)
    return sorted(phones, key=lambda phone: phone.start_s)
