"""The mel front end's network: log-mel features to phone posteriors, ConvNeXt blocks over time. No sound here.

Only convolutions, so that what a row hears is bounded and windows can tile a long sound exactly. ConvNeXt: Liu et al.
2022, arXiv 2201.03545; dilated over time as in WaveNet (arXiv 1609.03499).
Legend: B batch, T frames of 10 ms, N rows of 20 ms, M mel bands, W width.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from omnihuman import weights_file
from omnihuman.errors import ModelError

_STEM_KERNEL = 5
_KERNEL = 7


class _Block(nn.Module):
    """Depthwise convolution over time, then a pointwise network, added to the input."""

    def __init__(self, width: int, expansion: int, dilation: int) -> None:
        super().__init__()
        reach = _KERNEL // 2 * dilation
        self.depthwise = nn.Conv1d(width, width, _KERNEL, padding=reach, dilation=dilation, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, expansion * width)
        self.narrow = nn.Linear(expansion * width, width)

    def forward(self, x: Tensor) -> Tensor:
        mixed = self.depthwise(x.transpose(1, 2)).transpose(1, 2)
        return x + self.narrow(functional.gelu(self.widen(self.norm(mixed))))


class MelNetwork(nn.Module):
    """Features ``B 2N-1 M`` to log posteriors ``B N symbols``.

    Args:
        bands: M.
        symbols: Columns of the output.
        width: W.
        expansion: Hidden width of a block over W.
        dilations: One block per entry; rows between the taps of its convolution.
    """

    def __init__(self, bands: int, symbols: int, width: int, expansion: int, dilations: Sequence[int]) -> None:
        super().__init__()
        self.bands, self.symbols, self.width = bands, symbols, width
        self._expansion, self._dilations = expansion, list(dilations)
        self.stem = nn.Conv1d(bands, width, _STEM_KERNEL, stride=2, padding=_STEM_KERNEL // 2)
        self.stem_norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(_Block(width, expansion, dilation) for dilation in dilations)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, symbols)

    @classmethod
    def read_file(cls, path: Path) -> MelNetwork:
        """The network of a file of weights, in single precision.

        Raises:
            ModelError: `weights_unreadable` or `weights_unfit`; see `weights_file.read`.
        """
        config, tensors = weights_file.read(path, known={"bands", "symbols", "width", "expansion", "dilations"})
        try:
            network = cls(**config)
        except (TypeError, ValueError, RuntimeError) as error:
            cause = f"{path.name} describes no network: {error}"
            raise ModelError("weights_unfit", cause, "Run 'python -m omnihuman models verify'.") from None
        weights_file.fill(network, {name: tensor.float() for name, tensor in tensors.items()}, path)
        return network.eval()

    def save_file(self, path: Path, header: Mapping[str, str]) -> None:
        """Writes the weights in half precision, the configuration in the header.

        Raises:
            ResourceError: `disk_full` or `output_unwritable`.
        """
        config: dict[str, int | list[int]] = {"bands": self.bands, "symbols": self.symbols, "width": self.width}
        config |= {"expansion": self._expansion, "dilations": self._dilations}
        weights_file.write(path, {name: tensor.half() for name, tensor in self.state_dict().items()}, config, header)

    @property
    def reach_rows(self) -> int:
        """Rows to either side that a row of the output hears."""
        return 1 + _KERNEL // 2 * sum(self._dilations)

    def hidden(self, features: Tensor) -> Tensor:
        """What the head reads, ``B N W``."""
        x = self.stem_norm(self.stem(features.transpose(1, 2)).transpose(1, 2))
        for block in self.blocks:
            x = block(x)
        normed: Tensor = self.norm(x)
        return normed

    def told(self, hidden: Tensor) -> Tensor:
        """Natural logs of the posteriors, ``B N symbols``."""
        return torch.log_softmax(self.head(hidden).float(), dim=-1)

    def forward(self, features: Tensor) -> Tensor:
        """Natural logs of the posteriors; row `n` is centred on frame `2 n`."""
        return self.told(self.hidden(features))
