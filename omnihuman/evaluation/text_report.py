"""Responses to sentences -> rows of a table, a JSON-ready record, and a bar chart as SVG. Measures nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from omnihuman.evaluation.prompts import TextBars
from omnihuman.evaluation.text_response import StyleResponse, pooled_closure_loss

_ROW_PX, _LEFT_PX, _WIDTH_PX = 22, 130, 420
_GOOD, _SHORT, _INK = "#3b7ea1", "#c4572f", "#222222"


def is_met(response: StyleResponse, bars: TextBars) -> bool:
    """Whether a style reaches the bars of single styles; an onset that is not known does not."""
    return (
        response.share >= bars.share and abs(response.onset_s) <= bars.onset_s and response.bystander <= bars.bystander
    )


def record_of(responses: Sequence[StyleResponse], bars: TextBars) -> dict[str, Any]:
    """Everything as one JSON-ready record."""
    loss = pooled_closure_loss(responses)
    return {
        "bars": bars.model_dump(),
        "closure_loss": _number(loss),
        "met": all(is_met(response, bars) for response in responses) and loss <= bars.closure_loss,
        "styles": {
            response.name: {
                "statistic": response.statistic,
                "share": response.share,
                "before": response.before,
                "after": response.after,
                "bystander": _number(response.bystander),
                "onset_s": _number(response.onset_s),
                "closure_loss": _number(response.closure_loss),
                "met": is_met(response, bars),
                "missed": list(response.missed),
            }
            for response in responses
        },
    }


def rows_of(responses: Sequence[StyleResponse], bars: TextBars) -> list[list[str]]:
    """A title row, then one row per style; `!` marks a bar that is missed."""
    rows = [["style", "right way", "before", "after", "neutral", "onset s", "closure F1 loss"]]
    for response in responses:
        onset = "-" if math.isnan(response.onset_s) else f"{response.onset_s:+.2f}"
        rows.append(
            [
                response.name,
                f"{response.share:.2f}{'' if response.share >= bars.share else ' !'}",
                f"{response.before:.2f}",
                f"{response.after:.2f}",
                f"{response.bystander:.2f}{'' if response.bystander <= bars.bystander else ' !'}",
                f"{onset}{'' if abs(response.onset_s) <= bars.onset_s else ' !'}",
                f"{response.closure_loss:+.3f}",
            ]
        )
    return rows


def chart_of(responses: Sequence[StyleResponse], bars: TextBars) -> str:
    """The shares as a bar chart, SVG."""
    height = _ROW_PX * (len(responses) + 2)
    bar_x = _LEFT_PX + _WIDTH_PX * bars.share
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_LEFT_PX + _WIDTH_PX + 60}" height="{height}" '
        f'font-family="sans-serif" font-size="12" fill="{_INK}">',
        f'<rect width="100%" height="100%" fill="#ffffff"/><text x="{_LEFT_PX}" y="15">'
        "share of unseen sentences that move their style's statistic the right way</text>",
    ]
    for number, response in enumerate(responses, 1):
        y = _ROW_PX * number
        colour = _GOOD if response.share >= bars.share else _SHORT
        parts += [
            f'<text x="{_LEFT_PX - 8}" y="{y + 15}" text-anchor="end">{escape(response.name)}</text>',
            f'<rect x="{_LEFT_PX}" y="{y + 3}" width="{_WIDTH_PX * response.share:.1f}" height="{_ROW_PX - 6}" '
            f'fill="{colour}"/>',
            f'<text x="{_LEFT_PX + _WIDTH_PX * response.share + 6:.1f}" y="{y + 15}">{response.share:.2f}</text>',
        ]
    foot = _ROW_PX * (len(responses) + 1)
    parts.append(
        f'<line x1="{bar_x:.1f}" x2="{bar_x:.1f}" y1="{_ROW_PX}" y2="{foot}" stroke="{_INK}" stroke-dasharray="4 3"/>'
    )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
