"""Settings of a training run, as written in configs/training/*.yaml. The only place of their defaults.

Legend of ratios: share of the training windows on which a condition is switched on (OmniHuman-1 section 3.2).
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, model_validator

from omnihuman.conditions.base import STRENGTH
from omnihuman.config import StrictModel, load
from omnihuman.training.dataset import WindowSettings
from omnihuman.training.sound.precompute import SpeechSettings
from omnihuman.training.words.reading import ReadingSettings


class Ratios(StrictModel):
    """How often each condition is present in a stage; the stronger, the rarer. Of windows that carry it at all."""

    text: float = Field(0.9, ge=0.0, le=1.0)
    reference: float = Field(0.9, ge=0.0, le=1.0)
    audio: float = Field(0.8, ge=0.0, le=1.0)
    pose: float = Field(0.25, ge=0.0, le=1.0)
    motion_frames: float = Field(0.7, ge=0.0, le=1.0)


class Stage(StrictModel):
    """A stretch of training with its own ratios; stages follow each other, weakest condition first."""

    name: str
    steps: int = Field(ge=1)
    ratios: Ratios = Ratios()

    @property
    def kinds(self) -> set[str]:
        """Conditions that are ever present in this stage."""
        return {kind for kind in STRENGTH if getattr(self.ratios, kind) > 0}


class ModelSettings(StrictModel):
    """Size of the transformer; see `MotionDiT` for the meaning of each."""

    width: int = Field(192, ge=16)
    layers: int = Field(4, ge=1)
    heads: int = Field(4, ge=1)
    mlp_ratio: int = Field(3, ge=1)
    kernel: int = Field(9, ge=1)
    audio_width: int = Field(128, ge=8)
    audio_layers: int = Field(4, ge=1)
    audio_reach: int = Field(7, ge=1, le=40)

    @model_validator(mode="after")
    def _fits(self) -> ModelSettings:
        if self.width % self.heads or self.width // self.heads % 2:
            raise ValueError(f"a width of {self.width} cannot be cut into {self.heads} heads of even width")
        if self.kernel % 2 == 0:
            raise ValueError("kernel must be odd")
        return self


class OptimizerSettings(StrictModel):
    """AdamW with warm-up and cosine decay."""

    learning_rate: float = Field(1e-3, gt=0.0)
    final_fraction: float = Field(0.02, ge=0.0, le=1.0)
    weight_decay: float = Field(0.01, ge=0.0)
    warmup_steps: int = Field(200, ge=0)
    clip_norm: float = Field(1.0, gt=0.0)
    ema_decay: float = Field(0.999, ge=0.0, lt=1.0)


class LossSettings(StrictModel):
    """What is learned, and what counts how much; the weights of single parameters belong to the data.

    Attributes:
        objective: `flow` = flow matching; `regression` = the same network asked for the data at once, at t = 1 and with
            zeros for noise: the baseline that flow matching must not fall below. One step samples it.
        time_bias: b of the weight 1 / (t + b) on the error.
        velocity: Weight of the error of frame-to-frame differences, seam with the motion frames included.
        regression: Weight of the audio encoder's direct guess of the mouth.
    """

    objective: Literal["flow", "regression"] = "flow"
    time_bias: float = Field(0.15, gt=0.0)
    velocity: float = Field(1.0, ge=0.0)
    regression: float = Field(0.5, ge=0.0)


class DataSettings(StrictModel):
    """Where windows come from.

    Attributes:
        kind: `speech` = the built-in voice taught by our teacher; `synthetic` = made up on the spot, for tests.
        frames: Latent frames of a window.
        prefix_frames: Fewest and most motion frames of a window that has any.
        speech: What speech is made; only for `speech`.
        quiet_ratio: Share of windows in which nobody speaks; only for `speech`.
        blink_boost: Added loss weight of closing lids; only for `speech`.
    """

    kind: Literal["speech", "synthetic"]
    frames: int = Field(100, ge=8)
    prefix_frames: tuple[int, int] = (4, 24)
    speech: SpeechSettings = SpeechSettings()
    quiet_ratio: float = Field(0.1, ge=0.0, le=1.0)
    blink_boost: float = Field(3.0, ge=0.0)

    @model_validator(mode="after")
    def _prefix_inside(self) -> DataSettings:
        low, high = self.prefix_frames
        if not 1 <= low <= high < self.frames:
            raise ValueError(f"prefix_frames {low}..{high} must lie inside a window of {self.frames} frames")
        return self

    @property
    def windows(self) -> WindowSettings:
        """How the speech windows are drawn."""
        return WindowSettings(num_frames=self.frames, quiet_ratio=self.quiet_ratio, blink_boost=self.blink_boost)


class TrainingSettings(StrictModel):
    """One training of the transformer.

    `task` names what is trained, here and in other files (`tasks.py`). It is not dumped: files need not say it, and a
    checkpoint belongs to what decides the weights.
    """

    task: Literal["motion"] = Field("motion", exclude=True)
    seed: int = Field(1, ge=0)
    start_from: Path | None = Field(None, description="Weights of the same network, in weights/, to begin with.")
    data: DataSettings
    model: ModelSettings = ModelSettings()
    stages: tuple[Stage, ...] = Field(min_length=1)
    batch_size: int = Field(24, ge=1)
    optimizer: OptimizerSettings = OptimizerSettings()
    loss: LossSettings = LossSettings()
    reading: ReadingSettings = ReadingSettings()
    precision: Literal["bf16", "fp32"] = "bf16"
    export: Path = Path("motion-dit.safetensors")
    save_every_min: float = Field(10.0, gt=0.0)

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.steps for stage in self.stages)

    @property
    def reads_text(self) -> bool:
        """Whether any stage is trained with text."""
        return any("text" in stage.kinds for stage in self.stages)


def read_settings(path: Path) -> TrainingSettings:
    """Reads one training configuration.

    Raises:
        ConfigError: missing, not YAML, an unknown key (with the nearest right one) or a value out of range.
    """
    return load(TrainingSettings, path)
