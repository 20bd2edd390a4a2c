"""A request -> picture and speech in memory, checked; refuses what cannot work before anything is computed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnihuman.conditions.prompts import read_prompts
from omnihuman.conditions.text import Prompt
from omnihuman.errors import InputError
from omnihuman.media.audio import checked_sound, read_sound
from omnihuman.media.framing import fit_alpha, fit_longest_side, is_cut_out, pad_to_even
from omnihuman.media.image import MIN_SIDE_PX, checked_picture
from omnihuman.media.image import read_picture as read_picture_file
from omnihuman.perception.landmark_file import read_landmarks, rescaled
from omnihuman.pipeline.preset import Limits
from omnihuman.pipeline.provenance import sha256_of, sha256_of_file
from omnihuman.pipeline.trim import trimmed_sound
from omnihuman.types import AnimationRequest, Clip, Handle, Image, PersonChoice, Sound

IN_MEMORY = Path("in-memory")
"""Stands for the path of a picture or sound that was handed in as an array."""


@dataclass(frozen=True)
class Given:
    """What was handed in as arrays instead of files; None where a path says it.

    Attributes:
        image: RGB uint8 `H W 3`.
        sound: Speech.
        clip: Driving video.
    """

    image: np.ndarray | None = None
    sound: Sound | None = None
    clip: Clip | None = None

    @classmethod
    def among(cls, image: object, sound: object, clip: object) -> Given:
        """Those that are no paths."""
        return cls(
            None if isinstance(image, str | Path) else np.asarray(image),
            sound if isinstance(sound, Sound) else None,
            clip if isinstance(clip, Clip) else None,
        )


@dataclass(frozen=True)
class Inputs:
    """What a run works on.

    Attributes:
        image: RGB uint8 `H W 3` at the size of the video.
        size: Its longest side in pixels, before odd sides were padded.
        person: Who of the picture is meant.
        sound: The speech that was given; None where nothing is said.
        prompts: What the person is asked to do; empty where nothing is.
        sha256: Input kind -> hash of the file, or of the array handed in.
    """

    image: Image
    size: int
    person: PersonChoice
    sound: Sound | None
    prompts: tuple[Prompt, ...]
    sha256: dict[str, str]


def require_sound(audio: object) -> None:
    """Refuses what is neither a path nor a `Sound` (nor None); raises InputError audio_unreadable."""
    if audio is not None and not isinstance(audio, str | Path | Sound):
        cause = f"audio is a {type(audio).__name__}"
        raise InputError("audio_unreadable", cause, "Give a path, or omnihuman.types.Sound(samples, rate_hz).")


@dataclass(frozen=True)
class Portrayed:
    """The picture of a request, ready to be animated.

    Attributes:
        image: RGB uint8 `H W 3` at the size of the video, even sides.
        size: Its longest side in pixels, before odd sides were padded.
        person: Who of it is meant.
        sha256: Input kind -> hash of what was read.
    """

    image: Image
    size: int
    person: PersonChoice
    sha256: dict[str, str]


def read_picture(request: AnimationRequest, given: np.ndarray | None, longest_side_px: int) -> Portrayed:
    """The picture at the size of the video. Its transparency is kept where it is that of a cut-out.

    Args:
        request: Names the files, the size and the face.
        given: The picture itself, where it was handed in.
        longest_side_px: Larger pictures are scaled down to it unless the request asks for a size.

    Raises:
        InputError: size_impossible, and what reading raises.
    """
    picture = read_picture_file(request.image) if given is None else checked_picture(given)
    image = picture.image
    digests = {"image": sha256_of_file(request.image) if given is None else sha256_of(image.tobytes())}
    height, width = image.shape[:2]
    size = request.size or min(longest_side_px, max(height, width))
    _require_sides(width, height, size)
    scaled = fit_longest_side(image, size)
    landmarks = None
    if request.landmarks is not None:
        points = read_landmarks(request.landmarks, width, height)
        # Padding adds rows and columns at the far ends only: places stay.
        landmarks = rescaled(points, (width, height), (scaled.shape[1], scaled.shape[0]))
        digests["landmarks"] = sha256_of_file(request.landmarks)
    padded = pad_to_even(scaled)
    cut_out = picture.alpha is not None and is_cut_out(picture.alpha)
    alpha = fit_alpha(picture.alpha, padded) if picture.alpha is not None and cut_out else None
    return Portrayed(padded, size, PersonChoice(request.face, landmarks, alpha), digests)


def _require_sides(width: int, height: int, size: int) -> None:
    """Refuses a size at which the short side would be too short to show a person; raises size_impossible."""
    short, long = sorted((width, height))
    if round(short * size / long) >= MIN_SIDE_PX:
        return
    least = math.ceil(MIN_SIDE_PX * long / short)
    cause = f"at --size {size} the picture of {width} x {height} would be {round(short * size / long)} pixels narrow"
    raise InputError("size_impossible", cause, f"The nearest that works is --size {least}.")


def require_clip(drive: object) -> None:
    """Refuses what is neither a path nor a `Clip` of frames (nor None); raises InputError video_unreadable."""
    if drive is None or isinstance(drive, str | Path):
        return
    if not isinstance(drive, Clip):
        cause = f"drive is a {type(drive).__name__}"
        raise InputError("video_unreadable", cause, "Give a path, or omnihuman.types.Clip(frames, fps).")
    frames = np.asarray(drive.frames)
    if frames.ndim != 4 or frames.shape[3] != 3 or frames.dtype != np.uint8 or not 1 <= drive.fps <= 1000:
        cause = f"frames of {frames.dtype} with shape {frames.shape} at {drive.fps} per second are no video"
        raise InputError("video_unreadable", cause, "Give uint8 of shape (T, H, W, 3) and frames per second.")


def read_speech(
    request: AnimationRequest, given: Sound | None, voice: Handle, limits: Limits
) -> tuple[Sound | None, str | None]:
    """The speech - handed in, spoken by the built-in voice or read; None without one - and the hash of its source.

    A recording is trimmed, a spoken sentence is not.
    Spoken text has no hash unless it may be recorded: the voice is deterministic, so a hash would confirm a guess.

    Raises:
        InputError: audio_too_long, trim_outside, and what reading or speaking raises.
    """
    digest: str | None
    if given is not None:
        whole = checked_sound(given)
        sound, digest = checked_sound(trimmed_sound(whole, request.stretch)), sha256_of(whole.samples.tobytes())
    elif request.say is not None:
        with voice() as speaker:
            sound = speaker.speak(request.say).sound
        digest = sha256_of(sound.samples.tobytes()) if request.embed_text else None
    elif request.audio is None:
        return None, None
    else:
        sound = checked_sound(trimmed_sound(read_sound(request.audio), request.stretch))
        digest = sha256_of_file(request.audio)
    if sound.duration_s > limits.duration_s:
        cause = f"the sound lasts {sound.duration_s:.0f} s, over this preset's limit of {limits.duration_s:.0f} s"
        raise InputError("audio_too_long", cause, "Take parts of it with --trim START:END.")
    return sound, digest


def read_text(request: AnimationRequest) -> tuple[tuple[Prompt, ...], str | None]:
    """The prompts, and the hash of what was written where it may be recorded, as for spoken text.

    Raises:
        InputError: text_empty, text_unreadable or text_invalid.
    """
    if request.text is None:
        return (), None
    prompts = tuple(read_prompts(request.text))
    return prompts, sha256_of(request.text.encode()) if request.embed_text else None
