"""`evaluate motion`: blinks, head, seams, drift, background of a video. `evaluate mimic`: against real clips."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnihuman.cli import evaluation_sources as sources
from omnihuman.cli.console import coded_errors, progress_bar

if TYPE_CHECKING:
    from omnihuman.evaluation.results import EvaluationResult
    from omnihuman.evaluation.tracks import FaceTracks
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.perception.face import FacePerception
    from omnihuman.types import Image, ProgressCallback, Sound


def motion(  # noqa: PLR0913 - one keyword per option
    video: Annotated[Path, typer.Argument(help="The video.")],
    background: Annotated[bool, typer.Option(help="Also measure how still the background stays.")] = True,
    against: Annotated[
        Path | None, typer.Option("--against", help="A real clip of a speaker whose sound drove the video.")
    ] = None,
    preset: sources.Preset = "motion",
    check: sources.Check = False,
    as_json: sources.AsJson = False,
    report: sources.Report = None,
) -> None:
    """Does the person move like a person? Blinks, head, seams of windows, drift of shape and texture, background."""
    with coded_errors(as_json):
        from omnihuman.evaluation.against import load_against_settings, measure_against
        from omnihuman.evaluation.motion import load_motion_settings, measure_motion, seams_s
        from omnihuman.evaluation.output import check_report
        from omnihuman.media.audio import read_sound
        from omnihuman.pipeline.preset import load_preset

        if report is not None:
            check_report(report, [path for path in (video, against) if path is not None])
        bars, sampler = load_motion_settings().bars, load_preset(preset).sampler
        with sources.open_hub() as hub, progress_bar(not as_json) as progress:
            face = sources.face_of(hub)
            tracks = sources.tracks_of(video, face, progress)
            result = measure_motion(tracks, seams_s(len(tracks.gap) / tracks.fps, sampler))
            if background:
                _add_pixels(result, video, hub, face, progress)
            if against is not None:
                settings = load_against_settings()
                real = sources.tracks_of(against, face, progress)
                result.measurements.update(measure_against(tracks, real, read_sound(against), settings))
                bars = bars | settings.bars
        bars = {name: bar for name, bar in bars.items() if name in result.measurements}
        record = sources.finish(result, bars, report)
    sources.conclude(record, result, bars, check, as_json)


def mimic(  # noqa: PLR0913 - one keyword per option
    clips: Annotated[list[Path], typer.Argument(help="Real clips of people who speak, with their own sound.")],
    image: Annotated[
        Path | None, typer.Option("--image", help="Picture that speaks; a frame of each clip when left out.")
    ] = None,
    max_lag: Annotated[
        float | None, typer.Option("--max-lag", min=0.0, max=2.0, help="Largest lag tried, seconds.")
    ] = None,
    seed: sources.Seed = 1,
    keep: sources.Keep = None,
    preset: sources.Preset = "motion",
    check: sources.Check = False,
    as_json: sources.AsJson = False,
    report: sources.Report = None,
) -> None:
    """Does the mouth move as the real speaker's did? Performs the sound of each clip and compares the lips."""
    with coded_errors(as_json):
        from omnihuman.evaluation.against import load_against_settings, mimic_clips, pool_against
        from omnihuman.evaluation.output import check_report
        from omnihuman.evaluation.performing import Performer, looker

        if report is not None:
            check_report(report, [path for path in (*clips, image) if path is not None])
        settings = load_against_settings()
        if max_lag is not None:
            settings = settings.model_copy(update={"max_lag_s": max_lag})
        with sources.open_hub() as hub, progress_bar(not as_json) as progress:
            look, pipeline = looker(sources.face_of(hub)), sources.pipeline_of(preset, hub)

            def perform(picture: Path | Image, sound: Sound, name: str) -> FaceTracks:
                return Performer(pipeline, picture, seed, look, keep=keep).perform(sound, name)

            result = pool_against(mimic_clips(clips, image, perform, look, settings, progress))
        record = sources.finish(result, settings.bars, report)
    sources.conclude(record, result, settings.bars, check, as_json)


def _add_pixels(
    result: EvaluationResult, video: Path, hub: ModelHub, face: FacePerception, progress: ProgressCallback | None
) -> None:
    """What takes looking at the pixels: the background, and the texture of the face."""
    from omnihuman.evaluation.appearance import measure_appearance
    from omnihuman.evaluation.background import measure_background
    from omnihuman.media.footage import read_frames
    from omnihuman.perception.matte import PersonMatte

    def read(stage: str) -> Iterator[Image]:
        return sources.counted(read_frames(video), video, stage, progress)

    matte, num_frames = PersonMatte(hub.handle("person-matte")), int(result.facts["frames"])
    result.measurements["background_change"] = measure_background(lambda: read("background"), num_frames, face, matte)
    result.measurements.update(measure_appearance(lambda: read("texture"), num_frames, face))
