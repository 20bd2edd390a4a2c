"""`evaluate`: measure finished videos - lips against sound, motion, or a contact sheet for the eye - and pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnihuman.cli.console import coded_errors, show
from omnihuman.cli.evaluate_pictures import pictures
from omnihuman.cli.evaluate_text import text
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from omnihuman.evaluation.contact_sheet import Moment
    from omnihuman.evaluation.suite import EvaluationResult, SpokenClip
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.perception.face import FacePerception
    from omnihuman.perception.person import PersonTrack
    from omnihuman.speech.inventory import TimedPhone
    from omnihuman.types import Image

app = typer.Typer(name="evaluate", help="Measure a finished video, or how pictures move.", no_args_is_help=True)
app.command()(pictures)
app.command()(text)

Videos = Annotated[list[Path], typer.Argument(help="Videos to measure together.")]
OneVideo = Annotated[Path, typer.Argument(help="The video.")]
PhoneFiles = Annotated[
    list[Path] | None, typer.Option("--phones", help="JSON with the phone times, one per video, in the same order.")
]
Transcripts = Annotated[
    list[str] | None,
    typer.Option("--transcript", help="What is said (English, numbers as words), one per video; needs pocketsphinx."),
]
Sounds = Annotated[
    list[Path] | None, typer.Option("--audio", help="The original sound, one per video, instead of the video's own.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result as one JSON object.")]
Report = Annotated[Path | None, typer.Option("--report", help="Also write the result to this JSON file.")]


@app.command()
def sync(
    videos: Videos,
    phones: PhoneFiles = None,
    transcript: Transcripts = None,
    audio: Sounds = None,
    check: Annotated[bool, typer.Option("--check", help="End with status 1 when a bar is missed.")] = False,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Do the lips follow the sound? Closures for p, b, m; rest; correlation; offset; controls that must fail."""
    with coded_errors(as_json):
        import numpy as np

        from omnihuman.evaluation.output import check_report, write_report
        from omnihuman.evaluation.report import is_met, lines_of, record_of
        from omnihuman.evaluation.suite import load_sync_settings, measure_sync

        if report is not None:
            check_report(report, [*videos, *(phones or []), *(audio or [])])
        settings = load_sync_settings()
        clips = _spoken_clips(videos, phones or [], transcript or [], audio or [])
        result = measure_sync(clips, settings, np.random.default_rng(0))
        record = record_of(result, settings.bars)
        if report is not None:
            write_report(report, record)
    show(record, lines_of(result, settings.bars), as_json)
    if check and not all(is_met(result, name, least) for name, least in settings.bars.items()):
        raise typer.Exit(1)


@app.command()
def motion(
    video: OneVideo,
    background: Annotated[bool, typer.Option(help="Also measure how still the background stays.")] = True,
    as_json: AsJson = False,
    report: Report = None,
) -> None:
    """Does the person move like a person? Blinks, head, drift of the face's shape, stillness of the background."""
    with coded_errors(as_json):
        from omnihuman.evaluation.output import check_report, write_report
        from omnihuman.evaluation.report import lines_of, record_of
        from omnihuman.evaluation.suite import measure_motion

        if report is not None:
            check_report(report, [video])
        with _open_hub() as hub:
            face = _face(hub)
            tracks = _tracks(video, face)
            result = measure_motion(tracks)
            if background:
                _add_background(result, video, len(tracks.gap), hub, face)
        record = record_of(result, {})
        if report is not None:
            write_report(report, record)
    show(record, lines_of(result, {}), as_json)


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
        from omnihuman.evaluation.report import is_met, lines_of, record_of

        if report is not None:
            check_report(report, [driver, video])
        settings = load_driving_settings()
        with _open_hub() as hub:
            watched, made = (_person(path, hub) for path in (driver, video))
        result = measure_driving(watched, made, settings)
        bars = bars_for(result, settings)
        record = record_of(result, bars)
        if report is not None:
            write_report(report, record)
    show(record, lines_of(result, bars), as_json)
    if check and not all(is_met(result, name, least) for name, least in bars.items()):
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
        with _open_hub() as hub:
            moments = _moments(video, times, phones, transcript, audio, hub)
            frames = pick_frames(read_frames(video), frame_rate(video), moments)
            tiles = frames if whole else crop_faces(frames, _face(hub))
        write_png(out, contact_sheet(tiles, moments, columns=8, tile_px=220))
    show({"sheet": str(out)}, [f"{out}: {len(moments)} frames"], as_json=False)


