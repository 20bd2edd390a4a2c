"""Parts of the motion transformer: rotary time, depthwise temporal convolution, audio encoder, block. No conditions logic.

Legend: B batch, T latent frames, N = 2T audio rows, D width, H heads. Sequences are `B T D`.
OmniHuman-1 section 3.1 (audio cross-attention in every block); convolution k = 9: measured, see motion_dit.py.
"""

from __future__ import annotations

from typing import cast

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import Tensor, nn
from torch.nn import functional


def rotary_angles(times: Tensor, head_width: int, theta: float) -> tuple[Tensor, Tensor]:
    """Cosine and sine `1 T 1 head_width/2` of rotary positions at `times` `T`, in latent frames."""
    half = head_width // 2
    rates = theta ** (-torch.arange(half, device=times.device, dtype=torch.float32) / half)
    angles = (times.float()[:, None] * rates)[None, :, None]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, angles: tuple[Tensor, Tensor]) -> Tensor:
    """Rotary embedding of `B T H head_width`: the two halves of a head are the two coordinates."""
    cos, sin = angles[0].to(x.dtype), angles[1].to(x.dtype)
    first, second = x.chunk(2, dim=-1)
    return torch.cat((first * cos - second * sin, first * sin + second * cos), dim=-1)


class TemporalConv(nn.Module):
    """Depthwise convolution over time, same length; zero padding beyond both ends."""

    def __init__(self, width: int, kernel: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, kernel, padding=dilation * (kernel // 2), dilation=dilation, groups=width)

    def forward(self, x: Tensor) -> Tensor:
        """`B T D` -> `B T D`."""
        return cast(Tensor, self.conv(x.transpose(1, 2))).transpose(1, 2)


class ConvBlock(nn.Module):
    """Dilated ConvNeXt block of the audio encoder."""

    def __init__(self, width: int, kernel: int, dilation: int) -> None:
        super().__init__()
        self.conv = TemporalConv(width, kernel, dilation)
        self.norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(approximate="tanh"), nn.Linear(2 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """`B N D` -> `B N D`."""
        return x + cast(Tensor, self.mlp(self.norm(self.conv(x))))


class AudioEncoder(nn.Module):
    """Phonetic features `B N features` -> `B N D`; dilations 1, 2, 1, 2, ... widen what a row hears."""

    def __init__(self, features: int, width: int, layers: int, kernel: int = 7) -> None:
        super().__init__()
        self.entry = nn.Linear(features, width)
        self.blocks = nn.Sequential(*(ConvBlock(width, kernel, 1 + i % 2) for i in range(layers)))
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor) -> Tensor:
        """`B N features` -> `B N D`."""
        return cast(Tensor, self.norm(self.blocks(self.entry(x))))


class Attention(nn.Module):
    """Multi-head attention with rotary time; self-attention when keys come from the queries' own sequence."""

    def __init__(self, width: int, heads: int, context_width: int | None = None) -> None:
        super().__init__()
        self.heads = heads
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(context_width or width, 2 * width)
        self.out = nn.Linear(width, width)

    def forward(
        self,
        x: Tensor,
        context: Tensor,
        angles: tuple[Tensor, Tensor],
        context_angles: tuple[Tensor, Tensor],
        mask: Tensor | None = None,
    ) -> Tensor:
        """Queries `B T D`, context `B N D'` -> `B T D`; `mask` `1 1 T N` is True where attention is allowed."""
        query = rotate(self.q(x).unflatten(-1, (self.heads, -1)), angles)
        key, value = self.kv(context).unflatten(-1, (2 * self.heads, -1)).chunk(2, dim=2)
        mixed = _attend(query, rotate(key, context_angles), value, mask)
        return cast(Tensor, self.out(mixed.flatten(2)))


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None) -> Tensor:
    """Attention of `B T H head_width` through diffusers' dispatcher.

    On a CPU always in float32: there the bfloat16 backward pass takes about three times as long.
    """
    if query.device.type != "cpu":
        return cast(Tensor, dispatch_attention_fn(query, key, value, attn_mask=mask))
    with torch.autocast("cpu", enabled=False):
        mixed = dispatch_attention_fn(query.float(), key.float(), value.float(), attn_mask=mask)
    return cast(Tensor, mixed).to(value.dtype)


def audio_band(num_frames: int, reach: int, device: torch.device) -> Tensor:
    """Which audio rows a frame hears, `1 1 T 2T` bool: the row at its centre and `reach` more on either side."""
    centre = torch.arange(num_frames, device=device)[:, None] * 2 + 1
    row = torch.arange(2 * num_frames, device=device)[None, :]
    return ((row - centre).abs() <= reach)[None, None]


MODULATIONS = 9
"""Vectors that adaLN gives a block: shift, scale and gate of convolution, self-attention and MLP."""


class Block(nn.Module):
    """Convolution, self-attention, banded audio cross-attention, MLP; all but the third modulated by adaLN."""

    def __init__(self, width: int, heads: int, mlp_ratio: int, kernel: int, audio_width: int) -> None:
        super().__init__()
        self.offsets = nn.Parameter(torch.randn(MODULATIONS, width) * 0.02)
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(3))
        self.conv = TemporalConv(width, kernel)
        self.attention = Attention(width, heads)
        self.audio_norm = nn.LayerNorm(width)
        self.audio = Attention(width, heads, audio_width)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_ratio * width), nn.GELU(approximate="tanh"), nn.Linear(mlp_ratio * width, width)
        )

    def forward(
        self,
        x: Tensor,
        audio: Tensor,
        modulation: Tensor,
        angles: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]],
        band: Tensor,
    ) -> Tensor:
        """Tokens `B T D`, audio `B N D'`, modulation `B 9 D`, (frame, audio) angles, band -> `B T D`."""
        shift_c, scale_c, gate_c, shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            modulation + self.offsets.to(modulation.dtype)
        ).unsqueeze(2).unbind(1)
        x = x + gate_c * self.conv(self.norms[0](x) * (1 + scale_c) + shift_c)
        seen = self.norms[1](x) * (1 + scale_a) + shift_a
        x = x + gate_a * self.attention(seen, seen, angles[0], angles[0])
        x = x + self.audio(self.audio_norm(x), audio, angles[0], angles[1], band)
        return x + gate_m * cast(Tensor, self.mlp(self.norms[2](x) * (1 + scale_m) + shift_m))


def masked_choice(present: Tensor, given: Tensor, null: Tensor) -> Tensor:
    """`given` (`B ...`) where `present` (`B`) is above one half, else `null`, which broadcasts against it."""
    flag = present.reshape(-1, *(1,) * (given.ndim - 1)) > 0.5
    return torch.where(flag, given, null.to(given.dtype))


def layer_norm(x: Tensor) -> Tensor:
    """Layer norm over the last axis without learned gain."""
    return functional.layer_norm(x, x.shape[-1:])
