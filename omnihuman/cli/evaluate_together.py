"""`evaluate together`: three performances of one picture - driver, sound, both - and what they share."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnihuman.cli import evaluation_sources as sources
from omnihuman.cli.console import coded_errors, progress_bar
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.speech.inventory import TimedPhone
    from omnihuman.types import Sound


def together(  # noqa: PLR0913 - one keyword per option
    image: Annotated[Path, typer.Option("--image", help="The picture.")],
    audio: Annotated[Path, typer.Option("--audio", help="The speech.")],
    drive: Annotated[Path, typer.Option("--drive", help="The driving video.")],
    transcript: Annotated[
        str | None, typer.Option("--transcript", help="What is said (English, numbers as words); needs pocketsphinx.")
    ] = None,
    phones: Annotated[Path | None, typer.Option("--phones", help="JSON with the phone times.")] = None,
    heard: Annotated[
        bool, typer.Option("--heard", help="Take the phones that the product itself hears: self-consistency.")
    ] = False,
    seed: sources.Seed = 1,
    keep: sources.Keep = None,
    preset: sources.Preset = "motion",
    check: sources.Check = False,
    as_json: sources.AsJson = False,
    report: sources.Report = None,
) -> None:
    """Do signals add up? Body as from the driver alone, lips as from the sound alone."""
    with coded_errors(as_json):
        from omnihuman.evaluation.output import check_report
        from omnihuman.evaluation.suite import load_sync_settings
        from omnihuman.evaluation.together import (
            compare_bodies,
            compare_lips,
            load_together_settings,
            measure_together,
        )
        from omnihuman.media.audio import read_sound
        from omnihuman.pipeline.progress import ProgressMeter, Stage

        sources.refuse_check(check, heard)
        if report is not None:
            check_report(report, [path for path in (image, audio, drive, phones) if path is not None])
        settings, sound = load_together_settings(), read_sound(audio)
        with sources.open_hub() as hub, progress_bar(not as_json) as progress, tempfile.TemporaryDirectory() as aside:
            said = _phones(sound, transcript, phones, heard, hub)
            pipeline, folder = sources.pipeline_of(preset, hub), keep or Path(aside)
            folder.mkdir(parents=True, exist_ok=True)
            meter = ProgressMeter(progress, [Stage("performances", 3, 30.0), Stage("looking", 4, 20.0)])
            driven: dict[str, dict[str, Any]] = {"pose": {"drive": drive}, "sound": {"audio": audio}}
            driven["both"] = driven["pose"] | driven["sound"]
            for name in meter.each("performances", list(driven)):
                pipeline(image, seed=seed, output=folder / f"{name}.mp4", **driven[name])
            looked = meter.each("looking", [drive, *(folder / f"{name}.mp4" for name in ("pose", "both"))])
            driver, pose, both = (sources.person_of(path, hub) for path in looked)
            face = sources.face_of(hub)
            lips = [sources.tracks_of(folder / f"{name}.mp4", face) for name in ("sound", "both")]
            meter.advance("looking")
            at_rest = sources.lips_of_picture(image, hub)
        bodies = compare_bodies(driver, pose, both, settings.least_motion_deg)
        result = measure_together(bodies, compare_lips(lips[0], lips[1], said, sound, load_sync_settings()))
        result.facts.update(at_rest | {"phones": sources.phones_label(heard)})
        bars = {} if heard else settings.bars
        record = sources.finish(result, bars, report)
    sources.conclude(record, result, bars, check, as_json)


def _phones(sound: Sound, transcript: str | None, phones: Path | None, heard: bool, hub: ModelHub) -> list[TimedPhone]:
    from omnihuman.evaluation.phone_times import read_phones

    if (transcript is not None) + (phones is not None) + heard != 1:
        raise InputError("phones_needed", "phone times are needed once", "Give --phones, --transcript or --heard.")
    if phones is not None:
        return read_phones(phones)
    return sources.heard(sound, hub) if transcript is None else sources.aligned(sound, transcript, hub)
