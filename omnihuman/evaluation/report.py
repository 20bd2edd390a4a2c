"""Measurements -> lines of a table for people, and one JSON-ready record."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from omnihuman.evaluation.suite import EvaluationResult
from omnihuman.metrics.measurement import Measurement

_SHORT = ("closure_recall", "closure_precision", "closure_f1")


def record_of(result: EvaluationResult, bars: Mapping[str, float]) -> dict[str, Any]:
    """Everything as one JSON-ready record; `bars` tells per bar whether it is met."""
    return {
        "measurements": _records(result.measurements),
        "controls": {name: _records(values) for name, values in result.controls.items()},
        "clips": {name: _records(values) for name, values in result.clips.items()},
        "bars": {name: {"least": least, "met": is_met(result, name, least)} for name, least in bars.items()},
        "facts": {name: None if _undefined(value) else value for name, value in result.facts.items()},
    }


def lines_of(result: EvaluationResult, bars: Mapping[str, float]) -> list[str]:
    """A table: name, value with unit, interval, direction, bar."""
    lines = [_line(name, value, _verdict(result, name, bars)) for name, value in result.measurements.items()]
    for name, values in result.controls.items():
        lines.append(f"control {name}: " + _scores(values))
    if len(result.clips) > 1:
        lines += [f"clip {name}: " + _scores(values) for name, values in result.clips.items()]
    lines += [f"{name}: {value}" for name, value in result.facts.items()]
    return lines


def is_met(result: EvaluationResult, name: str, least: float) -> bool:
    """Whether a measurement reaches its bar; an undefined one does not."""
    measured = result.measurements.get(name)
    return measured is not None and measured.value >= least


def _records(values: Mapping[str, Measurement]) -> dict[str, Any]:
    return {name: value.as_record() for name, value in values.items()}


def _line(name: str, measured: Measurement, verdict: str) -> str:
    arrow = {True: "higher is better", False: "lower is better", None: ""}[measured.higher_is_better]
    interval = "" if measured.interval is None else "[{} .. {}]".format(*(_number(edge) for edge in measured.interval))
    return f"{name:<20}{_number(measured.value):>9} {measured.unit:<7}{interval:<19}{arrow:<18}{verdict}".rstrip()


def _scores(values: Mapping[str, Measurement]) -> str:
    return ", ".join(f"{name.removeprefix('closure_')} {_number(values[name].value)}" for name in _SHORT)


def _verdict(result: EvaluationResult, name: str, bars: Mapping[str, float]) -> str:
    if name not in bars:
        return ""
    return f"bar {bars[name]:g}: {'met' if is_met(result, name, bars[name]) else 'NOT met'}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"


def _undefined(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
