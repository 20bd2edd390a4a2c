"""The driver of a request -> one person over time, with the sound that came with it. Fits nothing to a picture.

A driver is a video of a person, or a pose track from a file. What its motion means for the pictured person is the
space's business (`LatentSpace.follow`). Legend: N frames of the driver.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.audio import checked_sound, is_silent, read_sound
from omnihuman.media.footage import timed_frames, video_facts
from omnihuman.perception.keypoints import KeypointTrack
from omnihuman.perception.person import PersonTrack
from omnihuman.perception.pose_file import read_pose
from omnihuman.perception.skeleton_reader import read_skeletons
from omnihuman.pipeline.inputs import Inputs
from omnihuman.pipeline.preset import Limits
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.pipeline.provenance import sha256_of_file
from omnihuman.pipeline.trim import HALF_TICK_S, require_inside, trimmed_track
from omnihuman.stretch import Stretch
from omnihuman.types import AnimationRequest, Clip, Float, Image, Sound

if TYPE_CHECKING:
    from torch import Tensor

LONGEST_SIDE_PX = 1280
"""Enough to follow a person; a larger driver is scaled down."""
MAX_FPS = 60.0
MIN_FRAMES = 2
SPARE_S = 0.5
"""A driver is watched so far beyond the end of the speech."""
FRAME_PRIOR_S = 0.04
UNKNOWN_LENGTH_S = 10.0
"""Of a driver that does not tell how long it is; only the first estimate of the remaining time uses it."""
FEW_SEEN = 0.7
"""Share of frames with a person under which somebody should be told."""


class Tracker(Protocol):
    """Follows one person through a video."""

    def track(self, frames: Iterable[Image], fps: float) -> PersonTrack:
        """What is seen of the person in every frame."""
        ...


@dataclass(frozen=True)
class Driver:
    """Whom the pictured person follows.

    Attributes:
        kind: "drive" for a video of a person, "pose" for a pose track.
        person: What was seen of the person, or the key points of the pose track.
        duration_s: Length of the driver in seconds.
        sound: Its own sound, as long as itself; None where it has none or where it was not asked for.
        sha256: Of the file, or of the frames handed in.
    """

    kind: str
    person: PersonTrack | KeypointTrack
    duration_s: float
    sound: Sound | None
    sha256: str


@dataclass(frozen=True)
class Wanted:
    """How much of a driver is needed.

    Attributes:
        stretch: The part of it that is looked at, seconds.
        speech_s: Length of the speech; the rest of the driver is not looked at. None: all of it, sound included.
        limits: Of the preset.
    """

    stretch: Stretch
    speech_s: float | None
    limits: Limits

    @property
    def end_s(self) -> float:
        """When watching ends, in seconds of the driver."""
        enough_s = math.inf if self.speech_s is None else min(self.limits.duration_s, self.speech_s + SPARE_S)
        return min(self.stretch.end_s - HALF_TICK_S, self.stretch.start_s + enough_s)

    def check(self, length_s: float, what: str, code: str) -> None:
        """Refuses a driver of this length, infinite = not known.

        Raises:
            InputError: trim_outside, or `code` for one over the limit.
        """
        require_inside(self.stretch, length_s, what, to_its_end=self.speech_s is None)
        used_s = min(length_s, self.stretch.end_s) - self.stretch.start_s
        if self.speech_s is None and math.isfinite(used_s) and used_s > self.limits.duration_s + SPARE_S:
            cause = f"{what} lasts {used_s:.0f} s, over this preset's limit of {self.limits.duration_s:.0f} s"
            raise InputError(code, cause, "Take parts of it with --trim START:END.")


def watch_video(source: Path | Clip, tracker: Tracker, meter: ProgressMeter, wanted: Wanted) -> Driver:
    """Follows the person of a driving video.

    Args:
        source: The file, or the clip itself.
        tracker: Follows the person.
        meter: Gets a stage "watch".
        wanted: How much of it is needed.

    Raises:
        InputError: driver_too_short, driver_too_long, driver_empty, trim_outside, and what reading raises.
    """
    fps, length_s = _facts(source)
    wanted.check(math.inf if length_s is None else length_s, "the driving video", "driver_too_long")
    begin_s = wanted.stretch.start_s
    expected_s = min(length_s or UNKNOWN_LENGTH_S, wanted.end_s, begin_s + wanted.limits.duration_s) - begin_s
    stage = Stage("watch", max(MIN_FRAMES, round(fps * expected_s)), FRAME_PRIOR_S)
    meter.stages.append(stage)
    times_s: list[float] = []
    person = tracker.track(_watched(source, begin_s, wanted.end_s, times_s, meter), fps)
    if len(times_s) < MIN_FRAMES:
        cause = "the driving video has a single frame" if times_s else "the driving video has no frame there"
        raise InputError("driver_too_short", cause, "Give a video, or a stretch of it, in which one moves.")
    stage.total = stage.done
    if not person.face_seen.any() and not (person.body_visibility > 0).any():
        cause = "no frame of the driving video shows a person"
        raise InputError("driver_empty", cause, "Use a video in which one person is seen, best from the front.")
    duration_s = times_s[-1] + float(np.median(np.diff(times_s)))
    sound = None if wanted.speech_s is not None else _own_sound(source, begin_s, duration_s)
    return Driver("drive", replace(person, times_s=_middles_s(times_s)), duration_s, sound, _digest(source))


def watch_pose(path: Path, meter: ProgressMeter, wanted: Wanted) -> Driver:
    """Reads a pose track: JSON, or a video of a drawn skeleton.

    Raises:
        InputError: driver_too_short, pose_too_long, trim_outside, and what reading raises.
    """
    if path.suffix.lower() == ".json":
        meter.stages.append(Stage("watch", 1, 1.0))
        ((track, _),) = [read_pose(path) for _ in meter.each("watch", [path])]
    else:
        fps, length_s = _facts(path)
        expected_s = min(length_s or UNKNOWN_LENGTH_S, wanted.limits.duration_s)
        stage = Stage("watch", max(MIN_FRAMES, round(fps * expected_s)), FRAME_PRIOR_S)
        meter.stages.append(stage)
        times_s: list[float] = []
        track = read_skeletons(_watched(path, 0.0, math.inf, times_s, meter), times_s, path.name)
        stage.total = stage.done
        track = replace(track, times_s=_middles_s(times_s))
    # Times are float32: a rounding error must not make a frame.
    half_frame_s = float(np.median(np.diff(track.times_s))) / 2 if len(track.times_s) >= MIN_FRAMES else 0.0
    wanted.check(round(float(track.times_s[-1]) + half_frame_s, 4), "the pose track", "pose_too_long")
    track = trimmed_track(track, wanted.stretch)
    if len(track.times_s) < MIN_FRAMES:
        cause = "the pose track has a single frame" if len(track.times_s) else "the pose track has no frame there"
        raise InputError("driver_too_short", cause, "Give a track, or a stretch of it, in which somebody moves.")
    duration_s = round(float(track.times_s[-1]) + half_frame_s, 4)
    return Driver("pose", track, duration_s, None, sha256_of_file(path))


def watch(
    request: AnimationRequest,
    clip: Clip | None,
    tracker: Tracker,
    meter: ProgressMeter,
    speech_s: float | None,
    limits: Limits,
) -> Driver | None:
    """The driver of a request, None when it has none."""
    wanted = Wanted(request.stretch, speech_s, limits)
    if request.pose is not None:
        return watch_pose(request.pose, meter, wanted)
    source = clip if clip is not None else request.drive
    return None if source is None else watch_video(source, tracker, meter, wanted)


def driving_facts(
    driver: Driver | None, inputs: Inputs, sound: Sound | None, observed_mask: Tensor
) -> tuple[dict[str, Any], list[str]]:
    """For the record: what drives what, and what a person should know about it.

    Args:
        driver: Whose motion is followed.
        inputs: What was asked for beside it.
        sound: What is heard in the result.
        observed_mask: `1 C T`, what the driver shows of every latent frame of the result.
    """
    speech_given = inputs.sound is not None
    warnings = []
    if sound is not None and is_silent(sound) and (speech_given or driver is None):
        warnings.append("the sound is silent: the mouth will rest")
    if driver is None:
        told = " and the sentence" if inputs.prompts else ""
        what = f"lips, head and body from the sound{told}" if speech_given else "everything from the sentence"
        return {"what": what}, warnings
    source = "the video" if driver.kind == "drive" else "the pose track"
    lips = f"lips from the sound, the rest from {source}" if speech_given else f"lips, head and body from {source}"
    heard = "the speech" if speech_given else "none" if sound is None else "the video's own"
    facts: dict[str, Any] = {"what": lips, "sound": heard, "driver_s": round(driver.duration_s, 3)}
    facts["observed"] = round(float((observed_mask > 0).any(dim=1).float().mean()), 4)
    if facts["observed"] < FEW_SEEN:
        warnings.append(f"the driver shows {facts['observed']:.0%} of the frames: the rest is made up")
    return facts, warnings


def with_length(sound: Sound, duration_s: float) -> Sound:
    """The sound cut, or continued in silence, to a length in seconds."""
    wanted = max(1, round(duration_s * sound.rate_hz))
    missing = max(0, wanted - len(sound.samples))
    samples = np.pad(sound.samples, (0, missing))[:wanted]
    stereo = None if sound.stereo is None else np.pad(sound.stereo, ((0, missing), (0, 0)))[:wanted]
    return Sound(samples, sound.rate_hz, stereo)


def _middles_s(times_s: list[float]) -> Float:
    """Middles of frames that begin at these times."""
    return (np.array(times_s) + float(np.median(np.diff(times_s))) / 2).astype(np.float32)


def _facts(source: Path | Clip) -> tuple[float, float | None]:
    """Frames per second as they are watched, and the length in seconds where the file tells it."""
    if isinstance(source, Clip):
        return source.fps, len(source.frames) / source.fps
    facts = video_facts(source)
    return min(facts.fps, MAX_FPS), facts.duration_s


def _watched(
    source: Path | Clip, begin_s: float, end_s: float, times_s: list[float], meter: ProgressMeter
) -> Iterator[Image]:
    """The frames of a stretch; their times, counted from its beginning, are appended to `times_s` as they go by."""
    meter.advance("watch", 0)
    if isinstance(source, Clip):
        timed: Iterator[tuple[float, Image]] = ((i / source.fps, frame) for i, frame in enumerate(source.frames))
    elif math.isinf(end_s):
        timed = timed_frames(source, longest_px=LONGEST_SIDE_PX, max_fps=MAX_FPS)
    else:
        timed = timed_frames(source, longest_px=LONGEST_SIDE_PX, max_fps=MAX_FPS, max_duration_s=None)
    for time_s, frame in timed:
        if time_s > end_s:
            break
        if time_s < begin_s - HALF_TICK_S:
            continue
        times_s.append(max(0.0, time_s - begin_s))
        yield frame
        meter.advance("watch")


def _own_sound(source: Path | Clip, begin_s: float, duration_s: float) -> Sound | None:
    if isinstance(source, Clip):
        return None if source.sound is None else with_length(_from(checked_sound(source.sound), begin_s), duration_s)
    try:
        return with_length(_from(read_sound(source), begin_s), duration_s)
    except InputError as error:
        # A video need not have a sound track, and one of a few samples is as good as none.
        if error.code in {"audio_unreadable", "audio_too_short"}:
            return None
        raise


def _from(sound: Sound, begin_s: float) -> Sound:
    """What is left of a sound from a moment on, nothing beyond its end."""
    first = round(begin_s * sound.rate_hz)
    return Sound(sound.samples[first:], sound.rate_hz, None if sound.stereo is None else sound.stereo[first:])


def _digest(source: Path | Clip) -> str:
    if isinstance(source, Path):
        return sha256_of_file(source)
    return hashlib.sha256(np.ascontiguousarray(source.frames).tobytes()).hexdigest()
