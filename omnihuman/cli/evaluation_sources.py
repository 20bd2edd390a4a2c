"""What the commands of `evaluate` share: options, hub, face, tracks, phones, how they end. No command of its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from omnihuman.cli.console import show
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from omnihuman.evaluation.results import Bar, EvaluationResult
    from omnihuman.evaluation.tracks import FaceTracks
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.perception.face import FacePerception
    from omnihuman.perception.person import PersonTrack
    from omnihuman.pipeline.generate import OmniHumanPipeline
    from omnihuman.speech.inventory import TimedPhone
    from omnihuman.types import Image, ProgressCallback, Sound

Item = TypeVar("Item")
_FRAME_PRIOR_S = 0.04
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Report = Annotated[Path | None, typer.Option("--report", help="Also write the result to this JSON file.")]
Check = Annotated[bool, typer.Option("--check", help="End with status 1 when a bar is missed.")]
Preset = Annotated[str, typer.Option("--preset", help="A preset of the motion space.")]
Seed = Annotated[int, typer.Option(min=0, help="Of the performances.")]
Keep = Annotated[Path | None, typer.Option("--keep", help="Folder in which the performed videos stay.")]


def open_hub() -> ModelHub:
    """The hub of this checkout."""
    from omnihuman.modelhub.hub import ModelHub

    return ModelHub.open()


def face_of(hub: ModelHub) -> FacePerception:
    """What finds faces."""
    from omnihuman.perception.face import FacePerception

    return FacePerception(hub.handle("face-detector"), hub.handle("face-mesh"))


def counted(frames: Iterable[Item], video: Path, stage: str, progress: ProgressCallback | None) -> Iterator[Item]:
    """The frames of a video, each told when it has been used."""
    from omnihuman.media.footage import video_facts
    from omnihuman.pipeline.progress import ProgressMeter, Stage

    facts = video_facts(video)
    total = max(1, round(facts.fps * (facts.duration_s or 0.0)))
    meter = ProgressMeter(progress, [Stage(stage, total, _FRAME_PRIOR_S)])
    meter.advance(stage, 0)
    for frame in frames:
        yield frame
        meter.advance(stage)


def tracks_of(video: Path, face: FacePerception, progress: ProgressCallback | None = None) -> FaceTracks:
    """The face of a finished video."""
    from omnihuman.evaluation.tracks import track_face
    from omnihuman.media.footage import frame_rate, read_frames

    return track_face(counted(read_frames(video), video, "looking at the face", progress), frame_rate(video), face)


def pipeline_of(preset: str, hub: ModelHub) -> OmniHumanPipeline:
    """The product, sharing the hub; a picture that comes again is not prepared again."""
    from omnihuman.evaluation.prepared_once import preparing_once
    from omnihuman.pipeline.generate import OmniHumanPipeline

    return preparing_once(OmniHumanPipeline.from_pretrained(preset, hub=hub))


def aligned(sound: Sound, transcript: str, hub: ModelHub) -> list[TimedPhone]:
    """When each phone of a transcript is said; words that the aligner lacks are pronounced by the built-in voice."""
    from omnihuman.evaluation.alignment import align

    def pronounce(word: str) -> list[str]:
        with hub.lease("voice-hibari") as voice:
            return [phone.symbol for phone in voice.speak(word).phones]

    return align(sound, transcript, pronounce)


def heard(sound: Sound, hub: ModelHub) -> list[TimedPhone]:
    """What the product's own phonetic network hears; good for self-consistency alone."""
    from omnihuman.evaluation.heard_phones import heard_phones

    with hub.lease("phones-hama") as recognizer:
        return heard_phones(recognizer.log_posteriors(sound))


def refuse_check(check: bool, heard: bool, fast: bool = False) -> None:
    """Refuses to hold what counts for no bar against the bars.

    Raises:
        InputError: check_clash.
    """
    if check and (heard or fast):
        cause = "self-consistency (--heard)" if heard else "a gap that nobody looked at (--fast)"
        way_out = "Leave --check out, or give --phones or --transcript." if heard else "Leave out --check or --fast."
        raise InputError("check_clash", f"{cause} counts for no bar, so --check could not fail", way_out)


def phones_label(heard: bool) -> str:
    """Where the phones come from, for the report."""
    from omnihuman.evaluation.heard_phones import LABEL

    if heard:
        return f"{LABEL}: the product judged by what it hears itself, counts for no bar"
    return "given or aligned from a transcript"


def lips_of_picture(image: Path, hub: ModelHub) -> dict[str, float | str]:
    """Facts about the lips of the picture itself; none where no face is found."""
    from omnihuman.evaluation.suite import lips_at_rest, load_sync_settings
    from omnihuman.media.image import read_image
    from omnihuman.perception.face_geometry import inner_lip_gap

    faces = face_of(hub).detect(read_image(image), max_faces=1)
    return lips_at_rest(float(inner_lip_gap(faces[0].points)), load_sync_settings()) if faces else {}


def person_of(video: Path, hub: ModelHub, progress: ProgressCallback | None = None) -> PersonTrack:
    """The person of a video, at the times of its frames; raises InputError face_missing where no frame shows a face."""
    from dataclasses import replace

    import numpy as np

    from omnihuman.media.files import LONGEST_NAME
    from omnihuman.media.footage import timed_frames, video_facts
    from omnihuman.pipeline.assemble import tracker_of
    from omnihuman.pipeline.preset import load_preset

    times_s: list[float] = []

    def frames() -> Iterator[Image]:
        seen = timed_frames(video, longest_px=1280)
        for time_s, frame in counted(seen, video, "looking at the person", progress):
            times_s.append(time_s)
            yield frame

    fps = video_facts(video).fps
    person = tracker_of(load_preset("motion").models, hub).track(frames(), fps)
    if not person.face_seen.any():
        cause = f"no frame of {video.name[:LONGEST_NAME]!r} shows a face"
        raise InputError("face_missing", cause, "Give a video of one person's face.")
    return replace(person, times_s=(np.array(times_s) + 0.5 / fps).astype(np.float32))


def finish(result: EvaluationResult, bars: Mapping[str, Bar], report: Path | None) -> dict[str, Any]:
    """The record of a result, also written where a report is wanted."""
    from omnihuman.evaluation.output import write_report
    from omnihuman.evaluation.report import record_of

    record = record_of(result, bars)
    if report is not None:
        write_report(report, record)
    return record


def conclude(
    record: dict[str, Any], result: EvaluationResult, bars: Mapping[str, Bar], check: bool, as_json: bool
) -> None:
    """Shows a result; with `check` a missed bar ends the command with status 1."""
    from omnihuman.evaluation.report import lines_of
    from omnihuman.evaluation.results import all_met

    show(record, lines_of(result, bars), as_json)
    if check and not all_met(result, bars):
        raise typer.Exit(1)
