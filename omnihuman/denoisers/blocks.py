"""Parts of the motion transformer: rotary time, temporal convolution, audio encoder, attention, block. No conditions.

Legend: B batch, T latent frames, N = 2T audio rows, D width, H heads. Sequences are `B T D`.
OmniHuman-1 section 3.1 (audio cross-attention in every block); convolution k = 9: measured, see motion_dit.py.
"""

from __future__ import annotations

from typing import NamedTuple, cast

import torch
from diffusers.models.attention_dispatch import dispatch_attention_fn
from torch import Tensor, nn
from torch.nn import functional

Angles = tuple[Tensor, Tensor]
"""Cosine and sine of rotary positions."""


def rotary_angles(times: Tensor, head_width: int, theta: float) -> Angles:
    """Cosine and sine `1 T 1 head_width/2` of rotary positions at `times` `T`, in latent frames."""
    half = head_width // 2
    rates = theta ** (-torch.arange(half, device=times.device, dtype=torch.float32) / half)
    angles = (times.float()[:, None] * rates)[None, :, None]
    return angles.cos(), angles.sin()


def rotate(x: Tensor, angles: Angles) -> Tensor:
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
    """Multi-head self-attention with rotary time."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)

    def forward(self, x: Tensor, angles: Angles) -> Tensor:
        """`B T D` -> `B T D`."""
        query, key, value = self.qkv(x).unflatten(-1, (3 * self.heads, -1)).chunk(3, dim=2)
        mixed = _attend(rotate(query, angles), rotate(key, angles), value)
        return cast(Tensor, self.out(mixed.flatten(2)))


class AudioRows(NamedTuple):
    """Keys and values `B*chunks K H head_width` of the rows that each chunk of frames can hear, and who hears what."""

    key: Tensor
    value: Tensor
    mask: Tensor


class BandedAttention(nn.Module):
    """Attention of frames to the audio rows near them, with rotary time.

    Frames go in chunks, each with just the rows it can hear: cost and memory grow with T, not with its square.

    Args:
        width: D of the frames.
        heads: H.
        context_width: D' of the audio rows.
        reach: Rows that a frame hears on either side of the one at its centre.
    """

    def __init__(self, width: int, heads: int, context_width: int, reach: int) -> None:
        super().__init__()
        assert 1 <= reach <= 2 * CHUNK_FRAMES, reach
        self.heads, self.reach = heads, reach
        self.q = nn.Linear(width, width)
        self.kv = nn.Linear(context_width, 2 * width)
        self.out = nn.Linear(width, width)

    def rows(self, context: Tensor, angles: Angles) -> AudioRows:
        """Audio rows `B 2T D'` -> what each chunk of frames can hear; the same at every step of a run."""
        num_frames = context.shape[1] // 2
        key, value = self.kv(context).unflatten(-1, (2 * self.heads, -1)).chunk(2, dim=2)
        chunks = -(-num_frames // CHUNK_FRAMES)
        near_key, near_value = (self._near(rows, chunks) for rows in (rotate(key, angles), value))
        mask = hearing_mask(num_frames, self.reach, context.device).repeat(len(context), 1, 1, 1)
        return AudioRows(near_key, near_value, mask)

    def forward(self, x: Tensor, rows: AudioRows, angles: Angles) -> Tensor:
        """Frames `B T D` -> `B T D`."""
        num_frames, chunks = x.shape[1], len(rows.key) // len(x)
        query = rotate(self.q(x).unflatten(-1, (self.heads, -1)), angles)
        query = functional.pad(query, (0, 0, 0, 0, 0, chunks * CHUNK_FRAMES - num_frames))
        mixed = _attend(query.unflatten(1, (chunks, CHUNK_FRAMES)).flatten(0, 1), *rows)
        mixed = mixed.unflatten(0, (len(x), chunks)).flatten(1, 2)[:, :num_frames]
        return cast(Tensor, self.out(mixed.flatten(2)))

    def _near(self, rows: Tensor, chunks: int) -> Tensor:
        """`B 2T H head_width` -> `B*chunks K H head_width`, the rows that each chunk of frames can hear."""
        stride, before, after = 2 * CHUNK_FRAMES, self.reach - 1, self.reach
        own = functional.pad(rows, (0, 0, 0, 0, 0, chunks * stride - rows.shape[1])).unflatten(1, (chunks, stride))
        left = functional.pad(own[:, :-1, stride - before :], (0, 0, 0, 0, 0, 0, 1, 0))
        right = functional.pad(own[:, 1:, :after], (0, 0, 0, 0, 0, 0, 0, 1))
        return torch.cat((left, own, right), dim=2).flatten(0, 1)


CHUNK_FRAMES = 20


def hearing_mask(num_frames: int, reach: int, device: torch.device) -> Tensor:
    """`chunks 1 CHUNK_FRAMES K` bool: which of a chunk's rows each of its frames hears; never beyond the sound.

    A frame past the end of the clip hears what the last one does, so that no row of the softmax is empty.
    """
    chunks = -(-num_frames // CHUNK_FRAMES)
    frame = torch.arange(chunks * CHUNK_FRAMES, device=device).clamp(max=num_frames - 1)
    centre = 2 * frame.unflatten(0, (chunks, CHUNK_FRAMES)) + 1
    first = torch.arange(chunks, device=device) * 2 * CHUNK_FRAMES + 1 - reach
    row = first[:, None] + torch.arange(2 * CHUNK_FRAMES + 2 * reach - 1, device=device)
    heard = (row[:, None] - centre[:, :, None]).abs() <= reach
    inside = (row >= 0) & (row < 2 * num_frames)
    return (heard & inside[:, None])[:, None]


def _attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None = None) -> Tensor:
    """Attention of `B T H head_width` through diffusers' dispatcher.

    On a CPU always in float32: there the bfloat16 backward pass takes about three times as long.
    """
    if query.device.type != "cpu":
        return dispatch_attention_fn(query, key, value, attn_mask=mask)
    with torch.autocast("cpu", enabled=False):
        mixed = dispatch_attention_fn(query.float(), key.float(), value.float(), attn_mask=mask)
    return mixed.to(value.dtype)


MODULATIONS = 9
"""Vectors that adaLN gives a block: shift, scale and gate of convolution, self-attention and MLP."""


class Block(nn.Module):
    """Convolution, self-attention, banded audio cross-attention, MLP; all but the third modulated by adaLN."""

    def __init__(self, width: int, heads: int, mlp_ratio: int, kernel: int, audio_width: int, audio_reach: int) -> None:
        super().__init__()
        self.offsets = nn.Parameter(torch.randn(MODULATIONS, width) * 0.02)
        self.norms = nn.ModuleList(nn.LayerNorm(width, elementwise_affine=False) for _ in range(3))
        self.conv = TemporalConv(width, kernel)
        self.attention = Attention(width, heads)
        self.audio_norm = nn.LayerNorm(width)
        self.audio = BandedAttention(width, heads, audio_width, audio_reach)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_ratio * width), nn.GELU(approximate="tanh"), nn.Linear(mlp_ratio * width, width)
        )

    def forward(self, x: Tensor, rows: AudioRows, modulation: Tensor, angles: Angles) -> Tensor:
        """Tokens `B T D`, audio rows of this block's `audio`, angles of the frames -> `B T D`.

        `modulation` is `B 9 T D`, or `B 9 1 D` where it is the same for all frames.
        """
        shift_c, scale_c, gate_c, shift_a, scale_a, gate_a, shift_m, scale_m, gate_m = (
            modulation + self.offsets.to(modulation.dtype).unsqueeze(1)
        ).unbind(1)
        x = x + gate_c * self.conv(self.norms[0](x) * (1 + scale_c) + shift_c)
        seen = self.norms[1](x) * (1 + scale_a) + shift_a
        x = x + gate_a * self.attention(seen, angles)
        x = x + self.audio(self.audio_norm(x), rows, angles)
        return x + gate_m * cast(Tensor, self.mlp(self.norms[2](x) * (1 + scale_m) + shift_m))


def masked_choice(present: Tensor, given: Tensor, null: Tensor) -> Tensor:
    """`given` (`B ...`) where `present` (`B` or `B T`) is above one half, else `null`, which broadcasts against it."""
    flag = present.reshape(*present.shape, *(1,) * (given.ndim - present.ndim)) > 0.5
    return torch.where(flag, given, null.to(given.dtype))


def layer_norm(x: Tensor) -> Tensor:
    """Layer norm over the last axis without learned gain."""
    return functional.layer_norm(x, x.shape[-1:])
