"""Results of the runs -> mean and standard deviation over seeds: a JSON record, a Markdown table, a plot.

Written after every run, so that a stopped ablation leaves the table of what it has.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omnihuman.evaluation.ablation.claims import Verdict, judge_claims
from omnihuman.evaluation.ablation.plot import draw
from omnihuman.evaluation.ablation.result import RunResult
from omnihuman.evaluation.ablation.settings import AblationSettings, Variant
from omnihuman.evaluation.ablation.spread import Spread
from omnihuman.media.files import write_whole
from omnihuman.metrics.measurement import Measurement

TEACHER = "teacher"
"""The row of one more take of the teacher: what a perfect student of the same lessons would reach."""
_TABLE_COLUMNS = 6
"""Quantities side by side; more do not fit a page."""


@dataclass(frozen=True)
class Summary:
    """What is known so far.

    Attributes:
        settings: The ablation.
        quantities: Name -> unit and direction, in the order of the report.
        teacher: Quantity -> number.
        table: Variant -> quantity -> spread; variants without a result are left out.
        cpu_s: Of all finished trainings.
    """

    settings: AblationSettings
    quantities: dict[str, tuple[str, bool | None]]
    teacher: dict[str, float]
    table: dict[str, dict[str, Spread]]
    cpu_s: float

    @property
    def shown(self) -> list[Variant]:
        """Variants with a result, in the order of the settings."""
        return [variant for variant in self.settings.variants if variant.name in self.table]


def summarize(settings: AblationSettings, results: Sequence[RunResult], teacher: Mapping[str, Measurement]) -> Summary:
    """Collects results by variant."""
    quantities: dict[str, tuple[str, bool | None]] = {}
    for result in results:
        for name, record in result.measurements.items():
            quantities.setdefault(name, (record["unit"], record["higher_is_better"]))
    table: dict[str, dict[str, Spread]] = {}
    for variant in settings.variants:
        own = [result for result in results if result.variant == variant.name]
        if own:
            table[variant.name] = {
                name: Spread({r.seed: value for r in own if (value := r.value(name)) is not None})
                for name in quantities
            }
    known = {name: record["value"] for name, m in teacher.items() if (record := m.as_record())["value"] is not None}
    return Summary(settings, quantities, known, table, sum(result.cpu_s for result in results))


def record_of(summary: Summary) -> dict[str, Any]:
    """Everything as one JSON-ready record."""
    settings = summary.settings
    verdicts = judge_claims(settings.claims, summary.table)
    return {
        "settings": settings.model_dump(mode="json"),
        "quantities": {n: {"unit": unit, "higher_is_better": up} for n, (unit, up) in summary.quantities.items()},
        "teacher": summary.teacher,
        "variants": {
            variant.name: {
                "axis": variant.axis,
                "quantities": {
                    name: {"mean": spread.mean, "deviation": spread.deviation, "seeds": spread.values}
                    for name, spread in summary.table[variant.name].items()
                },
            }
            for variant in summary.shown
        },
        "claims": [asdict(verdict) | {"claim": verdict.claim.model_dump()} for verdict in verdicts],
        "runs_finished": sum(_seeds(summary, variant.name) for variant in summary.shown),
        "runs": len(settings.variants) * len(settings.seeds),
        "core_hours": round(summary.cpu_s / 3600, 3),
    }


def page_of(summary: Summary) -> str:
    """The Markdown page: tables of variants by quantities, what was changed, how it was measured."""
    settings, record = summary.settings, record_of(summary)
    names = list(summary.quantities)
    lines = [
        "# Ablation",
        "",
        f"{record['runs_finished']} of {record['runs']} runs, {settings.base.steps} steps of "
        f"{settings.base.batch_size} windows each, {record['core_hours']} core-hours of training. Mean \u00b1 standard "
        f"deviation over seeds; {settings.judging.clips} held-out clips of {settings.judging.seconds:g} s.",
    ]
    for first in range(0, len(names), _TABLE_COLUMNS):
        lines += _table(summary, names[first : first + _TABLE_COLUMNS])
    lines += _claims(summary)
    lines += ["", "| quantity | unit | better |", "| --- | --- | --- |"]
    words = {True: "higher", False: "lower", None: "as taught"}
    lines += [f"| {name} | {unit} | {words[up]} |" for name, (unit, up) in summary.quantities.items()]
    lines += ["", "| variant | axis | changes |", "| --- | --- | --- |"]
    lines += [f"| {v.name} | {v.axis} | {_changes(v)} |" for v in settings.variants]
    return "\n".join(lines) + "\n"


def _claims(summary: Summary) -> list[str]:
    """What was claimed, and whether the runs bear it out."""
    verdicts = judge_claims(summary.settings.claims, summary.table)
    if not verdicts:
        return []
    lines = [
        "",
        "| claim | quantity | variant | has | than | difference \u00b1 standard error | |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    return lines + [
        f"| {v.claim.words} | {v.claim.quantity} | {v.claim.more} | {v.claim.relation.replace('_', ' ')} | "
        f"{v.claim.less} | {_difference(v)} | {v.word} |"
        for v in verdicts
    ]


def _difference(verdict: Verdict) -> str:
    if verdict.difference is None:
        return "-"
    return f"{verdict.difference:+.3f}" + ("" if verdict.error is None else f" \u00b1 {verdict.error:.3f}")


def _table(summary: Summary, names: Sequence[str]) -> list[str]:
    """Variants by some of the quantities."""
    lines = ["", "| variant | seeds | " + " | ".join(names) + " |", "| --- | --- |" + " --- |" * len(names)]
    lines.append(f"| {TEACHER} | | " + " | ".join(_teacher_cell(summary, name) for name in names) + " |")
    for variant in summary.shown:
        cells = [summary.table[variant.name][name].text() for name in names]
        lines.append(f"| {variant.name} | {_seeds(summary, variant.name)} | " + " | ".join(cells) + " |")
    return lines


def write_report(summary: Summary, folder: Path) -> list[Path]:
    """Writes report.json, report.md and report.svg into the folder, each aside first.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    texts = {
        "report.json": json.dumps(record_of(summary), indent=1) + "\n",
        "report.md": page_of(summary),
        "report.svg": draw(summary.quantities, summary.teacher, _points(summary)),
    }
    paths = []
    for name, text in texts.items():
        write_whole(folder / name, text.encode())
        paths.append(folder / name)
    return paths


def _points(summary: Summary) -> dict[str, dict[str, list[float]]]:
    """Variant -> quantity -> one number per seed."""
    return {
        variant.name: {name: list(spread.values.values()) for name, spread in summary.table[variant.name].items()}
        for variant in summary.shown
    }


def _seeds(summary: Summary, variant: str) -> int:
    return max((len(spread.values) for spread in summary.table[variant].values()), default=0)


def _teacher_cell(summary: Summary, name: str) -> str:
    return f"{summary.teacher[name]:.3f}" if name in summary.teacher else "-"


def _changes(variant: Variant) -> str:
    """What a variant changes; whole stages in short."""
    if not variant.changes:
        return "none"
    return "; ".join(f"`{place}` = {_short(value)}" for place, value in variant.changes.items())


def _short(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join(f"{stage.get('name')} {stage.get('steps')}" for stage in value)
    return str(value)
