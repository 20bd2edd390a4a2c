"""Settings of a training of the voice gate, as in configs/training/voice-gate.yaml; the one place of their defaults."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from omnihuman.config import StrictModel, load
from omnihuman.training.settings import OptimizerSettings
from omnihuman.training.voice_gate.rows import VoiceGateSoundSettings
from omnihuman.training.voice_gate.step import JudgeLossSettings
from omnihuman.training.voice_gate.windows import DisturbanceSettings


class VoiceGateWindowSettings(StrictModel):
    """Where windows come from.

    Attributes:
        sounds: What sounds are made.
        rows: Rows of a window, 50 per second.
        disturbance: How features are disturbed.
    """

    sounds: VoiceGateSoundSettings = VoiceGateSoundSettings()
    rows: int = Field(600, ge=1)
    disturbance: DisturbanceSettings = DisturbanceSettings()

    @model_validator(mode="after")
    def _rows_inside(self) -> VoiceGateWindowSettings:
        if self.rows > self.sounds.rows:
            raise ValueError(f"a window of {self.rows} rows must fit into a sound of {self.sounds.rows}")
        return self


class VoiceGateTrainingSettings(StrictModel):
    """One training; `task` tells its file from those of other networks. The size of the judge is its own."""

    task: Literal["voice-gate"]
    seed: int = Field(1, ge=0)
    data: VoiceGateWindowSettings = VoiceGateWindowSettings()
    batch_size: int = Field(16, ge=1)
    steps: int = Field(ge=1)
    optimizer: OptimizerSettings = OptimizerSettings()
    loss: JudgeLossSettings = JudgeLossSettings()
    precision: Literal["bf16", "fp32"] = "fp32"
    export: Path = Path("voice-judge.safetensors")
    save_every_min: float = Field(5.0, gt=0.0)


def read_voice_gate_settings(path: Path) -> VoiceGateTrainingSettings:
    """Reads one configuration.

    Raises:
        ConfigError: missing, not YAML, an unknown key (with the nearest right one) or a value out of range.
    """
    return load(VoiceGateTrainingSettings, path)
