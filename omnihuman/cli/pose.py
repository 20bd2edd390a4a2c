"""`pose`: a person in a video or picture -> key points, and key points -> a drawn skeleton."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnihuman.cli.console import coded_errors, progress_bar, show
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.perception.tracker import PersonTracker

app = typer.Typer(name="pose", help="Key points of a person: extract and draw.", no_args_is_help=True)

PRESET = "motion"
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")]


@app.command()
def extract(
    source: Annotated[Path, typer.Argument(help="Video or picture of a person.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The JSON to write.")],
    person: Annotated[int, typer.Option("--person", min=1, max=64, help="Which person, 1 = the largest face.")] = 1,
    draw: Annotated[Path | None, typer.Option("--draw", help="Also write the skeleton over the video, as mp4.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Find a person's 133 key points in every frame."""
    with coded_errors(as_json):
        from omnihuman.pipeline.check import check_places
        from omnihuman.pipeline.pose_track import draw_pose, extract_pose

        check_places([out], ".json", [source])
        check_places([] if draw is None else [draw], ".mp4", [source, out])
        with progress_bar(enabled=not (quiet or as_json)) as progress:
            facts = extract_pose(source, out, _tracker(), person, progress)
            if draw is not None:
                draw_pose(out, draw, size=None, over=source, progress=progress)
    record = {"pose": str(out), **facts, **({} if draw is None else {"video": str(draw)})}
    seen = ", ".join(f"{part} {share:.0%}" for part, share in facts["seen"].items())
    show(record, [f"{out}: {facts['frames']} frames at {facts['fps']:g} fps; seen: {seen}"], as_json)


@app.command(name="draw")
def draw_command(
    pose: Annotated[Path, typer.Argument(help="Pose track: JSON of 'pose extract'.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The mp4 to write.")],
    size: Annotated[str | None, typer.Option("--size", help="WIDTHxHEIGHT; that of the track when left out.")] = None,
    over: Annotated[Path | None, typer.Option("--over", help="Draw over this video instead of black.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Draw a pose track as a skeleton in the usual colours."""
    with coded_errors(as_json):
        from omnihuman.pipeline.check import check_places
        from omnihuman.pipeline.pose_track import draw_pose

        check_places([out], ".mp4", [path for path in (pose, over) if path is not None])
        with progress_bar(enabled=not (quiet or as_json)) as progress:
            facts = draw_pose(pose, out, _parsed_size(size), over, progress)
    line = f"{out}: {facts['frames']} frames, {facts['width']} x {facts['height']}, {facts['fps']:g} fps"
    show({"video": str(out), **facts}, [line], as_json)


def _parsed_size(size: str | None) -> tuple[int, int] | None:
    if size is None:
        return None
    parts = size.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and len(part) <= 4 and 64 <= int(part) <= 8192 for part in parts):
        raise InputError("size_invalid", f"{size[:40]!r} is no size", "Write WIDTHxHEIGHT, each 64 to 8192.")
    return int(parts[0]), int(parts[1])


def _tracker() -> PersonTracker:
    """The tracker of the default preset; its models are fetched when they are missing."""
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.pipeline.assemble import tracker_of
    from omnihuman.pipeline.preset import load_preset

    return tracker_of(load_preset(PRESET).models, ModelHub.open())
