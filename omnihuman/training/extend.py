"""Carries trained weights over to a longer table of motion parameters; what is new starts at zero. Trains nothing.

A new channel is neither read (zero columns of the entry) nor moved (zero rows of the exit, so the predicted data is 0),
and every old channel behaves as before: the way OmniHuman-1 (section 3.1) adds conditions to a pre-trained network.
Legend: C channels, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from omnihuman import weights_file
from omnihuman.denoisers.motion_dit import MotionDiT

_READS = "entry.weight"
_WRITES = ("exit.weight", "exit.bias", "regression.weight", "regression.bias")


def extend_weights(source: Path, target: Path, old: Sequence[str], new: Sequence[str]) -> None:
    """Writes the weights of a `MotionDiT` for another list of channels.

    Args:
        source: Weights whose channels are `old`.
        target: File to write; may be `source`.
        old: Names of the channels, in order.
        new: Names wanted, in order; holds every old one.

    Raises:
        ModelError: `weights_unreadable` or `weights_unfit`.
        ValueError: an old channel is missing among the new ones, or the number of old ones is not the file's.
    """
    config, tensors = weights_file.read(source, known=set(MotionDiT._signature()))
    if missing := sorted(set(old) - set(new)):
        raise ValueError(f"channels would be lost: {', '.join(missing)}")
    if config["channels"] != len(old):
        raise ValueError(f"{source.name} has {config['channels']} channels, {len(old)} names were given")
    places = torch.tensor([new.index(name) for name in old])
    tensors[_READS] = _scattered_columns(tensors[_READS], places, len(new))
    for name in _WRITES:
        tensors[name] = _scattered_rows(tensors[name], places, len(new))
    added = [name for name in new if name not in set(old)]
    kept = {k: v for k, v in weights_file.header(source).items() if k not in (weights_file.CONFIG_KEY, "format")}
    kept["untrained"] = ", ".join(added)
    weights_file.write(target, tensors, {**config, "channels": len(new)}, kept)


def _scattered_rows(old: Tensor, places: Tensor, channels: int) -> Tensor:
    """`C ...` with the old rows at their new places, zero elsewhere."""
    rows = torch.zeros(channels, *old.shape[1:], dtype=old.dtype)
    rows[places] = old
    return rows


def _scattered_columns(old: Tensor, places: Tensor, channels: int) -> Tensor:
    """`D 3C`: noisy latents, observed values and mask each have their own C columns."""
    blocks = [_scattered_rows(block.T, places, channels).T for block in old.chunk(3, dim=1)]
    return torch.cat(blocks, dim=1)
