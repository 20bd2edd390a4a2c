"""Measurements -> lines of a table for people, and one JSON-ready record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from omnihuman.evaluation.results import Bar, EvaluationResult, is_met
from omnihuman.metrics.measurement import Measurement


def record_of(result: EvaluationResult, bars: Mapping[str, Bar]) -> dict[str, Any]:
    """Everything as one JSON-ready record; `bars` tells per bar whether it is met."""
    return {
        "measurements": _records(result.measurements),
        "controls": {name: _records(values) for name, values in result.controls.items()},
        "groups": {name: _records(values) for name, values in result.groups.items()},
        "clips": {name: _records(values) for name, values in result.clips.items()},
        "bars": {name: _edges(bar) | {"met": is_met(result, name, bar)} for name, bar in bars.items()},
        "facts": {name: None if _undefined(value) else value for name, value in result.facts.items()},
    }


def lines_of(result: EvaluationResult, bars: Mapping[str, Bar]) -> list[str]:
    """A table: name, value with unit, interval, direction, bar."""
    width = max((len(name) for name in result.measurements), default=0) + 1
    lines = [_line(name, value, _verdict(result, name, bars), width) for name, value in result.measurements.items()]
    lines += [f"{name}: NOT measured, {_bar(bar)}" for name, bar in bars.items() if name not in result.measurements]
    for kind, parts in (("control", result.controls), ("of", result.groups)):
        lines += [f"{kind} {name}: {_scores(values)}" for name, values in parts.items()]
    if len(result.clips) > 1:
        lines += [f"clip {name}: {_scores(values)}" for name, values in result.clips.items()]
    lines += [f"{name}: {value}" for name, value in result.facts.items()]
    return lines


def _records(values: Mapping[str, Measurement]) -> dict[str, Any]:
    return {name: value.as_record() for name, value in values.items()}


def _edges(bar: Bar) -> dict[str, float]:
    return {"least": bar[0], "most": bar[1]} if isinstance(bar, tuple) else {"least": bar}


def _line(name: str, measured: Measurement, verdict: str, width: int) -> str:
    arrow = {True: "higher is better", False: "lower is better", None: ""}[measured.higher_is_better]
    interval = "" if measured.interval is None else "[{} .. {}]".format(*(_number(edge) for edge in measured.interval))
    return f"{name:<{width}}{_number(measured.value):>9} {measured.unit:<7}{interval:<19}{arrow:<18}{verdict}".rstrip()


def _scores(values: Mapping[str, Measurement]) -> str:
    return ", ".join(f"{name.removeprefix('closure_')} {_number(value.value)}" for name, value in values.items())


def _verdict(result: EvaluationResult, name: str, bars: Mapping[str, Bar]) -> str:
    if name not in bars:
        return ""
    return f"{_bar(bars[name])}: {'met' if is_met(result, name, bars[name]) else 'NOT met'}"


def _bar(bar: Bar) -> str:
    return f"bar {bar[0]:g} .. {bar[1]:g}" if isinstance(bar, tuple) else f"bar {bar:g}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _undefined(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
