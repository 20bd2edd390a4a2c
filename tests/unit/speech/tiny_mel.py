"""A mel front end with random weights, as small as the network allows."""

from __future__ import annotations

from pathlib import Path

import torch

from omnihuman.speech.hama_symbols import POSTERIOR_WIDTH
from omnihuman.speech.mel_features import BANDS
from omnihuman.speech.mel_network import MelNetwork


def tiny_network(seed: int = 0) -> MelNetwork:
    torch.manual_seed(seed)
    network = MelNetwork(BANDS, POSTERIOR_WIDTH, width=8, expansion=2, dilations=(1, 4))
    torch.nn.init.normal_(network.head.weight, std=1.0)
    return network.eval()


def write_tiny_mel(folder: Path) -> Path:
    path = folder / "mel.safetensors"
    tiny_network().save_file(path, {"licence": "none"})
    return path
