"""The denoiser of the motion space: a small flow-matching transformer with OmniHuman's conditions. No sampling here.

It predicts the data x_0 and returns the velocity. The depthwise temporal convolution in each block was decisive in
the prototype (head velocity 5.5x -> 1.4x of the teacher's). OmniHuman-1 sections 3.1-3.2; sizes: our own measurements.
Legend: B batch, C channels, T latent frames, D width. Conditions as in conditions.base.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.embeddings import TimestepEmbedding, Timesteps
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

from omnihuman import weights_file
from omnihuman.conditions.base import ConditionBatch
from omnihuman.denoisers.blocks import (
    MODULATIONS,
    Angles,
    AudioEncoder,
    Block,
    layer_norm,
    masked_choice,
    rotary_angles,
)
from omnihuman.types import LatentSpec

T_FLOOR = 0.02
"""Below this t the velocity is no longer divided by t; the same floor as `flow.path` (a test holds them together)."""
ROTARY_THETA = 1000.0
"""Base of the rotary rates: the slowest wave is several windows long."""


class MotionDiT(ModelMixin, ConfigMixin):
    """(latents `B C T`, t `B`, conditions) -> velocity `B C T`, any T.

    Args:
        channels: C of the space.
        fps: Latent frames per second.
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
        self.time_waves = Timesteps(width, flip_sin_to_cos=True, downscale_freq_shift=0)
        self.time_encoder = TimestepEmbedding(width, width)
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, MODULATIONS * width))
        self.blocks = nn.ModuleList(
            Block(width, heads, mlp_ratio, kernel, audio_width, audio_reach) for _ in range(layers)
        )
        self.exit_modulation = nn.Sequential(nn.SiLU(), nn.Linear(width, 2 * width))
        self.exit = nn.Linear(width, channels)
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

    def velocity_and_regression(self, latents: Tensor, t: Tensor, conditions: ConditionBatch) -> tuple[Tensor, Tensor]:
        """The velocity and, for training, the audio encoder's direct guess of the data; both `B C T` float32."""
        num_frames = latents.shape[-1]
        heard, regressed = self._hear(conditions)
        mask = conditions.observed_mask
        tokens = torch.cat((latents * (1 - mask), conditions.observed * mask, mask), dim=1).transpose(1, 2)
        x = self.entry(tokens) + self.audio_entry(heard.unflatten(1, (num_frames, 2)).flatten(2))
        state = self._state(t, conditions)
        modulation = self.modulation(state).unflatten(-1, (MODULATIONS, -1))
        angles = self._angles(num_frames, latents.device)
        for block in self.blocks:
            x = block(x, heard, modulation, angles)
        shift, scale = self.exit_modulation(state).unsqueeze(1).chunk(2, dim=-1)
        data = self.exit(layer_norm(x) * (1 + scale) + shift).transpose(1, 2).float()
        velocity = (latents - data) / t.reshape(-1, 1, 1).clamp(min=T_FLOOR)
        return velocity, regressed.transpose(1, 2).float()

    def _hear(self, conditions: ConditionBatch) -> tuple[Tensor, Tensor]:
        """Audio rows `B 2T D'`, the learned null where absent; and the direct regression `B T C`."""
        encoded = self.audio_encoder(conditions.audio)
        regressed = self.regression(encoded.unflatten(1, (-1, 2)).flatten(2))
        return masked_choice(conditions.audio_present, encoded, self.audio_null), regressed

    def _state(self, t: Tensor, conditions: ConditionBatch) -> Tensor:
        """What adaLN reads: time and reference, `B D`."""
        waves = self.time_waves(1000.0 * t.float()).to(conditions.reference.dtype)
        reference = self.reference_encoder(conditions.reference)
        known = masked_choice(conditions.reference_present, reference, self.reference_null)
        return cast(Tensor, self.time_encoder(waves)) + known

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
