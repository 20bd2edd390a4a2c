"""One training run, whatever it trains: network, average, optimiser, steps done; exact saving and resuming.

What is trained fills in two methods: the loss of a step, and the file of weights. The loop around it is `loop.py`.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

from omnihuman.errors import InputError
from omnihuman.training import checkpoint
from omnihuman.training.ema import MovingAverage
from omnihuman.training.files import Files, recipe, resumable
from omnihuman.training.settings import OptimizerSettings

LICENCE = "Apache-2.0"
PROVENANCE = ("training", "result", "data", "licence", "date")
"""Entries of the header of every file of weights: settings, steps and losses, name of the data, licence, ISO date."""


class RunSettings(Protocol):
    """What a run reads of its configuration."""

    @property
    def seed(self) -> int:
        """Of all chance."""
        ...

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        ...

    @property
    def optimizer(self) -> OptimizerSettings:
        """See there."""
        ...

    @property
    def precision(self) -> Literal["bf16", "fp32"]:
        """Of the forward pass."""
        ...

    @property
    def save_every_min(self) -> float:
        """Minutes between checkpoints."""
        ...

    def model_dump(self, *, mode: str) -> dict[str, Any]:
        """All of it, JSON-ready."""
        ...


def learning_rate(step_number: int, total: int, settings: OptimizerSettings) -> float:
    """Linear warm-up, then cosine down to `final_fraction` of the peak at `total`."""
    warm = min(1.0, (step_number + 1) / max(1, settings.warmup_steps))
    share = min(1.0, step_number / max(1, total))
    fall = settings.final_fraction + (1 - settings.final_fraction) * 0.5 * (1 + math.cos(math.pi * share))
    return settings.learning_rate * warm * fall


def _optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.AdamW:
    """AdamW; whatever has two dimensions decays, vectors do not: biases, gains, learned nulls."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99), fused=True)


class TrainingRun(ABC):
    """State of a run.

    Args:
        run_settings: The configuration.
        model: A fresh network.
        data_hash: Names the data, for the header and the resume check.
        files: Where to write.
        device: Where the network lives, such as `cpu` or `cuda:1`. All chance is drawn on the CPU, so that a run
            draws the same everywhere.
    """

    def __init__(
        self, run_settings: RunSettings, model: nn.Module, data_hash: str, files: Files, device: str = "cpu"
    ) -> None:
        self._settings, self._model = run_settings, model.to(device)
        self.device = device
        self.data_hash, self.files = data_hash, files
        self.average = MovingAverage(model, run_settings.optimizer.ema_decay)
        self.optimizer = _optimizer(model, run_settings.optimizer)
        self.done = 0
        self.seconds = self.cpu_seconds = 0.0
        self.losses: dict[str, float] = {}

    @property
    def total(self) -> int:
        """Steps of the whole run."""
        return self._settings.steps

    @property
    def save_every_min(self) -> float:
        """Minutes between checkpoints."""
        return self._settings.save_every_min

    @property
    @abstractmethod
    def stage(self) -> str:
        """Name of the stage of the last step, for people."""

    @abstractmethod
    def loss(self, step_number: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a step's batch and its parts, a pure function of weights and step; the network `in_precision`."""

    @abstractmethod
    def export(self, path: Path, header: dict[str, str]) -> None:
        """Writes the averaged weights with these entries in the header."""

    def in_precision(self) -> torch.autocast:
        """Context of the forward pass; making a batch stays out of it."""
        return torch.autocast(self.device.partition(":")[0], torch.bfloat16, enabled=self._settings.precision == "bf16")

    def resume(self) -> None:
        """Goes on from the checkpoint of these settings, or of a run that was shorter or longer.

        Raises:
            InputError: `checkpoint_missing`, `checkpoint_unreadable`, or `checkpoint_unfit` when anything but the
                number of steps differs.
        """
        path = resumable(self.files.checkpoint)
        if not path.exists():
            raise InputError("checkpoint_missing", f"there is no checkpoint {path.name}", "Start without --resume.")
        record = checkpoint.read_record(path)
        mine, theirs = recipe(self._settings.model_dump(mode="json")), recipe(record.settings)
        changed = [key for key in sorted(mine.keys() | theirs.keys()) if mine.get(key) != theirs.get(key)]
        changed += ["data files"] if record.data_hash != self.data_hash else []
        if changed:
            raise InputError(
                "checkpoint_unfit", f"{path.name} has other {', '.join(changed)}", "Start without --resume."
            )
        checkpoint.restore(path, self._model, self.average, self.optimizer)
        self.done, self.seconds, self.cpu_seconds = record.step, record.seconds, record.cpu_seconds
        self.losses = dict(record.losses)

    def advance(self) -> dict[str, float]:
        """One optimiser step; returns the losses of its batch.

        Raises:
            InputError: `training_diverged`: the loss is not finite; nothing was changed.
        """
        settings = self._settings
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.done, settings.steps, settings.optimizer)
        loss, parts = self.loss(self.done)
        if not torch.isfinite(loss):
            cause = f"the loss of step {self.done + 1} is {loss.item()}"
            fix = "Lower optimizer.learning_rate; weights and checkpoint are those of the last saving."
            raise InputError("training_diverged", cause, fix)
        loss.backward()
        nn.utils.clip_grad_norm_(self._model.parameters(), settings.optimizer.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self._model)
        self.done += 1
        return {"loss": float(loss.detach()), **{name: float(value.detach()) for name, value in parts.items()}}

    def save(self, date: str) -> None:
        """Writes checkpoint and exported weights.

        Raises:
            ResourceError: `disk_full` or `output_unwritable`.
        """
        settings = self._settings.model_dump(mode="json")
        record = checkpoint.Record(self.done, self.seconds, self.cpu_seconds, settings, self.data_hash, self.losses)
        checkpoint.save(self.files.checkpoint, self._model, self.average, self.optimizer, record)
        facts = {"steps": self.done, "cpu_hours": round(self.cpu_seconds / 3600, 3), "losses": self.losses}
        header = {
            "training": json.dumps(settings, sort_keys=True),
            "result": json.dumps(facts, sort_keys=True),
            "data": self.data_hash,
            "licence": LICENCE,
            "date": date,
        }
        self.export(self.files.export, header)
