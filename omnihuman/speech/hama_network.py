"""The phonetic network of the hama wheel in torch: waveform to CTC log posteriors, a small conformer.

Not here: symbols, resampling, long sounds (`phones.py`). The graph was read off the tensors' names and shapes and
checked against the native engine (tests/parity). Conformer: Gulati et al. 2020, arXiv 2005.08100; no positions.
Legend: B batch, S samples at 16 kHz, F frequencies, M mel bands, T rows of 20 ms, W width.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from omnihuman.speech.hama_container import Tensors

_HOP = 160
"""Samples between spectra; the stem keeps every second one."""
_HEADS = 4
_POWER_FLOOR = 1e-10
_GELU_SCALE = 2.0**0.5 / 1.4140625
"""The exported graph divides by a half-precision root of two."""
_PREFIX = "acoustic_model.model."
_MATRICES_PER_BLOCK = ("ffn1.fc1", "ffn1.fc2", "attention.qkv", "attention.out", "ffn2.fc1", "ffn2.fc2")
"""Order of a block's nameless matrices, which is the order in which they are used."""


@dataclass(frozen=True)
class NetworkShape:
    """Sizes that the file decides.

    Attributes:
        window: Samples of a spectrum.
        mels: M.
        width: W.
        hidden: Width inside a feed-forward.
        kernel: Taps of the depthwise convolution.
        blocks: Conformer blocks.
        symbols: Columns of the output.
    """

    window: int
    mels: int
    width: int
    hidden: int
    kernel: int
    blocks: int
    symbols: int


