"""A request -> the same request with nothing left open, so that its record repeats the run. Reads no files."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from omnihuman.errors import InputError
from omnihuman.pipeline.preset import PresetSettings, SamplerSettings
from omnihuman.types import AnimationRequest


@dataclass(frozen=True)
class Settled:
    """What only the inputs tell.

    Attributes:
        size: Longest side of the scaled picture, pixels, before odd sides are padded.
        fps: Frames per second.
        duration_s: Length of the video.
    """

    size: int
    fps: float
    duration_s: float


def resolved(request: AnimationRequest, name: str, preset: PresetSettings) -> AnimationRequest:
    """Fills in what the preset and the quality decide; guidance only of signals that are there.

    Args:
        request: As a person gave it.
        name: Of the preset, for the error line.
        preset: The preset.

    Raises:
        InputError: guidance_clash.
    """
    sampler = preset.sampler
    _check_guidance(request, name, sampler)
    steers_audio, steers_text = _steered(request, sampler)
    audio = sampler.guidance_audio if request.guidance_audio is None else request.guidance_audio
    text = sampler.guidance_text if request.guidance_text is None else request.guidance_text
    filled = {
        "seed": secrets.randbelow(2**31) if request.seed is None else request.seed,
        "steps": request.steps or preset.at(request.quality).steps,
        "guidance_audio": audio if steers_audio else None,
        "guidance_text": text if steers_text else None,
    }
    return request.model_copy(update=filled)


def settled(request: AnimationRequest, found: Settled) -> AnimationRequest:
    """The request with what the inputs told; a length only where nothing else says it."""
    is_free = not request.recordings and request.say is None
    duration_s = found.duration_s if is_free else None
    return request.model_copy(update={"size": found.size, "fps": found.fps, "duration": duration_s})


def sampler_of(request: AnimationRequest, preset: PresetSettings) -> SamplerSettings:
    """The sampler of the preset with what the resolved request asks."""
    asked = {name: getattr(request, name) for name in ("steps", "guidance_audio", "guidance_text")}
    return preset.sampler.model_copy(update={name: value for name, value in asked.items() if value is not None})


def _check_guidance(request: AnimationRequest, name: str, sampler: SamplerSettings) -> None:
    steers_audio, steers_text = _steered(request, sampler)
    if request.guidance_text is not None and not steers_text:
        cause = f"preset '{name}' guides text and audio jointly"
        raise InputError("guidance_clash", cause, "Set --guidance-audio only, or use a preset that separates them.")
    if request.guidance_audio is not None and not steers_audio:
        cause = "--guidance-audio says how strongly a sound is followed, and there is none"
        raise InputError("guidance_clash", cause, "Give --audio or --say, or leave --guidance-audio out.")


def _steered(request: AnimationRequest, sampler: SamplerSettings) -> tuple[bool, bool]:
    """Whether the scales of audio and of text have anything to scale; the joint form has one scale for both."""
    has_text = request.text is not None
    if sampler.guidance_form == "joint":
        return request.may_be_heard or has_text, False
    return request.may_be_heard, has_text
