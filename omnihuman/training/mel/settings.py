"""Settings of a training of the mel front end, as in configs/training/mel.yaml. The only place of their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from omnihuman.config import StrictModel, load
from omnihuman.training.mel.augment import AugmentSettings
from omnihuman.training.mel.data import MelSpeechSettings
from omnihuman.training.mel.step import MelLossSettings
from omnihuman.training.settings import OptimizerSettings


class MelWindowSettings(StrictModel):
    """Where windows come from.

    Attributes:
        speech: What speech is made.
        rows: Rows of a window, 50 per second.
        quiet_ratio: Share of windows in which nobody speaks.
        augment: How features are spoilt.
    """

    speech: MelSpeechSettings = MelSpeechSettings()
    rows: int = Field(150, ge=50)
    quiet_ratio: float = Field(0.08, ge=0.0, le=1.0)
    augment: AugmentSettings = AugmentSettings()


class MelModelSettings(StrictModel):
    """Size of the network; see `MelNetwork`."""

    width: int = Field(144, ge=8)
    expansion: int = Field(3, ge=1)
    dilations: tuple[int, ...] = Field((1, 1, 1, 2, 2), min_length=1)


class MelTrainingSettings(StrictModel):
    """One training; `task` tells its file from those of other networks."""

    task: Literal["mel"]
    seed: int = Field(1, ge=0)
    data: MelWindowSettings = MelWindowSettings()
    model: MelModelSettings = MelModelSettings()
    batch_size: int = Field(24, ge=1)
    steps: int = Field(ge=1)
    optimizer: OptimizerSettings = OptimizerSettings()
    loss: MelLossSettings = MelLossSettings()
    precision: Literal["bf16", "fp32"] = "bf16"
    export: Path = Path("phones-mel.safetensors")
    save_every_min: float = Field(5.0, gt=0.0)


def read_mel_settings(path: Path) -> MelTrainingSettings:
    """Reads one configuration.

    Raises:
        ConfigError: missing, not YAML, an unknown key (with the nearest right one) or a value out of range.
    """
    return load(MelTrainingSettings, path)
