"""What crosses a border of the package: the request, the tracks, the clip, the result. Frozen; no torch.

Legend: H height, W width, T frames, N time steps of a track, D width of a track, S sound samples.
Pictures are RGB uint8 `H W 3`; time is seconds; sound is float32 mono in -1..1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator, model_validator

from omnihuman.config import StrictModel, nearest
from omnihuman.errors import InputError
from omnihuman.stretch import NOTATION, Stretch, StretchError

Float = NDArray[np.floating[Any]]
"""float32 array; numpy's types cannot follow the width through arithmetic, so they only promise floating."""
Image = NDArray[np.uint8]
"""RGB picture `H W 3`, 0..255."""

Handle = Callable[[], AbstractContextManager[Any]]
"""Opens a lease of one model: `with handle() as model: ...`. Tests hand in `lambda: nullcontext(tiny)`."""

ConditionKind = Literal["text", "reference", "audio", "pose"]
"""Kinds of condition, weakest motion signal first (OmniHuman-1, section 3.2)."""


GuidanceForm = Literal["joint", "separate"]
"""Text and audio scaled as one, as in OmniHuman-1, or each by its own scale."""

Expression = Literal["yielding", "relative", "absolute"]
"""What becomes of the pictured mouth: it yields to speech, stays under it, or is made neutral first."""

Quality = Literal["draft", "standard", "best"]
"""Time against looks: denoising steps, largest picture and encoder. What each means stands in the preset."""


class Encoding(StrictModel):
    """How hard the video encoder works (libx264)."""

    crf: int = Field(ge=0, le=51, description="Constant rate factor: 0 loses nothing, 18 nothing that is seen.")
    speed: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow"] = Field(
        description="Preset of the encoder: a slower one makes smaller files."
    )


class _RefusedValueError(ValueError):
    """A value that no range describes, with its way out."""

    def __init__(self, cause: str, way_out: str) -> None:
        super().__init__(cause)
        self.way_out = way_out


class AnimationRequest(StrictModel):
    """What a person asks for. CLI options, REST fields, page and manifest are generated from this one schema."""

    version: Literal[1] = Field(1, description="Version of this schema.")
    image: Path = Field(
        description="Picture of the person: photo, painting or drawing (PNG, JPEG, WebP, BMP, TIFF, GIF)."
    )
    audio: Path | None = Field(
        None, description="Speech that drives the lips and the manner (wav, mp3, flac, m4a, or a video's sound)."
    )
    say: str | None = Field(
        None, max_length=2000, description="Sentence for the built-in voice, instead of a sound file."
    )
    seed: int | None = Field(None, ge=0, lt=2**31, description="Random seed; chosen and reported when left out.")
    text: str | None = Field(
        None,
        max_length=20000,
        description="What the person does: a sentence ('smiles and nods'), or a schedule of timed ones (.json).",
    )
    duration: float | None = Field(
        None, ge=0.2, le=3600.0, description="Seconds of video, where neither a sound nor a driver says how long."
    )
    trim: str | None = Field(
        None,
        max_length=40,
        description="Stretch of the sound, the driving video and the pose track that is used, the same of each: "
        "START:END in seconds or m:ss, either side may be empty.",
    )
    quality: Quality = Field(
        "standard",
        description="draft is sooner done, best looks better and takes longer: steps, largest picture, encoder.",
    )
    steps: int | None = Field(None, ge=1, le=50, description="Denoising steps; the quality decides when left out.")
    guidance_audio: float | None = Field(
        None, ge=0.0, le=10.0, description="Strength of audio guidance (1 = off); the preset decides when left out."
    )
    guidance_text: float | None = Field(
        None, ge=0.0, le=10.0, description="Strength of text guidance (1 = off); the preset decides when left out."
    )
    motion_strength: float = Field(
        1.0,
        ge=0.0,
        le=2.0,
        description="Scales head and body motion (0 = still, 1 = as generated); lips are not touched.",
    )
    drive: Path | None = Field(
        None, description="Video of a person whose motion is followed; with speech given, the lips follow the speech."
    )
    pose: Path | None = Field(
        None, description="Pose track that is followed: JSON of 'pose extract', or a video of a drawn skeleton."
    )
    face: int = Field(1, ge=1, le=64, description="Which face of the picture, 1 = the largest.")
    landmarks: Path | None = Field(
        None, description="JSON of landmarks given by hand, for a face that no detector finds."
    )
    expression: Expression = Field(
        "yielding",
        description="What becomes of the pictured mouth: it yields to speech, stays under it (relative), "
        "or is made neutral first (absolute).",
    )
    fps: float | None = Field(
        None, ge=5.0, le=60.0, description="Frames per second of the video; the space's own (25) when left out."
    )
    size: int | None = Field(
        None,
        ge=64,
        le=4096,
        description="Longest side of the video in pixels; the picture's own (up to the quality's limit) when left out.",
    )
    preset: str = Field("motion", description="A file of configs/presets: the latent space, its denoiser and encoders.")
    embed_text: bool = Field(False, description="Also write spoken text and prompt into the JSON beside the video.")

    @field_validator("trim")
    @classmethod
    def _is_stretch(cls, trim: str | None) -> str | None:
        if trim is not None:
            try:
                Stretch.parse(trim)
            except StretchError as error:
                raise _RefusedValueError(str(error), NOTATION) from None
        return trim

    @model_validator(mode="after")
    def _one_voice(self) -> AnimationRequest:
        if self.audio is not None and self.say is not None:
            raise _RefusedValueError("give either audio or say, not both", "Leave one of them out.")
        return self

    @property
    def stretch(self) -> Stretch:
        """What `trim` says; all of it when left out."""
        return Stretch() if self.trim is None else Stretch.parse(self.trim)

    @property
    def recordings(self) -> tuple[str, ...]:
        """Fields that name something recorded, which has a length of its own: audio, drive, pose."""
        return tuple(name for name in ("audio", "drive", "pose") if getattr(self, name) is not None)

    @property
    def may_be_heard(self) -> bool:
        """Whether there is a sound, or a driving video that may bring its own."""
        return self.audio is not None or self.say is not None or self.drive is not None


