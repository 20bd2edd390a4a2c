"""`evaluate identity`: is the person of the video still the one of the picture, by a named face network?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from omnihuman.cli import evaluation_sources as sources
from omnihuman.cli.console import coded_errors, progress_bar


def identity(
    video: Annotated[Path, typer.Argument(help="The video.")],
    image: Annotated[Path, typer.Option("--image", help="The picture that it was made from.")],
    stranger: Annotated[
        Path | None, typer.Option("--stranger", help="A picture of somebody else, for the baseline.")
    ] = None,
    check: sources.Check = False,
    as_json: sources.AsJson = False,
    report: sources.Report = None,
) -> None:
    """Is it still the same person? Similarity of face vectors: mean, 5th percentile, drift, a stranger beside it."""
    with coded_errors(as_json):
        from omnihuman.evaluation.face_identity import embed_frames, embed_picture
        from omnihuman.evaluation.likeness import load_identity_settings, measure_identity
        from omnihuman.evaluation.output import check_report
        from omnihuman.media.footage import frame_rate, read_frames
        from omnihuman.media.image import read_image

        if report is not None:
            check_report(report, [path for path in (video, image, stranger) if path is not None])
        settings = load_identity_settings()
        pictures = [read_image(path) for path in (image, stranger) if path is not None]
        every = max(1, round(frame_rate(video) / settings.looks_per_s))
        with sources.open_hub() as hub, progress_bar(not as_json) as progress:
            face, lend = sources.face_of(hub), hub.handle(settings.network)
            known, *others = (embed_picture(picture, face, lend) for picture in pictures)
            seen = sources.counted(read_frames(video), video, "looking at the face", progress)
            frames = embed_frames(seen, face, lend, every)
        result = measure_identity(frames, known, others[0] if others else None, settings)
        record = sources.finish(result, settings.bars, report)
    sources.conclude(record, result, settings.bars, check, as_json)
