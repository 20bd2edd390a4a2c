"""The voice detector of the silero-vad wheel in torch: 32 ms pieces of a sound to how surely each holds speech.

Not here: singing, music, rows of 1/50 s (`voice_activity.py`). Read from the wheel's named tensors and checked against
its ONNX file (tests/parity). Silero Team, github.com/snakers4/silero-vad, MIT.
Legend: M pieces, S samples at 16 kHz, F frequencies, W width.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

PIECE_SAMPLES = 512
"""One answer per 32 ms."""
CONTEXT_SAMPLES = 64
_REFLECTED_SAMPLES = 64
_WINDOW, _HOP = 256, 128
_BINS = _WINDOW // 2 + 1
_WIDTH = 128

State = tuple[Tensor, Tensor]


class SileroNetwork(nn.Module):
    """Convolutions over each piece, one recurrent cell from piece to piece."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _BINS, _WINDOW, _HOP, bias=False)
        self.conv1 = nn.Conv1d(_BINS, 128, 3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, 3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, 3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, _WIDTH, 3, padding=1)
        self.lstm_cell = nn.LSTM(_WIDTH, _WIDTH)
        self.final_conv = nn.Conv1d(_WIDTH, 1, 1)

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> SileroNetwork:
        """Fills the network.

        Args:
            tensors: As named in the wheel's safetensors file.

        Raises:
            ValueError: a tensor is missing, too many or of another shape.
        """
        # the wheel runs one cell step by step; torch's layer runs the same weights over the whole sound
        renamed = {f"{k}_l0" if k.startswith("lstm_cell.") else k: v for k, v in tensors.items()}
        network = cls()
        try:
            network.load_state_dict(renamed, strict=True)
        except RuntimeError as error:
            raise ValueError(str(error).splitlines()[1].strip()) from None
        return network.eval().requires_grad_(False)

    def forward(self, samples: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """How surely each piece holds speech.

        Args:
            samples: ``64 + M * 512``: the last 64 samples before the pieces (zeros at the start), then the pieces.
            state: What the pieces before left behind.

        Returns:
            ``M`` in 0..1, and the state after the last piece.
        """
        pieces = samples.unfold(0, PIECE_SAMPLES + CONTEXT_SAMPLES, PIECE_SAMPLES)
        waves = functional.pad(pieces[:, None], (0, _REFLECTED_SAMPLES), mode="reflect")
        spectrum = self.stft_conv(waves)
        hidden = torch.sqrt(spectrum[:, :_BINS] ** 2 + spectrum[:, _BINS:] ** 2)
        for layer in (self.conv1, self.conv2, self.conv3, self.conv4):
            hidden = functional.relu(layer(hidden))
        # one column is left of each piece
        told, state = self.lstm_cell(hidden[:, :, 0][:, None], state)
        return torch.sigmoid(self.final_conv(functional.relu(told).transpose(1, 2)))[:, 0, 0], state