def _spoken_clips(
    videos: Sequence[Path], phones: Sequence[Path], transcripts: Sequence[str], sounds: Sequence[Path]
) -> list[SpokenClip]:
    from omnihuman.evaluation.phone_times import read_phones
    from omnihuman.evaluation.suite import SpokenClip
    from omnihuman.media.audio import read_sound
    from omnihuman.media.files import is_readable_file

    for option, given in (("--phones", phones), ("--transcript", transcripts), ("--audio", sounds)):
        if given and len(given) != len(videos):
            cause = f"{len(given)} times {option} for {len(videos)} videos"
            raise InputError("clips_uneven", cause, f"Give {option} once per video.")
    if missing := [video for video in videos if not is_readable_file(video)]:
        raise InputError("video_missing", f"there is no video {missing[0].name!r}", "Check the path.")
    if bool(phones) == bool(transcripts):
        raise InputError("phones_needed", "phone times are needed once", "Give either --phones or --transcript.")
    # Everything that may be refused is read before the long look at the frames.
    listed = [read_phones(path) for path in phones]
    heard = [read_sound(path) for path in sounds or videos]
    with _open_hub() as hub:
        timed = listed or [_aligned(sound, said, hub) for sound, said in zip(heard, transcripts, strict=True)]
        return [
            SpokenClip(video.stem, _tracks(video, _face(hub)), said, sound)
            for video, said, sound in zip(videos, timed, heard, strict=True)
        ]


def _aligned(sound: Any, transcript: str, hub: ModelHub) -> list[TimedPhone]:
    from omnihuman.evaluation.alignment import align

    return align(sound, transcript, _pronouncer(hub))


def _pronouncer(hub: ModelHub) -> Callable[[str], list[str]]:
    """Words that the aligner's dictionary lacks are pronounced by the built-in voice."""

    def pronounce(word: str) -> list[str]:
        with hub.lease("voice-hibari") as voice:
            return [phone.symbol for phone in voice.speak(word).phones]

    return pronounce


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
        return moments_of(_aligned(read_sound(audio or video), transcript, hub), per_kind=12)
    raise InputError("times_needed", "nothing says which frames to show", "Give --times, --phones or --transcript.")


def _add_background(
    result: EvaluationResult, video: Path, num_frames: int, hub: ModelHub, face: FacePerception
) -> None:
    from omnihuman.evaluation.background import measure_background
    from omnihuman.media.footage import read_frames
    from omnihuman.perception.matte import PersonMatte

    matte = PersonMatte(hub.handle("person-matte"))
    result.measurements["background_change"] = measure_background(lambda: read_frames(video), num_frames, face, matte)


def _tracks(video: Path, face: FacePerception) -> Any:
    from omnihuman.evaluation.tracks import track_face
    from omnihuman.media.footage import frame_rate, read_frames

    return track_face(read_frames(video), frame_rate(video), face)


def _person(video: Path, hub: ModelHub) -> PersonTrack:
    """The person of a video, at the times of its frames; raises InputError face_missing where no frame shows a face."""
    from dataclasses import replace

    import numpy as np

    from omnihuman.media.files import LONGEST_NAME
    from omnihuman.media.footage import timed_frames, video_facts
    from omnihuman.pipeline.assemble import tracker_of
    from omnihuman.pipeline.preset import load_preset

    times_s: list[float] = []

    def frames() -> Iterator[Image]:
        for time_s, frame in timed_frames(video, longest_px=1280):
            times_s.append(time_s)
            yield frame

    fps = video_facts(video).fps
    person = tracker_of(load_preset("motion").models, hub).track(frames(), fps)
    if not person.face_seen.any():
        cause = f"no frame of {video.name[:LONGEST_NAME]!r} shows a face"
        raise InputError("face_missing", cause, "Give a video of one person's face.")
    return replace(person, times_s=(np.array(times_s) + 0.5 / fps).astype(np.float32))


def _open_hub() -> ModelHub:
    from omnihuman.modelhub.hub import ModelHub

    return ModelHub.open()


def _face(hub: ModelHub) -> FacePerception:
    from omnihuman.perception.face import FacePerception

    return FacePerception(hub.handle("face-detector"), hub.handle("face-mesh"))
