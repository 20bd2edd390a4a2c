"""A preset and the hub -> the parts of a pipeline. The only table of latent spaces, and the only reader of presets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from omnihuman.conditions.audio import AudioConditioner
from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.latents.base import LatentSpace
from omnihuman.latents.motion.space import MotionSpace
from omnihuman.modelhub.hub import ModelHub
from omnihuman.perception.body import BodyPerception
from omnihuman.perception.face import FacePerception
from omnihuman.perception.matte import PersonMatte
from omnihuman.types import Handle


class ModelIds(StrictModel):
    """Registry ids of the models a preset uses."""

    denoiser: str = Field(description="Predicts the velocity.")
    phones: str = Field(description="Phonetic network of the audio condition.")
    voice: str = Field(description="Built-in voice for `say`.")
    face_detector: str = Field(description="Finds faces.")
    face_mesh: str = Field(description="Face mesh with refined lips and eyes.")
    person_matte: str = Field(description="Separates the person from the background.")
    body_pose: str = Field(description="Finds shoulders and arms.")


class SamplerSettings(StrictModel):
    """How the flow is solved."""

    steps: int = Field(ge=1, le=50, description="Denoising steps.")
    guidance_audio: float = Field(ge=0, le=10, description="Audio guidance at the start of the run; 1 = off.")
    guidance_anneal: float = Field(ge=0, le=4, description="Power of t with which guidance falls to 1.")
    schedule_shift: float = Field(gt=0, le=12, description="Above 1 more steps are spent near the noise.")
    window_latents: int = Field(ge=8, description="Latent frames of one pass.")
    prefix_latents: int = Field(ge=0, description="Motion frames carried from window to window.")
    lookahead_latents: int = Field(ge=0, description="Latent frames generated past a seam and thrown away.")


class Limits(StrictModel):
    """What a preset accepts."""

    longest_side_px: int = Field(ge=128, description="Larger pictures are scaled down, unless `size` asks.")
    duration_s: float = Field(gt=0, description="Longest sound.")


class PresetSettings(StrictModel):
    """One file of configs/presets."""

    title: str = Field(description="One line for people.")
    space: Literal["motion"] = Field(description="Latent space.")
    models: ModelIds
    sampler: SamplerSettings
    limits: Limits


@dataclass(frozen=True)
class PipelineParts:
    """What a pipeline is made of; tests hand in tiny ones.

    Attributes:
        name: Name of the preset.
        settings: The preset.
        space: Latent space.
        denoiser: Handle of the denoiser.
        audio: Sound -> audio condition.
        voice: Handle of the built-in voice.
        model_sha256: Model id -> SHA-256 of its files, for the record.
    """

    name: str
    settings: PresetSettings
    space: LatentSpace
    denoiser: Handle
    audio: AudioConditioner
    voice: Handle
    model_sha256: dict[str, str]


def load_preset(name: str) -> PresetSettings:
    """Reads configs/presets/NAME.yaml.

    Raises:
        ConfigError: config_missing with the nearest preset, setting_unknown or setting_invalid.
    """
    return load(PresetSettings, configs_dir() / "presets" / f"{name}.yaml")


def assemble(name: str, hub: ModelHub) -> PipelineParts:
    """Builds the parts of a preset; models load when they are first used.

    Raises:
        ConfigError: no such preset.
        ModelError: a model is not in the registry.
    """
    preset = load_preset(name)
    models = preset.models
    used = {name: model_id for name, model_id in models.model_dump().items() if name != "voice"}
    return PipelineParts(
        name=name,
        settings=preset,
        space=SPACES[preset.space](models, hub),
        denoiser=hub.handle(models.denoiser),
        audio=AudioConditioner(hub.handle(models.phones)),
        voice=hub.handle(models.voice),
        model_sha256={model_id: _fingerprint(hub, model_id) for model_id in used.values()},
    )


def _fingerprint(hub: ModelHub, model_id: str) -> str:
    """SHA-256 of a model: of its file, or of the list of its files' hashes."""
    hashes = [spec.sha256 or "unpinned" for spec in hub.registry[model_id].files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def _motion_space(models: ModelIds, hub: ModelHub) -> LatentSpace:
    face = FacePerception(hub.handle(models.face_detector), hub.handle(models.face_mesh))
    matte = PersonMatte(hub.handle(models.person_matte))
    return MotionSpace(face, matte, BodyPerception(hub.handle(models.body_pose)))


SPACES: dict[str, Callable[[ModelIds, ModelHub], LatentSpace]] = {"motion": _motion_space}
