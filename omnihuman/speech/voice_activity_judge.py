"""The verdict on each row - no voice, speech or singing - by a few thousand weights of our own, read with context.

Dilated depthwise convolutions look about three seconds either way. Trained by `training/voice_gate`.
Legend: B batch, N rows of 1/50 s, D features, W width.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from omnihuman import weights_file
from omnihuman.speech.hama_container import corrupt
from omnihuman.speech.tensor_file import read_tensors
from omnihuman.speech.voice_activity_features import FEATURE_NAMES
from omnihuman.types import Float

CLASSES = ("none", "speech", "singing")
KERNEL = 9
DILATIONS = (1, 3, 9, 27)
REACH_ROWS = KERNEL // 2 * sum(DILATIONS)
"""Rows on either side that an answer depends on."""
_ROWS_PER_PASS = 8192
_WIDTH = 24
_MEANING = {"features": json.dumps(list(FEATURE_NAMES)), "classes": json.dumps(list(CLASSES))}
"""Header entries: what the columns of input and output stand for."""


class _Block(nn.Module):
    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.depth = nn.Conv1d(width, width, KERNEL, dilation=dilation, padding=KERNEL // 2 * dilation, groups=width)
        self.mix = nn.Linear(width, width)

    def forward(self, hidden: Tensor) -> Tensor:
        """``B N W`` to the same."""
        told = self.depth(self.norm(hidden).transpose(1, 2)).transpose(1, 2)
        return hidden + self.mix(functional.gelu(told))


class VoiceJudge(nn.Module):
    """Features to the probabilities of CLASSES."""

    def __init__(self) -> None:
        super().__init__()
        self.enter = nn.Linear(len(FEATURE_NAMES), _WIDTH)
        self.blocks = nn.ModuleList(_Block(_WIDTH, dilation) for dilation in DILATIONS)
        self.leave = nn.Linear(_WIDTH, len(CLASSES))

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> VoiceJudge:
        """Loads our own weights.

        Args:
            files: One safetensors file; its header names its features and classes.
            device: Torch device.

        Raises:
            ModelError: `model_missing` or `model_corrupt`.
        """
        tensors, metadata = read_tensors(files)
        judge = cls()
        path = next(iter(files.values()))
        for name, expected in _MEANING.items():
            if metadata.get(name) != expected:
                raise corrupt(path, f"it was trained on other {name} than this version knows")
        try:
            judge.load_state_dict(tensors, strict=True)
        except RuntimeError as error:
            raise corrupt(path, str(error).splitlines()[1].strip()) from None
        return judge.eval().requires_grad_(False).to(device)

    def save_file(self, path: Path, header: Mapping[str, str]) -> None:
        """Writes the weights; beside the given entries the header names features and classes.

        Raises:
            ResourceError: `disk_full` or `output_unwritable`.
        """
        weights_file.write_tensors(path, self.state_dict(), {**header, **_MEANING})

    def forward(self, features: Tensor) -> Tensor:
        """``B N D`` to logits ``B N 3``."""
        hidden = self.enter(features)
        for block in self.blocks:
            hidden = block(hidden)
        return self.leave(hidden)

    @torch.inference_mode()
    def probabilities(self, features: Float) -> Float:
        """Of the classes in each row, ``N D`` to ``N 3`` float32; in overlapping passes, so memory stays flat."""
        told = np.empty((len(features), len(CLASSES)), np.float32)
        for first in range(0, len(features), _ROWS_PER_PASS):
            start = max(0, first - REACH_ROWS)
            piece = torch.from_numpy(features[start : first + _ROWS_PER_PASS + REACH_ROWS])
            logits = self(piece[None].to(self.enter.weight.device))[0]
            kept = logits[first - start : first - start + _ROWS_PER_PASS]
            told[first : first + len(kept)] = torch.softmax(kept, dim=1).cpu().numpy()
        return told