def build_request(fields: dict[str, Any], label: Callable[[str], str] = str) -> AnimationRequest:
    """Validates what a person gave, whichever face it came through.

    Args:
        fields: Field name -> value.
        label: How that face names a field, for the error line.

    Raises:
        InputError: request_invalid, naming the field.
    """
    try:
        return AnimationRequest(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{label(str(first['loc'][0]))}: " if first["loc"] else ""
        raise InputError(
            "request_invalid", where + first["msg"].removeprefix("Value error, "), _way_out(first)
        ) from None


def _way_out(error: Any) -> str:
    """What to write instead of a refused value; the nearest right one, where there is one."""
    limits = error.get("ctx", {})
    if isinstance(limits.get("error"), _RefusedValueError):
        return str(limits["error"].way_out)
    if error["type"] == "extra_forbidden":
        return nearest(str(error["loc"][0]), list(AnimationRequest.model_fields))
    if error["type"] == "literal_error":
        return f"Choose {limits['expected']}."
    if isinstance(error["input"], float) and not math.isfinite(error["input"]):
        return "Give a number."
    for bound, step in (("ge", 0), ("le", 0), ("lt", -1)):
        if bound in limits:
            right = limits[bound] + step
            return f"The nearest that works is {right if isinstance(right, int) else format(right, 'g')}."
    return "See the description of the fields (--help)."


@dataclass(frozen=True)
class PersonChoice:
    """Which person of a picture is meant, and what is known of them without a detector.

    Attributes:
        face: Number of the face, 1 = the largest.
        landmarks: `478 3` face landmarks in pixels of the picture given by hand, or None; then `face` is not looked at.
        alpha: `H W` in 0..1 of a picture that is cut out already: what is taken for the person; None of any other.
    """

    face: int = 1
    landmarks: Float | None = None
    alpha: Float | None = None


ANYBODY = PersonChoice()
"""Whoever has the largest face."""


@dataclass(frozen=True)
class ConditionTrack:
    """One condition over time; the denoiser resamples it onto its own clock.

    Attributes:
        kind: Which signal this is.
        values: `N D` float32.
        times_s: `N` seconds, ascending, centre of what each row describes; empty for a track without time (N = 1).
        mask: `N D` float32 in 0..1, 1 = known; None = all known. A pose track is a partial parameter vector.
    """

    kind: ConditionKind
    values: Float
    times_s: Float = field(default_factory=lambda: np.zeros(0, np.float32))
    mask: Float | None = None

    def __post_init__(self) -> None:
        assert self.values.ndim == 2, self.values.shape
        assert self.times_s.size in (0, len(self.values)), (self.times_s.shape, self.values.shape)
        assert self.mask is None or self.mask.shape == self.values.shape


@dataclass(frozen=True)
class LatentSpec:
    """Shape and clock of a space; a denoiser carries the same spec.

    Attributes:
        name: Name of the space.
        channels: C.
        fps: Frames per second of the decoded video.
        frames_per_latent: Video frames that one latent frame covers (after the first, which covers one).
    """

    name: str
    channels: int
    fps: float
    frames_per_latent: int = 1

    def num_frames(self, duration_s: float) -> int:
        """Video frames that cover `duration_s`: the sound is never cut, the video is under one frame longer."""
        return max(1, math.ceil(duration_s * self.fps - 1e-6))

    def num_latents(self, num_frames: int) -> int:
        """Latent frames that hold `num_frames` video frames."""
        return 1 + math.ceil((num_frames - 1) / self.frames_per_latent)

    def times_s(self, num_latents: int, start: int = 0) -> Float:
        """Centres in seconds of the intervals that latents `start .. start + num_latents - 1` cover, `T`."""
        index = np.arange(start, start + num_latents, dtype=np.float64)
        first = np.where(index == 0, 0.0, 1 + (index - 1) * self.frames_per_latent)
        width = np.where(index == 0, 1.0, self.frames_per_latent)
        return ((first + width / 2) / self.fps).astype(np.float32)


@dataclass(frozen=True)
class ReferenceFacts:
    """What the picture shows, as far as motion depends on it.

    Attributes:
        yaw_deg: Turn of the pictured head, + towards the image right.
        pitch_deg: Nod, + down.
        roll_deg: Tilt, + clockwise in the image.
        iod_px: 3-D distance between the outer eye corners, pixels.
        height_px: Height of the picture.
        width_px: Width of the picture.
        torso_visible: 0..1, shoulders inside the picture and detected.
        arm_l_visible: 0..1, subject's left arm down to the wrist.
        arm_r_visible: 0..1, subject's right arm down to the wrist.
        mouth_gap_iod: Inner-lip gap in the picture over IOD.
        warnings: What a person should know of how the picture was understood, one line each.
    """

    yaw_deg: float
    pitch_deg: float
    roll_deg: float
    iod_px: float
    height_px: int
    width_px: int
    torso_visible: float
    arm_l_visible: float
    arm_r_visible: float
    mouth_gap_iod: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sound:
    """Sound of one clip.

    Attributes:
        samples: `S` float32 mono, -1..1: what is analysed.
        rate_hz: Samples per second.
        stereo: `S 2` float32 of the same sound where the source has two channels, for the video; else None.
    """

    samples: Float
    rate_hz: int
    stereo: Float | None = None

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True)
class Clip:
    """Decoded video: frames `T H W 3` uint8 RGB at `fps` frames per second, sound or None."""

    frames: NDArray[np.uint8]
    fps: float
    sound: Sound | None = None


@dataclass(frozen=True)
class ProgressEvent:
    """How far a run is.

    Attributes:
        stage: What is being done: read, watch, prepare, listen, denoise or render.
        done: Units finished in this stage.
        total: Units of this stage.
        elapsed_s: Seconds since the run began.
        remaining_s: Estimated seconds to the end of the whole run, None until it can be told.
    """

    stage: str
    done: int
    total: int
    elapsed_s: float
    remaining_s: float | None


ProgressCallback = Callable[[ProgressEvent], None]
"""Called often; may raise `InterruptedRun` to stop the run."""


@dataclass(frozen=True)
class AnimationResult:
    """What one run gave.

    Attributes:
        video: Path of the mp4, or None when frames were asked for.
        frames: `T H W 3` uint8 RGB, or None when the video was streamed to `video`.
        fps: Frames per second.
        duration_s: Length of the video in seconds; the request keeps what was asked.
        seed: The seed that was used.
        parameters: `T P` float32 motion parameters of the motion space (None in other spaces).
        facts: JSON-ready record of settings, hashes and versions; the same as the sidecar file.
    """

    video: Path | None
    frames: NDArray[np.uint8] | None
    fps: float
    duration_s: float
    seed: int
    parameters: Float | None
    facts: dict[str, Any]
