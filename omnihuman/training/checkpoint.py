"""Everything a run needs to go on exactly where it stopped, in one safetensors file with a JSON record in its header.

Chance needs no saving: every step draws from generators seeded by (seed, step).
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from omnihuman import weights_file
from omnihuman.errors import InputError
from omnihuman.training.ema import MovingAverage

_RECORD = "record"


@dataclass(frozen=True)
class Record:
    """The part of a checkpoint that is not tensors.

    Attributes:
        step: Steps done.
        seconds: Wall-clock seconds spent.
        cpu_seconds: Processor seconds spent.
        settings: The settings as JSON-ready mapping.
        data_hash: Identity of the data.
        losses: Smoothed, by name.
    """

    step: int
    seconds: float
    cpu_seconds: float
    settings: dict[str, Any]
    data_hash: str
    losses: dict[str, float] = field(default_factory=dict)


def save(
    path: Path, model: nn.Module, average: MovingAverage, optimizer: torch.optim.Optimizer, record: Record
) -> None:
    """Writes a checkpoint; the old one stays whole until the new one is complete.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"ema.{name}": value for name, value in average.tensors.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{name}": value for name, value in state.items()}
    weights_file.write_tensors(path, tensors, {_RECORD: json.dumps(asdict(record), sort_keys=True)})


def read_record(path: Path) -> Record:
    """The record of a checkpoint, without its tensors.

    Raises:
        InputError: `checkpoint_unreadable`.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            return Record(**json.loads(opened.metadata()[_RECORD]))
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise InputError(
            "checkpoint_unreadable", f"{path.name} is not a training checkpoint: {error}", "Start without --resume."
        ) from None


def restore(path: Path, model: nn.Module, average: MovingAverage, optimizer: torch.optim.Optimizer) -> Record:
    """Puts a checkpoint back into model, average and optimiser.

    Raises:
        InputError: `checkpoint_unreadable`; or `checkpoint_unfit` when it belongs to another network.
    """
    record = read_record(path)
    with safe_open(path, framework="pt") as opened:
        tensors: dict[str, Tensor] = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    try:
        model.load_state_dict(_part(tensors, "model."), strict=True)
    except RuntimeError:
        raise InputError(
            "checkpoint_unfit", f"{path.name} holds another network than the configuration", "Start without --resume."
        ) from None
    average.restore(_part(tensors, "ema."), record.step)
    states: dict[int, dict[str, Tensor]] = {}
    for name, value in _part(tensors, "optimizer.").items():
        index, _, key = name.partition(".")
        states.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": states, "param_groups": optimizer.state_dict()["param_groups"]})
    return record


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors of one prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
