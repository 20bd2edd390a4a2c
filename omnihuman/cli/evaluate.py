"""`evaluate`: measure finished videos - lips against sound, motion, or a contact sheet for the eye - and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnihuman.cli import evaluation_sources as sources
from omnihuman.cli.console import coded_errors, progress_bar, show
from omnihuman.cli.evaluate_identity import identity
from omnihuman.cli.evaluate_motion import mimic, motion
from omnihuman.cli.evaluate_pictures import pictures
from omnihuman.cli.evaluate_sync import sync
from omnihuman.cli.evaluate_text import text
from omnihuman.cli.evaluate_together import together
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.evaluation.contact_sheet import Moment
    from omnihuman.modelhub.hub import ModelHub

app = typer.Typer(name="evaluate", help="Measure a finished video, or how pictures move.", no_args_is_help=True)
for command in (sync, motion, mimic, together, identity, pictures, text):
    app.command()(command)

OneVideo = Annotated[Path, typer.Argument(help="The video.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Report = Annotated[Path | None, typer.Option("--report", help="Also write the result to this JSON file.")]


@app.command()
def drive(
    driver: Annotated[Path, typer.Argument(help="The driving video.")],
    video: Annotated[Path, typer.Argument(help="The result.")],
    check: Annotated[bool, typer.Option("--check", help="End with status 1 when a bar is missed.")] = False,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Does the result follow its driver? Head, lips, lids, blinks, shoulders and arms, found afresh in both videos."""
    with coded_errors(as_json):
        from omnihuman.evaluation.driving import bars_for, load_driving_settings, measure_driving
        from omnihuman.evaluation.output import check_report, write_report
        from omnihuman.evaluation.report import lines_of, record_of
        from omnihuman.evaluation.results import all_met

        if report is not None:
            check_report(report, [driver, video])
        settings = load_driving_settings()
        with sources.open_hub() as hub, progress_bar(not as_json) as progress:
            watched, made = (sources.person_of(path, hub, progress) for path in (driver, video))
        result = measure_driving(watched, made, settings)
        bars = bars_for(result, settings)
        record = record_of(result, bars)
        if report is not None:
            write_report(report, record)
    show(record, lines_of(result, bars), as_json)
    if check and not all_met(result, bars):
        raise typer.Exit(1)


@app.command()
def sheet(
    video: OneVideo,
    out: Annotated[Path, typer.Option("--out", "-o", help="The PNG to write.")],
    times: Annotated[str | None, typer.Option("--times", help="Seconds, comma separated: 0.5,1.24,2")] = None,
    phones: Annotated[
        Path | None, typer.Option("--phones", help="JSON with phone times: shows p, b, m and open vowels.")
    ] = None,
    transcript: Annotated[str | None, typer.Option("--transcript", help="What is said, instead of --phones.")] = None,
    audio: Annotated[Path | None, typer.Option("--audio", help="The original sound for --transcript.")] = None,
    whole: Annotated[bool, typer.Option("--whole", help="Show whole frames instead of the face.")] = False,
) -> None:
    """Chosen frames side by side, with phone and time."""
    with coded_errors(False):
        from omnihuman.evaluation.contact_sheet import contact_sheet, crop_faces, pick_frames, write_png
        from omnihuman.evaluation.output import check_picture
        from omnihuman.media.footage import frame_rate, read_frames

        check_picture(out, [path for path in (video, phones, audio) if path is not None])
        with sources.open_hub() as hub:
            moments = _moments(video, times, phones, transcript, audio, hub)
            frames = pick_frames(read_frames(video), frame_rate(video), moments)
            tiles = frames if whole else crop_faces(frames, sources.face_of(hub))
        write_png(out, contact_sheet(tiles, moments, columns=8, tile_px=220))
    show({"sheet": str(out)}, [f"{out}: {len(moments)} frames"], as_json=False)


def _moments(
    video: Path, times: str | None, phones: Path | None, transcript: str | None, audio: Path | None, hub: ModelHub
) -> list[Moment]:
    from omnihuman.evaluation.contact_sheet import moments_at, moments_of
    from omnihuman.evaluation.phone_times import read_phones
    from omnihuman.media.audio import read_sound

    if times is not None:
        return moments_at(times)
    if phones is not None:
        return moments_of(read_phones(phones), per_kind=12)
    if transcript is not None:
        return moments_of(sources.aligned(read_sound(audio or video), transcript, hub), per_kind=12)
    raise InputError("times_needed", "nothing says which frames to show", "Give --times, --phones or --transcript.")
