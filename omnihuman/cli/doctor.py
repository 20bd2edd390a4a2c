"""`doctor`: whether this machine can make videos, line by line, with the way out where it cannot."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from omnihuman.cli.console import coded_errors, show, transfer_bar

TOPIC_WIDTH = 16


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="First fetch the models that are missing or wrong.")] = False,
    preset: Annotated[str, typer.Option("--preset", help="Whose models are looked at and tried.")] = "motion",
) -> None:
    """Check versions, devices, codecs, folders and models, and render one second; downloads only with --fetch."""
    with coded_errors(as_json):
        from omnihuman.doctor.examine import examine
        from omnihuman.doctor.software import versions
        from omnihuman.modelhub.hub import ModelHub
        from omnihuman.pipeline.preset import load_preset, needed_models
        from omnihuman.types import AnimationRequest

        settings = load_preset(preset)
        findings = []
        with ModelHub.open() as hub:
            if fetch:
                spoken = AnimationRequest.model_validate({"image": "any", "say": "any"})
                with transfer_bar(enabled=not as_json) as progress:
                    hub.fetch(needed_models(settings, spoken), progress)
            for finding in examine(hub, preset):
                findings.append(finding)
                if not as_json:
                    sys.stdout.write(finding.as_line(TOPIC_WIDTH) + "\n")
                    sys.stdout.flush()
        counts = {verdict: sum(each.verdict == verdict for each in findings) for verdict in ("warning", "failed")}
        is_well = counts["failed"] == 0
        record = {"ok": is_well, "versions": versions(), "findings": [each.as_record() for each in findings]}
        verdict = "Videos can be made here" if is_well else "No video can be made here yet"
        show(record, [f"{verdict} (failed: {counts['failed']}, warnings: {counts['warning']})."], as_json)
        if not is_well:
            raise typer.Exit(3)
