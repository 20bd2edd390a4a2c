"""The plot of an ablation as an SVG: one panel per quantity, one row per variant, a dot per seed, a bar at the mean.

Drawn by hand: a plotting library would be the largest dependency of a page that is written once a day.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

_COLUMNS = 4
_LABEL_PX, _PANEL_PX, _GAP_PX, _ROW_PX, _HEAD_PX, _FOOT_PX, _TOP_PX = 150, 210, 24, 18, 44, 34, 30
_INK, _FAINT, _DOT, _MEAN, _TEACHER = "#222222", "#d8d8d8", "#3b6fb6", "#1d3f73", "#b5542b"
_CAPTION = "dot: one seed   |   bar: mean of the seeds   |   dashed: a take of the teacher"
_WORDS = {True: "higher is better", False: "lower is better", None: "as taught is best"}

Points = Mapping[str, Mapping[str, Sequence[float]]]
"""Variant -> quantity -> one number per seed."""


def draw(quantities: Mapping[str, tuple[str, bool | None]], teacher: Mapping[str, float], points: Points) -> str:
    """The whole picture.

    Args:
        quantities: Name -> unit and direction, in order.
        teacher: Quantity -> where the teacher stands; a dashed line.
        points: What was found.
    """
    columns = min(_COLUMNS, max(1, len(quantities)))
    rows = -(-len(quantities) // columns)
    high = _HEAD_PX + _ROW_PX * len(points) + _FOOT_PX
    width, height = _LABEL_PX + columns * (_PANEL_PX + _GAP_PX), _TOP_PX + rows * high
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="sans-serif" font-size="11" fill="{_INK}">',
        '<rect width="100%" height="100%" fill="white"/>',
        _text(_LABEL_PX, 20, _CAPTION, "start", 'fill="#777777"'),
    ]
    for number, (name, (unit, up)) in enumerate(quantities.items()):
        column, row = number % columns, number // columns
        left, top = _LABEL_PX + column * (_PANEL_PX + _GAP_PX), _TOP_PX + row * high
        found = {variant: list(own.get(name, ())) for variant, own in points.items()}
        if column == 0:
            parts += _labels(list(points), top)
        title = f"{name} [{unit}]" if unit else name
        parts.append(_text(left, top + 18, title, "start", 'font-weight="bold"'))
        parts.append(_text(left, top + 32, _WORDS[up], "start", 'fill="#777777"'))
        parts += _panel(found, teacher.get(name), left, top + _HEAD_PX)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _labels(variants: Sequence[str], top: float) -> list[str]:
    rows = enumerate(variants)
    return [_text(_LABEL_PX - 10, top + _HEAD_PX + _ROW_PX * (i + 0.5) + 4, name, "end") for i, name in rows]


def _panel(found: Mapping[str, Sequence[float]], teacher: float | None, left: float, top: float) -> list[str]:
    """Axis, rows and dots of one quantity."""
    numbers = [value for values in found.values() for value in values]
    numbers += [teacher] if teacher is not None else []
    if not numbers:
        return [_text(left, top + _ROW_PX, "not defined", "start")]
    ticks = _ticks(min(numbers), max(numbers))
    low, span = ticks[0], ticks[-1] - ticks[0]
    bottom = top + _ROW_PX * len(found)

    def x(value: float) -> float:
        return left + _PANEL_PX * (value - low) / span

    parts = [_line(x(tick), top, x(tick), bottom, _FAINT) for tick in ticks]
    parts += [_text(x(tick), bottom + 14, f"{tick:.4g}", "middle", 'font-size="10"') for tick in ticks]
    if teacher is not None:
        parts.append(_line(x(teacher), top, x(teacher), bottom, _TEACHER, 'stroke-dasharray="4 3"'))
    for row, values in enumerate(found.values()):
        y = top + _ROW_PX * (row + 0.5)
        parts += [f'<circle cx="{x(v):.1f}" cy="{y:.1f}" r="3" fill="{_DOT}" fill-opacity="0.6"/>' for v in values]
        if values:
            mean = x(sum(values) / len(values))
            parts.append(_line(mean, y - 7, mean, y + 7, _MEAN, 'stroke-width="2.5"'))
    return parts


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers that enclose a range, four to seven of them."""
    span = high - low or max(abs(low), 1.0) * 0.1
    raw = span / 4
    unit = 10.0 ** math.floor(math.log10(raw))
    step = next(unit * m for m in (1, 2, 2.5, 5, 10) if unit * m >= raw)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    last = max(last, first + 1)
    return [round(i * step, 10) for i in range(first, last + 1)]


def _text(x: float, y: float, words: str, anchor: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" {more}>{escape(words)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'
