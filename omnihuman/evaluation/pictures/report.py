"""Verdicts on pictures -> a table for the terminal, a JSON-ready record and a Markdown page beside the sheets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from omnihuman.evaluation.pictures.bench import PictureVerdict
from omnihuman.evaluation.pictures.quantities import QUANTITIES
from omnihuman.evaluation.pictures.settings import PictureSettings


def record_of(verdicts: Sequence[PictureVerdict], settings: PictureSettings, seed: int) -> dict[str, Any]:
    """Everything as one JSON-ready record."""
    return {
        "seed": seed,
        "settings": settings.model_dump(),
        "pictures": {verdict.name: _picture_record(verdict, settings) for verdict in verdicts},
        "met": all(verdict.met(settings) for verdict in verdicts),
    }


def _picture_record(verdict: PictureVerdict, settings: PictureSettings) -> dict[str, Any]:
    return {
        "drawn": verdict.drawn,
        "met": verdict.met(settings),
        "facts": verdict.facts,
        "prepare_cpu_s": verdict.prepare_cpu_s,
        "frame_cpu_ms": verdict.frame_cpu_ms,
        "found": round(verdict.redetection.found, 4),
        "invariants": {
            check.name: {"value": _finite(check.value), "unit": check.unit, "bound": check.bound, "met": check.met,
                         "binding": check.binding}
            for check in verdict.checks
        },
        "agreements": {
            name: {"r": _finite(found.correlation), "slope": _finite(found.slope), "count": found.count}
            for name, found in verdict.redetection.agreements.items()
        },
        "bars": {name: {"least": least, "met": met} for name, (_, least, met) in verdict.bars(settings).items()},
        "sheets": verdict.sheets,
    }  # fmt: skip


def header() -> list[str]:
    """Column titles of `rows_of`."""
    return ["picture", "held", *QUANTITIES, "found", "frame ms", "missed"]


def rows_of(verdicts: Sequence[PictureVerdict], settings: PictureSettings) -> list[list[str]]:
    """One row per picture: whether it passes, r (slope) per quantity, and what it misses. A missed bar has a `!`."""
    return [_row(verdict, settings) for verdict in verdicts]


def summary_of(verdicts: Sequence[PictureVerdict], settings: PictureSettings) -> list[list[str]]:
    """What fits a terminal: titles, then one row per picture with r of every quantity that has a bar."""
    judged = [name for name in QUANTITIES if any(name in verdict.bars(settings) for verdict in verdicts)]
    rows = [["picture", "held", *judged]]
    for verdict in verdicts:
        bars = verdict.bars(settings)
        found = [f"{_short(bars[name][0])}{'' if bars[name][2] else ' !'}" if name in bars else "" for name in judged]
        rows.append([verdict.name, _held(verdict), *found])
    return rows


def missed(verdict: PictureVerdict, settings: PictureSettings) -> list[str]:
    """Invariants and bars that this picture misses, in words."""
    broken = [f"{c.name} {c.value:.3g} {c.unit}" for c in verdict.checks if c.binding and not c.met]
    return broken + [f"{name} {_short(r)} < {least:.2f}" for name, (r, least, met) in verdict.bars(settings).items()
                     if not met]  # fmt: skip


def markdown_of(verdicts: Sequence[PictureVerdict], settings: PictureSettings) -> str:
    """A page with the table, the invariants and the sheets."""
    lines = ["# Pictures, judged", "", "Correlation (slope) of what was posed with what other networks read.", ""]
    lines += _table(header(), rows_of(verdicts, settings))
    if verdicts:
        names = [check.name for check in verdicts[0].checks]
        rows = [[v.name, *(f"{_short(c.value)}{'' if c.met else ' !'}" for c in v.checks)] for v in verdicts]
        lines += ["", "## Invariants", "", *_table(["picture", *names], rows)]
    for verdict in verdicts:
        lines += ["", f"## {verdict.name}", ""] + [f"![{name}]({name})" for name in verdict.sheets]
    return "\n".join(lines) + "\n"


def _row(verdict: PictureVerdict, settings: PictureSettings) -> list[str]:
    bars = verdict.bars(settings)
    cells = []
    for name in QUANTITIES:
        found = verdict.redetection.agreements[name]
        mark = "!" if name in bars and not bars[name][2] else ""
        cells.append(f"{_short(found.correlation)} ({_short(found.slope)}){mark}")
    return [
        verdict.name, _held(verdict), *cells, f"{verdict.redetection.found:.2f}", f"{verdict.frame_cpu_ms:.1f}",
        "; ".join(missed(verdict, settings)) or "-",
    ]  # fmt: skip


def _held(verdict: PictureVerdict) -> str:
    """Invariants that hold, of those that must."""
    return f"{sum(c.met for c in verdict.checks if c.binding)}/{sum(c.binding for c in verdict.checks)}"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (titles, ["---"] * len(titles), *rows)]


def _short(value: float) -> str:
    """Two digits, without the leading zero: .97."""
    if math.isnan(value):
        return "-"
    return f"{value:.2f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.2f}"


def _finite(value: float) -> float | None:
    return round(value, 5) if math.isfinite(value) else None
