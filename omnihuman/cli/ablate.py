"""`ablate`: variants of one training recipe, trained, judged, compared. Thin: see omnihuman.evaluation.ablation."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnihuman.cli.console import coded_errors, show
from omnihuman.cli.train import throttled
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.evaluation.ablation.judge import Judge
    from omnihuman.evaluation.ablation.report import Summary
    from omnihuman.evaluation.ablation.run import Ablation

OUT = Path("outputs/ablation")


def ablate(
    config: Annotated[Path, typer.Argument(help="An ablation, such as configs/training/ablation.yaml.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder of the runs and of the report.")] = OUT,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Runs at the same time, each on one core.")] = 1,
    only: Annotated[list[str] | None, typer.Option("--only", help="Only this variant; may be given again.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what it will cost.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")] = False,
) -> None:
    """Compare training recipes; run it again to go on where it stopped, a finished run is never repeated."""
    with coded_errors(as_json):
        whole, ablation = _open(config, out, tuple(only or ()), as_json)
        if dry_run:
            record, lines = _cost(ablation)
        else:
            record, lines = _run(whole, ablation, jobs, as_json)
    show(record, lines, as_json)


def _open(config: Path, out: Path, only: tuple[str, ...], as_json: bool) -> tuple[Ablation, Ablation]:
    """The whole ablation, which is reported, and the part of it that is to be run."""
    from omnihuman.evaluation.ablation.run import Ablation
    from omnihuman.evaluation.ablation.settings import read_ablation

    settings = read_ablation(config)
    if not next(place for place in (out, *out.absolute().parents) if place.exists()).is_dir():
        raise InputError("output_invalid", f"{out.name!r} is no folder", "Name a folder with --out.")
    today, say = datetime.date.today().isoformat(), throttled(as_json)
    return Ablation(settings, out, today, say), Ablation(settings.only(only), out, today, say)


def _cost(ablation: Ablation) -> tuple[dict[str, Any], list[str]]:
    from dataclasses import asdict

    from omnihuman.evaluation.ablation.cost import estimate

    cost = estimate(ablation)
    return {**asdict(cost), "core_hours": cost.core_hours}, [cost.line()]


def _run(whole: Ablation, ablation: Ablation, jobs: int, as_json: bool) -> tuple[dict[str, Any], list[str]]:
    """Trains and judges what is missing, and writes the report of everything that the folder holds."""
    from omnihuman.evaluation.ablation.report import record_of, write_report
    from omnihuman.evaluation.ablation.run import workers

    whole.results()  # A folder that holds something else is refused before the work.
    if len(ablation.results()) < len(ablation.runs):
        if not as_json:
            typer.echo(_cost(ablation)[1][0], err=True)
        ablation.draw_windows()
        # Speech to judge on is made before the processes part.
        _ = ablation.held_out
        with workers(ablation, min(jobs, len(ablation.runs)) - 1):
            ablation.work(jobs, lambda: _report(whole, ablation.judge))
    summary = _report(whole, ablation.judge)
    paths = write_report(summary, ablation.out)
    record = {**record_of(summary), "files": [str(path) for path in paths]}
    return record, [*_lines(summary), f"report, table and plot: {ablation.out}"]


def _report(ablation: Ablation, judge: Judge) -> Summary:
    from omnihuman.evaluation.ablation.report import summarize, write_report

    summary = summarize(ablation.settings, ablation.results(), judge.measure_teacher())
    write_report(summary, ablation.out)
    return summary


def _lines(summary: Summary) -> list[str]:
    """The quantities that a terminal has room for."""
    names = [
        name for name in ("lip_correlation", "closure_f1", "head_spread", "distance") if name in summary.quantities
    ]
    lines = [f"{'':<24}" + "".join(f"{name:>20}" for name in names)]
    for variant in summary.shown:
        cells = "".join(f"{summary.table[variant.name][name].text():>20}" for name in names)
        lines.append(f"{variant.name:<24}{cells}")
    return lines
