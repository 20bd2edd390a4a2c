"""`bench`: how fast and how large, as ratios of one run, against the bars of the motion space."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnihuman.cli.console import coded_errors, progress_bar, show


def bench(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    out: Annotated[Path | None, typer.Option("--out", help="Also write the result as JSON.")] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", help="An earlier result (JSON); the change of each number is shown.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Under a minute: that it runs, not how fast.")] = False,
    preset: Annotated[str, typer.Option("--preset", help="A preset of the motion space.")] = "motion",
) -> None:
    """Measure speed and memory: frames against a remap and H.264, preparing, networks, whole runs."""
    with coded_errors(as_json):
        from omnihuman.bench.record import read_record, table, write_record
        from omnihuman.bench.run import QUICK, BenchPlan, run_bench
        from omnihuman.media.files import require_place
        from omnihuman.pipeline.generate import OmniHumanPipeline

        if out is not None:
            require_place(out)
        earlier = None if compare is None else read_record(compare)
        pipeline = OmniHumanPipeline.from_pretrained(preset)
        with progress_bar(not as_json) as progress:
            record = run_bench(pipeline, QUICK if quick else BenchPlan(), progress)
        if out is not None:
            write_record(out, record)
        show(record, [f"encoder: {record['settings']['encoder']}", *table(record, earlier)], as_json)
