"""The denoiser of the motion space: a small flow-matching transformer with OmniHuman's conditions. No sampling here.

It predicts the data x_0 and returns the velocity. The depthwise temporal convolution in each block was decisive in
the prototype (head velocity 5.5x -> 1.4x of the teacher's). OmniHuman-1 sections 3.1-3.2; sizes: our own measurements.
Legend: B batch, C channels, T latent frames, D width. Conditions as in conditions.base.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn
from torch.nn import functional

from omnihuman import weights_file
from omnihuman.conditions.base import ConditionBatch
from omnihuman.denoisers.base import Velocity
from omnihuman.denoisers.blocks import (
    MODULATIONS,
    Angles,
    AudioEncoder,
    AudioRows,
    Block,
    layer_norm,
    masked_choice,
    rotary_angles,
)
from omnihuman.types import LatentSpec

T_FLOOR = 0.02
"""Below this t the velocity is no longer divided by t: it shrinks to 0 with t, and no step is thrown off."""
EXIT_MODULATIONS = 2
"""Shift and scale of the exit."""
ROTARY_THETA = 1000.0
"""Base of the rotary rates: the slowest wave is several windows long."""


class _Context(NamedTuple):
    """What the transformer makes of the conditions, once for all steps of a run.

    Attributes:
        observed: `B C T` known latents, 0 elsewhere.
        mask: `B C T` where they hold.
        heard: `B T D` the sound of each frame.
        rows: Per block, the audio rows as keys and values of its cross-attention.
        reference: `B D` the picture.
        by_text: `B 9 T D`, or `B 9 1 D`: what the text adds to the modulation of the blocks.
        exit_by_text: `B 2 T D`, or `B 2 1 D`: the same for the exit.
        angles: Rotary angles of the frames.
    """

    observed: Tensor
    mask: Tensor
    heard: Tensor
    rows: list[AudioRows]
    reference: Tensor
    by_text: Tensor
    exit_by_text: Tensor
    angles: Angles


class MotionDiT(ModelMixin, ConfigMixin):
    """(latents `B C T`, t `B`, conditions) -> velocity `B C T`, any T.

    Args:
        channels: C of the space.
        fps: Latent frames per second.
        text_features: Width of a sentence embedding.
        audio_features: Width of an audio row.
        reference_width: Width of the reference vector.
        width: D of the transformer.
        layers: Blocks.
        heads: Attention heads.
        mlp_ratio: Hidden width of a block's MLP over D.
        kernel: Frames of the temporal convolution.
        audio_width: Width of the audio encoder.
        audio_layers: Blocks of the audio encoder.
        audio_reach: Audio rows that a frame hears on either side of its centre.
    """

    config_name = "config.json"  # type: ignore[assignment]

    @register_to_config
    def __init__(  # noqa: PLR0913 - diffusers registers every argument as a config key
        self,
        channels: int = 50,
        fps: float = 25.0,
        text_features: int = 384,
        audio_features: int = 43,
        reference_width: int = 8,
        width: int = 192,
        layers: int = 4,
        heads: int = 4,
        mlp_ratio: int = 3,
        kernel: int = 9,
        audio_width: int = 128,
        audio_layers: int = 4,
        audio_reach: int = 7,
    ) -> None:
        super().__init__()
        self.entry = nn.Linear(3 * channels, width)
        self.audio_encoder = AudioEncoder(audio_features, audio_width, audio_layers)
        self.audio_null = nn.Parameter(torch.randn(audio_width) * 0.02)
        self.audio_entry = nn.Linear(2 * audio_width, width)
        self.regression = nn.Linear(2 * audio_width, channels)
        self.reference_encoder = nn.Sequential(nn.Linear(reference_width, width), nn.SiLU(), nn.Linear(width, width))
        self.reference_null = nn.Parameter(torch.randn(width) * 0.02)
        self.text_encoder = nn.Sequential(nn.Linear(text_features, width), nn.SiLU(), nn.Linear(width, width))
        self.text_null = nn.Parameter(torch.zeros(width))
        self.text_modulation = nn.Linear(width, (MODULATIONS + EXIT_MODULATIONS) * width, bias=False)
        self.time_waves = Timesteps(width, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_encoder = TimestepEmbedding(width, width)
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, MODULATIONS * width))
        self.blocks = nn.ModuleList(
            Block(width, heads, mlp_ratio, kernel, audio_width, audio_reach) for _ in range(layers)
        )
        self.exit_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, EXIT_MODULATIONS * width))
        self.exit = nn.Linear(width, channels)
        nn.init.zeros_(self.text_modulation.weight)
        nn.init.zeros_(self.exit.weight)
        nn.init.zeros_(self.exit.bias)

    @property
    def spec(self) -> LatentSpec:
        """The motion space at this model's clock."""
        return LatentSpec("motion", self.config["channels"], self.config["fps"])

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str) -> MotionDiT:
        """The model of one safetensors file whose header holds the config, in eval mode on `device`.

        Raises:
            ModelError: `weights_unreadable` or `weights_unfit`; see `weights_file.read`.
        """
        path = weights_file.only(files)
        config, tensors = weights_file.read(path, known=set(cls._signature()))
        model = cls(**config)
        weights_file.fill(model, tensors, path)
        return cast(MotionDiT, model.to(device).eval())

    def save_file(self, path: Path, extra_metadata: Mapping[str, str] | None = None) -> None:
        """Writes weights and config as one safetensors file that `from_files` reads; aside first, then renamed."""
        config = {key: self.config[key] for key in self._signature()}
        weights_file.write(path, self.state_dict(), config, extra_metadata or {})

    def forward(self, latents: Tensor, t: Tensor, conditions: ConditionBatch) -> Tensor:
        """Noisy latents `B C T`, t `B` in 0..1 -> velocity `B C T`. Observed entries of `latents` are not read."""
        return self.velocity_and_regression(latents, t, conditions)[0]

    def bound(self, conditions: ConditionBatch) -> Velocity:
        """(latents, t) -> velocity under fixed conditions; what does not depend on latents and t is computed once."""
        context, _ = self._context(conditions)
        return lambda latents, t: self._velocity(latents, t, context)

    def velocity_and_regression(self, latents: Tensor, t: Tensor, conditions: ConditionBatch) -> tuple[Tensor, Tensor]:
        """The velocity and, for training, the audio encoder's direct guess of the data; both `B C T` float32."""
        context, regressed = self._context(conditions)
        return self._velocity(latents, t, context), regressed

    def _velocity(self, latents: Tensor, t: Tensor, context: _Context) -> Tensor:
        """Noisy latents `B C T`, t `B` -> velocity `B C T` float32."""
        mask = context.mask
        tokens = torch.cat((latents * (1 - mask), context.observed, mask), dim=1).transpose(1, 2)
        x = self.entry(tokens) + context.heard
        waves = self.time_waves(1000.0 * t.float()).to(context.reference.dtype)
        state = cast(Tensor, self.time_encoder(waves)) + context.reference
        modulation = self.modulation(state).unflatten(-1, (MODULATIONS, 1, -1)) + context.by_text
        for block, rows in zip(self.blocks, context.rows, strict=True):
            x = block(x, rows, modulation, context.angles)
        exit_modulation = self.exit_modulation(state).unflatten(-1, (EXIT_MODULATIONS, 1, -1)) + context.exit_by_text
        shift, scale = exit_modulation.unbind(1)
        data = self.exit(layer_norm(x) * (1 + scale) + shift).transpose(1, 2).float()
        return (latents - data) / t.reshape(-1, 1, 1).clamp(min=T_FLOOR)

    def _context(self, conditions: ConditionBatch) -> tuple[_Context, Tensor]:
        """Everything that follows from the conditions alone, and the direct regression `B C T` float32."""
        num_frames = conditions.observed_mask.shape[-1]
        heard, regressed = self._hear(conditions)
        angles, row_angles = self._angles(num_frames, heard.device)
        by_text, exit_by_text = self._prompted(conditions)
        context = _Context(
            observed=conditions.observed * conditions.observed_mask,
            mask=conditions.observed_mask,
            heard=self.audio_entry(heard.unflatten(1, (num_frames, 2)).flatten(2)),
            rows=[cast(Block, block).audio.rows(heard, row_angles) for block in self.blocks],
            reference=self._seen(conditions),
            by_text=by_text,
            exit_by_text=exit_by_text,
            angles=angles,
        )
        return context, regressed.transpose(1, 2).float()

    def _hear(self, conditions: ConditionBatch) -> tuple[Tensor, Tensor]:
        """Audio rows `B 2T D'`, the learned null where absent; and the direct regression `B T C`."""
        encoded = self.audio_encoder(conditions.audio)
        regressed = self.regression(encoded.unflatten(1, (-1, 2)).flatten(2))
        return masked_choice(conditions.audio_present, encoded, self.audio_null), regressed

    def read(self, text: Tensor) -> Tensor:
        """Sentence embeddings `... E` of length 1 -> what the network makes of them, `... D`.

        They are brought to unit variance, or the encoder would see little but its own biases.
        """
        encoded: Tensor = self.text_encoder(text * self.config["text_features"] ** 0.5)
        return encoded

    def _prompted(self, conditions: ConditionBatch) -> tuple[Tensor, Tensor]:
        """What the text adds to the modulation of every frame, `B 9 T D`, and of the exit, `B 2 T D`.

        A prompt acts on the frames it holds for, so adaLN differs from frame to frame. Where every item of the batch
        has one prompt throughout, or none, T is 1 and most of the work vanishes.
        """
        text, present = conditions.text, conditions.text_present
        if bool((text == text[:, :1]).all() & (present == present[:, :1]).all()):
            text, present = text[:, :1], present[:, :1]
        if bool(present.any()):
            given = masked_choice(present, self.read(text), self.text_null)
        else:
            given = self.text_null.expand(len(present), 1, -1)
        both = self.text_modulation(functional.silu(given)).unflatten(-1, (MODULATIONS + EXIT_MODULATIONS, -1))
        both = both.transpose(1, 2)
        return both[:, :MODULATIONS], both[:, MODULATIONS:]

    def _seen(self, conditions: ConditionBatch) -> Tensor:
        """What adaLN reads of the picture, `B D`."""
        reference = self.reference_encoder(conditions.reference)
        return masked_choice(conditions.reference_present, reference, self.reference_null)

    def _angles(self, num_frames: int, device: torch.device) -> tuple[Angles, Angles]:
        """Rotary angles of frames (at their centres) and of audio rows (at start and centre of a frame), in frames."""
        head_width = self.config["width"] // self.config["heads"]
        frames = torch.arange(num_frames, device=device) + 0.5
        rows = torch.arange(2 * num_frames, device=device) / 2
        return rotary_angles(frames, head_width, ROTARY_THETA), rotary_angles(rows, head_width, ROTARY_THETA)

    @classmethod
    def _signature(cls) -> list[str]:
        """Names of the config keys."""
        return sorted(cls._get_init_keys(cls) - {"self"})
