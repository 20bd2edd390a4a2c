"""What a preset is: one file of configs/presets, as users and tests pick it. Data only; see `assemble.py`."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, model_validator

from omnihuman.config import StrictModel, configs_dir, load, nearest
from omnihuman.errors import ConfigError
from omnihuman.types import AnimationRequest, Encoding, GuidanceForm, Quality


class ModelIds(StrictModel):
    """Registry ids of the models a preset uses."""

    denoiser: str = Field(description="Predicts the velocity.")
    phones: str = Field(description="Phonetic network of the audio condition.")
    voice: str = Field(description="Built-in voice for `say`.")
    voice_detector: str = Field(description="Hears where somebody speaks.")
    voice_judge: str = Field(description="Tells speech and singing from noise and music.")
    sentences: str = Field(description="Embeds the sentences of `text`.")
    face_detector: str = Field(description="Finds faces.")
    face_mesh: str = Field(description="Face mesh with refined lips and eyes.")
    person_matte: str = Field(description="Separates the person from the background.")
    body_pose: str = Field(description="Finds shoulders and arms.")
    hands: str = Field(description="Finds palms and finger joints.")


class SamplerSettings(StrictModel):
    """How the flow is solved."""

    steps: int = Field(ge=1, le=50, description="Denoising steps at standard quality.")
    guidance_audio: float = Field(ge=0, le=10, description="Audio guidance at the start of the run; 1 = off.")
    guidance_text: float = Field(ge=0, le=10, description="Text guidance at the start of the run; 1 = off.")
    guidance_form: GuidanceForm = Field(
        description="joint: guidance_audio scales text and audio as one; separate: each its own."
    )
    guidance_anneal: float = Field(ge=0, le=4, description="Power of t with which guidance falls to 1.")
    schedule_shift: float = Field(gt=0, le=12, description="Above 1 more steps are spent near the noise.")
    window_latents: int = Field(ge=8, description="Latent frames of one pass.")
    prefix_latents: int = Field(ge=0, description="Motion frames carried from window to window.")
    lookahead_latents: int = Field(
        ge=0, description="Latent frames generated past a seam and faded into the next window."
    )

    @model_validator(mode="after")
    def _has_room(self) -> SamplerSettings:
        if self.prefix_latents + self.lookahead_latents >= self.window_latents:
            raise ValueError("window_latents leaves no room beside prefix_latents and lookahead_latents")
        return self


class Limits(StrictModel):
    """What a preset accepts."""

    longest_side_px: int = Field(
        ge=128, le=4096, description="Larger pictures are scaled down at standard quality, unless `size` asks."
    )
    duration_s: float = Field(gt=0, description="Longest sound.")


class QualitySettings(StrictModel):
    """What one word of `quality` stands for."""

    steps: int = Field(ge=1, le=50, description="Denoising steps, unless `steps` asks.")
    longest_side_px: int = Field(
        ge=128, le=4096, description="Larger pictures are scaled down, unless `size` asks. Nothing is scaled up."
    )
    encoding: Encoding = Field(description="How hard the encoder works.")


class OtherQualities(StrictModel):
    """The qualities beside standard, which the rest of the preset describes."""

    draft: QualitySettings
    best: QualitySettings


class PresetSettings(StrictModel):
    """One file of configs/presets."""

    title: str = Field(description="One line for people.")
    space: Literal["motion"] = Field(description="Latent space.")
    models: ModelIds
    sampler: SamplerSettings
    limits: Limits
    encoding: Encoding = Field(description="How hard the encoder works at standard quality.")
    quality: OtherQualities

    def at(self, quality: Quality) -> QualitySettings:
        """What a quality stands for in this preset."""
        if quality == "standard":
            longest_side_px = self.limits.longest_side_px
            return QualitySettings(steps=self.sampler.steps, longest_side_px=longest_side_px, encoding=self.encoding)
        chosen: QualitySettings = getattr(self.quality, quality)
        return chosen

    @property
    def model_ids(self) -> list[str]:
        """Every model the preset uses."""
        return list(self.models.model_dump().values())


def needed_models(preset: PresetSettings, request: AnimationRequest) -> list[str]:
    """The models that one request uses; the others of the preset need not be there."""
    idle = {preset.models.sentences} if request.text is None else set()
    return [model_id for model_id in preset.model_ids if model_id not in idle]


def load_preset(name: str) -> PresetSettings:
    """Reads configs/presets/NAME.yaml.

    Raises:
        ConfigError: preset_invalid for what cannot be a name, config_missing with the nearest preset, setting_unknown
            or setting_invalid.
    """
    folder = configs_dir() / "presets"
    if not re.fullmatch("[a-z0-9][a-z0-9-]*", name):
        known = [path.stem for path in folder.glob("*.yaml")]
        raise ConfigError("preset_invalid", f"{name[:80]!r} is not the name of a preset", nearest(name, known))
    return load(PresetSettings, folder / f"{name}.yaml")
