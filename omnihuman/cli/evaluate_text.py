"""`evaluate text`: does the motion do what a sentence asks? Held-out sentences per style, onset, lips; no drawing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from omnihuman.cli import evaluation_sources as sources
from omnihuman.cli.console import coded_errors, progress_bar, show
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.evaluation.prompts import PromptSettings
    from omnihuman.evaluation.text_response import StyleResponse
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.types import ProgressCallback


def text(  # noqa: PLR0913 - one keyword per option
    style: Annotated[list[str] | None, typer.Option("--style", help="Only this style; may be repeated.")] = None,
    preset: Annotated[str, typer.Option(help="A preset of the motion space.")] = "motion",
    seed: Annotated[int, typer.Option(min=0, help="Of every take.")] = 0,
    chart: Annotated[Path | None, typer.Option("--chart", help="Also draw the shares into this SVG file.")] = None,
    report: sources.Report = None,
    check: sources.Check = False,
    as_json: sources.AsJson = False,
) -> None:
    """Does the motion do what a text asks? Twenty unseen sentences per style, with and without, nothing drawn."""
    with coded_errors(as_json):
        from omnihuman.evaluation.output import check_report, write_report, write_text
        from omnihuman.evaluation.prompts import load_prompt_settings
        from omnihuman.evaluation.text_report import chart_of, record_of, rows_of

        settings = load_prompt_settings()
        names = _chosen(style or [], settings)
        if report is not None:
            check_report(report, [])
        if chart is not None:
            check_report(chart, [path for path in (report,) if path is not None], ".svg")
        with sources.open_hub() as hub, progress_bar(enabled=not as_json) as progress:
            responses = _responses(hub, preset, seed, settings, names, progress)
        record = record_of(responses, settings.bars) | {"seed": seed, "preset": preset}
        if report is not None:
            write_report(report, record)
        if chart is not None:
            write_text(chart, chart_of(responses, settings.bars))
    if as_json:
        show(record, [], as_json)
    else:
        _print_table(rows_of(responses, settings.bars), record)
    if check and not record["met"]:
        raise typer.Exit(1)


def _chosen(wanted: Sequence[str], settings: PromptSettings) -> list[str]:
    """The styles to judge, all where none is named."""
    from omnihuman.config import nearest

    known = list(settings.by_style())
    for name in wanted:
        if name not in known:
            raise InputError("style_unknown", f"there is no style '{name}'", nearest(name, known))
    return list(wanted) or known


def _responses(  # noqa: PLR0913 - what a run is made of
    hub: ModelHub,
    preset: str,
    seed: int,
    settings: PromptSettings,
    names: Sequence[str],
    progress: ProgressCallback | None,
) -> list[StyleResponse]:
    from omnihuman.evaluation.acting import PromptedActor
    from omnihuman.evaluation.suite import load_sync_settings
    from omnihuman.evaluation.text_response import TextJudge
    from omnihuman.pipeline.assemble import assemble
    from omnihuman.pipeline.progress import ProgressMeter, Stage
    from omnihuman.training.teacher.styles import load_styles

    parts = assemble(preset, hub)
    meter = ProgressMeter(progress, [Stage("styles", len(names), 8.0)])
    with parts.voice() as voice:
        spoken = [voice.speak(sentence) for sentence in settings.sentences]
    actor = PromptedActor(parts, [speech.sound for speech in spoken], seed)
    phones = [speech.phones for speech in spoken]
    judge = TextJudge(actor.act, phones, settings, load_styles(), load_sync_settings())
    return list(judge.judge(meter.each("styles", names)))


def _print_table(rows: Sequence[Sequence[str]], record: dict[str, Any]) -> None:
    titles, *body = rows
    table = Table(
        title="unseen sentences, same chance with and without; ! = bar missed", box=SIMPLE, padding=(0, 1, 0, 0)
    )
    for head in titles:
        table.add_column(head, justify="left" if head == "style" else "right")
    for row in body:
        table.add_row(*row)
    console = Console()
    console.print(table)
    met = sum(style["met"] for style in record["styles"].values())
    console.print(f"{met} of {len(body)} styles meet their bars; closure F1 loss of all: {record['closure_loss']:+.3f}")
