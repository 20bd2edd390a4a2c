"""`evaluate sync`: do the lips follow the sound? On finished videos, or on a list of sounds that is performed first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from omnihuman.cli import evaluation_sources as sources
from omnihuman.cli.console import coded_errors, progress_bar
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.evaluation.manifest import ManifestClip
    from omnihuman.evaluation.rehearsal import Perform, SpokenTask
    from omnihuman.evaluation.tracks import FaceTracks
    from omnihuman.modelhub.hub import ModelHub
    from omnihuman.speech.inventory import TimedPhone
    from omnihuman.types import Sound

NOT_FRAMES = "computed from parameters; no frame was looked at, counts for no bar"


Videos = Annotated[list[Path] | None, typer.Argument(help="Finished videos to measure together.")]
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
Heard = Annotated[
    bool, typer.Option("--heard", help="Take the phones that the product itself hears: self-consistency, no bar.")
]
Languages = Annotated[bool, typer.Option("--languages", help="Perform sentences in other languages; needs espeak-ng.")]
Picture = Annotated[
    Path | None, typer.Option("--image", help="Picture that performs the sounds; beside finished videos, theirs.")
]
Spoils = Annotated[
    list[str] | None, typer.Option("--spoil", help="Also perform the spoiled sound: 8k, noise20, level-20, ...")
]
Fast = Annotated[
    bool, typer.Option("--fast", help="Do not draw: compute the lip gap from the parameters; counts for no bar.")
]


def sync(  # noqa: PLR0913 - one keyword per option
    videos: Videos = None,
    phones: PhoneFiles = None,
    transcript: Transcripts = None,
    audio: Sounds = None,
    heard: Heard = False,
    manifest: Annotated[Path | None, typer.Option("--manifest", help="JSON list of sounds and what they say.")] = None,
    languages: Languages = False,
    image: Picture = None,
    spoil: Spoils = None,
    fast: Fast = False,
    seed: sources.Seed = 1,
    size: Annotated[int | None, typer.Option(min=128, help="Longest side of the performances, pixels.")] = None,
    keep: sources.Keep = None,
    preset: sources.Preset = "motion",
    check: sources.Check = False,
    as_json: sources.AsJson = False,
    report: sources.Report = None,
) -> None:
    """Do the lips follow the sound? Closures for p, b, m; rest; correlation; offset; controls that must fail."""
    with coded_errors(as_json):
        from omnihuman.evaluation.manifest import read_manifest
        from omnihuman.evaluation.output import check_report
        from omnihuman.evaluation.rehearsal import rehearse
        from omnihuman.evaluation.suite import load_sync_settings

        given = _Given(videos or [], phones or [], transcript or [], audio or [], heard)
        _check_kinds(given, manifest, languages, image, fast or bool(spoil))
        sources.refuse_check(check, heard, fast)
        _check_performance(image, fast, seed, size, keep)
        listed = [] if manifest is None else read_manifest(manifest)
        if image is None and any(clip.video is None for clip in listed):
            raise _nobody()
        if report is not None:
            check_report(report, [*given.files, *_files(listed), *(path for path in (manifest, image) if path)])
        settings = load_sync_settings()
        settings = settings.fast() if fast else settings
        with sources.open_hub() as hub, progress_bar(not as_json) as progress:
            performer = _performer(image, preset, seed, size, keep, fast, hub)
            tasks = _tasks(given, listed, languages, hub)

            def look(video: Path) -> FaceTracks:
                return sources.tracks_of(video, sources.face_of(hub))

            result = rehearse(tasks, performer, look, settings, spoil or [], progress)
            result.facts.update({} if image is None else sources.lips_of_picture(image, hub))
        bars = settings.language_bars if languages else settings.bars_of(result)
        if heard or fast:
            bars = {}
        result.facts["phones"] = "event times of espeak-ng" if languages and not heard else sources.phones_label(heard)
        result.facts["gap"] = NOT_FRAMES if fast else "found again on the frames"
        record = sources.finish(result, bars, report)
    sources.conclude(record, result, bars, check, as_json)


class _Given:
    """What was given for finished videos."""

    def __init__(
        self, videos: Sequence[Path], phones: Sequence[Path], said: Sequence[str], sounds: Sequence[Path], heard: bool
    ) -> None:
        self.videos, self.phones, self.said, self.sounds, self.heard = videos, phones, said, sounds, heard

    @property
    def files(self) -> list[Path]:
        """Every file that must survive."""
        return [*self.videos, *self.phones, *self.sounds]


def _check_kinds(given: _Given, manifest: Path | None, languages: bool, image: Path | None, performs: bool) -> None:
    kinds = bool(given.videos) + (manifest is not None) + languages
    if kinds != 1:
        cause = "nothing is given to measure" if not kinds else "several things are given to measure"
        raise InputError("clips_needed", cause, "Give finished videos, or --manifest, or --languages.")
    if (languages or performs) and image is None:
        raise _nobody()
    if given.videos and performs:
        raise InputError("videos_finished", "finished videos cannot be performed anew", "Use --manifest.")


def _nobody() -> InputError:
    return InputError("picture_needed", "nobody performs the sounds", "Give a picture with --image.")


def _check_performance(image: Path | None, fast: bool, seed: int, size: int | None, keep: Path | None) -> None:
    """Refuses before the work what the first performance would refuse.

    Raises:
        InputError: fast_clash or request_invalid.
    """
    from omnihuman.types import build_request

    if fast and not (size is None and keep is None):
        cause = "--fast draws nothing: there is no size, and no video to keep"
        raise InputError("fast_clash", cause, "Leave out --size and --keep, or --fast.")
    if image is not None:
        build_request({"image": image, "duration": 1.0, "seed": seed, "size": size}, lambda name: f"--{name}")


def _files(listed: Sequence[ManifestClip]) -> list[Path]:
    """Every file that a manifest names."""
    return [path for clip in listed for path in (clip.sound, clip.phones, clip.video) if path is not None]


def _tasks(given: _Given, listed: Sequence[ManifestClip], languages: bool, hub: ModelHub) -> list[SpokenTask]:
    if languages:
        return _foreign_tasks()
    return _tasks_of_manifest(listed, given.heard, hub) if listed else _tasks_of_videos(given, hub)


def _tasks_of_videos(given: _Given, hub: ModelHub) -> list[SpokenTask]:
    from omnihuman.evaluation.names import unique_names
    from omnihuman.evaluation.phone_times import read_phones
    from omnihuman.evaluation.rehearsal import SpokenTask
    from omnihuman.media.audio import read_sound
    from omnihuman.media.files import is_readable_file

    videos = given.videos
    options = (("--phones", given.phones), ("--transcript", given.said), ("--audio", given.sounds))
    for option, values in options:
        if values and len(values) != len(videos):
            cause = f"{len(values)} times {option} for {len(videos)} videos"
            raise InputError("clips_uneven", cause, f"Give {option} once per video.")
    if missing := [video for video in videos if not is_readable_file(video)]:
        raise InputError("video_missing", f"there is no video {missing[0].name!r}", "Check the path.")
    if bool(given.phones) + bool(given.said) + given.heard != 1:
        raise InputError("phones_needed", "phone times are needed once", "Give --phones, --transcript or --heard.")
    # Everything that may be refused is read before the long look at the frames.
    listed = [read_phones(path) for path in given.phones]
    sounds = [read_sound(path) for path in given.sounds or videos]
    if given.heard:
        listed = [sources.heard(sound, hub) for sound in sounds]
    timed = listed or [sources.aligned(sound, said, hub) for sound, said in zip(sounds, given.said, strict=True)]
    return [
        SpokenTask(name, sound, said, video)
        for name, video, sound, said in zip(unique_names(videos), videos, sounds, timed, strict=True)
    ]


def _tasks_of_manifest(listed: Sequence[ManifestClip], heard: bool, hub: ModelHub) -> list[SpokenTask]:
    from omnihuman.evaluation.names import unique_names
    from omnihuman.evaluation.phone_times import read_phones
    from omnihuman.evaluation.rehearsal import SpokenTask, nothing_said
    from omnihuman.media.audio import read_sound

    def phones_of(clip: ManifestClip, sound: Sound) -> list[TimedPhone]:
        if clip.silent:
            return nothing_said(sound)
        if heard:
            return sources.heard(sound, hub)
        if clip.phones is not None:
            return read_phones(clip.phones)
        assert clip.transcript is not None
        try:
            return sources.aligned(sound, clip.transcript, hub)
        except InputError as error:
            raise InputError(error.code, f"{clip.sound.name}: {error.cause}", error.way_out) from None

    tasks = []
    for clip, name in zip(listed, unique_names([clip.sound for clip in listed]), strict=True):
        sound = read_sound(clip.sound)
        tasks.append(SpokenTask(name, sound, phones_of(clip, sound), clip.video, clip.speaker))
    return tasks


def _foreign_tasks() -> list[SpokenTask]:
    from omnihuman.evaluation.other_languages import load_languages
    from omnihuman.evaluation.rehearsal import SpokenTask
    from omnihuman.speech.espeak import EspeakVoice

    voice = EspeakVoice()
    tasks = []
    for language, sentences in load_languages().sentences.items():
        for number, sentence in enumerate(sentences, 1):
            speech = voice.speak(sentence, language)
            tasks.append(SpokenTask(f"{language}-{number}", speech.sound, speech.phones, None, language))
    return tasks


def _performer(
    image: Path | None, preset: str, seed: int, size: int | None, keep: Path | None, fast: bool, hub: ModelHub
) -> Perform:
    from omnihuman.evaluation.performing import Performer, looker

    if image is None:

        def refuse(_: Sound, name: str) -> FaceTracks:
            raise InputError("picture_needed", f"nobody performs {name!r}", "Give a picture with --image.")

        return refuse
    look = None if fast else looker(sources.face_of(hub))
    return Performer(sources.pipeline_of(preset, hub), image, seed, look, size, keep).perform