class _FeedForward(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.fc1 = nn.Linear(shape.width, shape.hidden)
        self.fc2 = nn.Linear(shape.hidden, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(functional.silu(self.fc1(self.norm(x))))


class _Attention(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)

    def forward(self, x: Tensor) -> Tensor:
        batch, rows, width = x.shape
        heads = self.qkv(self.norm(x)).view(batch, rows, 3, _HEADS, width // _HEADS).permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(heads[0], heads[1], heads[2])
        return self.out(mixed.transpose(1, 2).reshape(batch, rows, width))


class _Convolution(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(shape.width)
        self.pointwise1 = nn.Conv1d(shape.width, 2 * shape.width, 1)
        padding = shape.kernel // 2
        self.depthwise = nn.Conv1d(shape.width, shape.width, shape.kernel, padding=padding, groups=shape.width)
        self.pointwise2 = nn.Conv1d(shape.width, shape.width, 1)

    def forward(self, x: Tensor) -> Tensor:
        gated = functional.glu(self.pointwise1(self.norm(x).transpose(1, 2)), dim=1)
        return self.pointwise2(functional.silu(self.depthwise(gated))).transpose(1, 2)


class _Block(nn.Module):
    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        self.ffn1 = _FeedForward(shape)
        self.attention = _Attention(shape)
        self.convolution = _Convolution(shape)
        self.ffn2 = _FeedForward(shape)
        self.norm = nn.LayerNorm(shape.width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + 0.5 * self.ffn1(x)
        x = x + self.attention(x)
        x = x + self.convolution(x)
        return self.norm(x + 0.5 * self.ffn2(x))


class PhoneNetwork(nn.Module):
    """Waveform to log posteriors. Build it with `from_tensors`."""

    spectrum: Tensor
    mel: Tensor

    def __init__(self, shape: NetworkShape) -> None:
        super().__init__()
        frequencies = shape.window // 2 + 1
        self.shape = shape
        self.register_buffer("spectrum", torch.zeros(2 * frequencies, 1, shape.window))
        self.register_buffer("mel", torch.zeros(frequencies, shape.mels))
        self.stem = nn.Conv1d(shape.mels, shape.width, 3, stride=2, padding=1)
        self.blocks = nn.ModuleList(_Block(shape) for _ in range(shape.blocks))
        self.head = nn.Linear(shape.width, shape.symbols)

    @classmethod
    def from_tensors(cls, tensors: Tensors) -> PhoneNetwork:
        """Build the network that a container holds.

        Args:
            tensors: As `read_container` gives them.

        Raises:
            ValueError: a tensor is missing, superfluous or of another shape.
        """
        state = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in _state(tensors).items()}
        try:
            network = cls(_shape(state))
            network.load_state_dict(state)
        except (KeyError, IndexError, ValueError, RuntimeError):
            raise ValueError("a tensor of the phonetic network is missing, superfluous or of another shape") from None
        return network.eval()

    def forward(self, samples: Tensor) -> Tensor:
        """Log posteriors of the symbols.

        Args:
            samples: ``B S`` at 16 kHz, longer than half a spectrum.

        Returns:
            ``B T symbols`` natural logs; row `t` is centred on sample `320 t`.
        """
        x = self.stem(self._log_mel(samples)) * _GELU_SCALE
        x = (functional.gelu(x) / _GELU_SCALE).transpose(1, 2)
        for block in self.blocks:
            x = block(x)
        return functional.log_softmax(self.head(x), dim=-1)

    def _log_mel(self, samples: Tensor) -> Tensor:
        """``B S`` to ``B M 2T``."""
        margin = self.shape.window // 2
        padded = functional.pad(samples[:, None], (margin, margin), mode="reflect")
        real, imaginary = functional.conv1d(padded, self.spectrum, stride=_HOP).chunk(2, dim=1)
        power = torch.einsum("bft,fm->bmt", real.square() + imaginary.square(), self.mel)
        # the published graph casts here; its weights were exported with that rounding
        return power.clamp_min(_POWER_FLOOR).log().half().float()


def _shape(state: dict[str, Tensor]) -> NetworkShape:
    hidden, width = state["blocks.0.ffn1.fc1.weight"].shape
    return NetworkShape(
        window=state["spectrum"].shape[-1],
        mels=state["mel"].shape[-1],
        width=width,
        hidden=hidden,
        kernel=state["blocks.0.convolution.depthwise.weight"].shape[-1],
        blocks=sum(name.endswith("depthwise.weight") for name in state),
        symbols=len(state["head.bias"]),
    )


def _state(tensors: Tensors) -> Tensors:
    """The container's tensors under the names of `PhoneNetwork`."""
    try:
        kernels = np.concatenate([tensors["stft_real_kernel"], tensors["stft_imag_kernel"]])
        state: Tensors = {
            "spectrum": kernels,
            "mel": tensors["mel_fb"],
            "head.weight": tensors[_PREFIX + "proj.weight"][..., 0],
            "head.bias": tensors[_PREFIX + "proj.bias"],
        }
    except (KeyError, IndexError, ValueError):
        raise ValueError("the tensors are not those of a waveform network") from None
    convolutions = _numbered(tensors, "onnx::Conv_")
    targets = ["stem", *(f"blocks.{i}.convolution.depthwise" for i in range(len(convolutions) // 2 - 1))]
    names = [f"{target}.{part}" for target in targets for part in ("weight", "bias")]
    state.update(zip(names, convolutions, strict=False))
    matrices = _numbered(tensors, "onnx::MatMul_")
    for index, matrix in enumerate(matrices):
        block, position = divmod(index, len(_MATRICES_PER_BLOCK))
        state[f"blocks.{block}.{_MATRICES_PER_BLOCK[position]}.weight"] = matrix.T
    for name, value in tensors.items():
        if name.startswith(_PREFIX + "blocks."):
            state[_own_name(name.removeprefix(_PREFIX))] = value
    return state


def _numbered(tensors: Tensors, prefix: str) -> list[NDArray[Any]]:
    """Tensors that only carry a number, in ascending order."""
    pattern = re.compile(re.escape(prefix) + r"(\d+)")
    numbers = sorted(int(match[1]) for name in tensors if (match := pattern.fullmatch(name)))
    return [tensors[f"{prefix}{number}"] for number in numbers]


def _own_name(name: str) -> str:
    """Name inside a block: theirs to ours."""
    for theirs, ours in (
        (".attn_norm.", ".attention.norm."),
        (".attn.in_proj_bias", ".attention.qkv.bias"),
        (".attn.out_proj.", ".attention.out."),
        (".conv.", ".convolution."),
    ):
        name = name.replace(theirs, ours)
    return name
