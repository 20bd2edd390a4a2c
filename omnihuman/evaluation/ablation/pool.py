"""Training windows drawn once and shared by all runs of an ablation, through files mapped into memory.

A fresh take per window costs more than a step of a small network, and a variant must not see other data than its
neighbour. A window comes back every few epochs; its noise, times and mixing are new each time.

Legend: N windows in the pool, B batch.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.errors import InputError
from omnihuman.training.loop import WindowSource

INDEX = "pool.json"
_DRAWN_AT_ONCE = 32
_LATENTS, _WEIGHT = "latents", "weight"


class PooledWindows:
    """Batches out of a pool; a permutation of it per epoch.

    Args:
        folder: What `draw_pool` wrote.
        seed: Of the order.

    Raises:
        InputError: windows_unreadable.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            self._constants: dict[str, tuple[float, list[int]]] = index["constants"]
            self._arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in index["arrays"]}
            self._count: int = index["count"]
        except (OSError, EOFError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            cause = f"the training windows in {folder.name} cannot be read"
            raise InputError("windows_unreadable", cause, "Delete that folder; they are then drawn again.") from None
        self._seed = seed
        self._last: tuple[int, np.ndarray] = (-1, np.empty(0, np.intp))

    phrasebook = None

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ConditionBatch, Tensor]:
        """Latents `B C T`, all known conditions, loss weight `B C T`; the same step gives the same batch."""
        rows = self._rows(step * batch_size, batch_size)
        named = {name: torch.from_numpy(array[rows].astype(np.float32)) for name, array in self._arrays.items()}
        for name, (value, shape) in self._constants.items():
            named[name] = torch.full((batch_size, *shape), value)
        latents, weight = named.pop(_LATENTS), named.pop(_WEIGHT)
        return latents, ConditionBatch(**named), weight

    def _rows(self, first: int, count: int) -> np.ndarray:
        """Which windows are drawn as number `first`, `first` + 1, ..."""
        epochs, places = np.divmod(np.arange(first, first + count), self._count)
        rows = np.empty(count, np.intp)
        for epoch in np.unique(epochs):
            rows[epochs == epoch] = self._order(int(epoch))[places[epochs == epoch]]
        return rows

    def _order(self, epoch: int) -> np.ndarray:
        """The permutation of an epoch; the last one asked for is kept."""
        if self._last[0] != epoch:
            self._last = epoch, np.random.default_rng([self._seed, epoch]).permutation(self._count)
        return self._last[1]


def draw_pool(source: WindowSource, count: int, folder: Path, report: Callable[[int, int], None]) -> None:
    """Draws `count` windows into `folder`, written aside and renamed; a folder that is there already stays.

    What was written aside is removed again when it is stopped.

    Args:
        source: Where windows come from.
        count: N.
        folder: Where to.
        report: Told (windows drawn, N).
    """
    if (folder / INDEX).exists():
        return
    part = folder.with_name(f"{folder.name}.{os.getpid()}.part")
    try:
        part.mkdir(parents=True, exist_ok=True)
        _draw(source, count, part, report)
        with suppress(OSError):  # another process was faster; what it drew is the same
            part.rename(folder)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _draw(source: WindowSource, count: int, part: Path, report: Callable[[int, int], None]) -> None:
    pieces: list[dict[str, np.ndarray]] = []
    for start in range(0, count, _DRAWN_AT_ONCE):
        latents, known, weight = source.batch(start // _DRAWN_AT_ONCE, min(_DRAWN_AT_ONCE, count - start))
        drawn = {field.name: getattr(known, field.name) for field in fields(known)}
        drawn |= {_LATENTS: latents, _WEIGHT: weight}
        pieces.append({name: value.numpy().astype(np.float16) for name, value in drawn.items()})
        report(start + len(latents), count)
    arrays: list[str] = []
    constants: dict[str, tuple[float, list[int]]] = {}
    for name in pieces[0]:
        whole = np.concatenate([piece[name] for piece in pieces])
        if name not in (_LATENTS, _WEIGHT) and whole.min() == whole.max():
            constants[name] = (float(whole.flat[0]), list(whole.shape[1:]))
        else:
            np.save(part / f"{name}.npy", whole)
            arrays.append(name)
    index = {"count": count, "arrays": arrays, "constants": constants}
    (part / INDEX).write_text(json.dumps(index), encoding="utf-8")
