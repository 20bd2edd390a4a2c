"""`animate`: one request in, one mp4 and its JSON out. Options come from the request schema (`schema.py`)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from omnihuman.cli.console import coded_errors, show, warn
from omnihuman.cli.item_view import ItemView
from omnihuman.cli.schema import option_name, takes_request
from omnihuman.pipeline.check import check_request
from omnihuman.pipeline.preset import load_preset
from omnihuman.runner.run import RunOptions, run_item
from omnihuman.runner.stop import Stop, stopped_by_signals
from omnihuman.types import AnimationResult, build_request


@takes_request
def animate(
    out: Annotated[Path, typer.Option("--out", "-o", help="The mp4 to write; a JSON of the same name goes beside it.")],
    device: Annotated[
        str, typer.Option("--device", help="Where the networks run: auto, cpu, cuda, cuda:1, mps.")
    ] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
    **fields: Any,
) -> None:
    """Animate one picture by a sound, a text to speak, a driving video, a pose track or a sentence."""
    with coded_errors(as_json):
        request = build_request(fields, option_name)
        check_request(request, out)
        load_preset(request.preset)
        stop = Stop()
        with ItemView(is_watched=not (quiet or as_json)) as view, stopped_by_signals(stop):
            outcome = run_item(request, out, RunOptions(device=device), view, stop)
        if outcome.trace is not None:
            sys.stderr.write(outcome.trace.rstrip() + "\n")
        result = outcome.result_or_raise()
    report(result, as_json)


def report(result: AnimationResult, as_json: bool) -> None:
    """Tells what was made and where, warnings first."""
    facts = result.facts
    for text in facts["warnings"]:
        warn(text)
    video = str(result.video)
    record = {"video": video, "duration_s": result.duration_s, "fps": result.fps, "seed": result.seed, "facts": facts}
    size = f"{facts['video']['width']} x {facts['video']['height']}"
    line = f"{video}: {result.duration_s:.2f} s, {size}, {result.fps:g} fps, seed {result.seed}"
    show(record, [line, f"made in {facts['timing']['total_s']:.1f} s; marked as AI-generated"], as_json)
