"""Loaded models in memory: pins, least-recently-used eviction, offload, one budget per device, one retry when full.

One pool serves video and language models alike, so the planner steps aside when the denoiser needs the card.
Knows nothing of files: it gets a function that loads.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from omnihuman.errors import ResourceError

Result = TypeVar("Result")
CPU = "cpu"


@dataclass
class _Slot:
    """One model and where it is; guarded by the pool's lock, loading by its own."""

    key: str
    home: str
    """Device on which it is used."""
    memory_mb: int
    model: Any = None
    device: str | None = None
    """Device on which it lies now; None = not loaded, nothing reserved."""
    pins: int = 0
    loading: threading.Lock = field(default_factory=threading.Lock)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory ran out, on the CPU or a card."""
    if isinstance(error, MemoryError):
        return True
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    # torch's CPU allocator raises a plain RuntimeError.
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


class ModelPool:
    """Keeps models loaded as long as the budget lasts. Thread-safe.

    A lease pins its model; only unpinned ones are evicted, the least recently used first. From a card a model with
    `.to` moves to the CPU if there is room, everything else is dropped.

    Args:
        budget_mb: Device -> MB that models may take there; asked once per device.
    """

    def __init__(self, budget_mb: Callable[[str], int]) -> None:
        self._ask_budget = budget_mb
        self._budgets: dict[str, int] = {}
        self._slots: dict[tuple[str, str], _Slot] = {}
        self._lock = threading.RLock()

    @contextmanager
    def lease(self, key: str, device: str, memory_mb: int, load: Callable[[], Any]) -> Iterator[Any]:
        """Yields the loaded model and keeps it in memory for the length of the block.

        Args:
            key: Identity of the model.
            device: Where it is to be used.
            memory_mb: What it takes there.
            load: Called when it is not loaded, by one thread only.

        Raises:
            ResourceError: `memory_budget` when it cannot fit beside what is pinned; `out_of_memory`.
        """
        slot = self._pin(key, device, memory_mb)
        try:
            with slot.loading:
                if slot.device != slot.home:
                    self._bring(slot, load)
            yield slot.model
        finally:
            self._unpin(slot)

    def attempt(self, work: Callable[[], Result]) -> Result:
        """Runs work that may exhaust memory; if it does, evicts everything unpinned and runs it once more.

        Raises:
            ResourceError: `out_of_memory` when the second run fails too.
        """
        try:
            return work()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
        # Outside the handler: the traceback would keep the failed tensors alive.
        self.evict_unpinned()
        try:
            return work()
        except (MemoryError, RuntimeError) as error:
            if not is_out_of_memory(error):
                raise
            raise ResourceError(
                "out_of_memory",
                "memory ran out twice, the second time with every idle model unloaded",
                "Use a smaller preset or picture, close other programs, or another device.",
            ) from error

    def evict_unpinned(self) -> None:
        """Drops every model that no lease holds, offloaded ones too."""
        with self._lock:
            for slot in [slot for slot in self._slots.values() if slot.pins == 0]:
                self._drop(slot)
            _give_back()

    def close(self) -> None:
        """Drops everything.

        Raises:
            AssertionError: a lease is still open, which is our mistake.
        """
        with self._lock:
            assert all(slot.pins == 0 for slot in self._slots.values()), "closed while a lease is open"
            self.evict_unpinned()

    def used_mb(self, device: str) -> int:
        """What the models on a device take, by their registry figures."""
        with self._lock:
            return sum(slot.memory_mb for slot in self._slots.values() if slot.device == device)

    def loaded(self) -> list[tuple[str, str]]:
        """(key, device where it lies now) of every model in memory, least recently used first."""
        with self._lock:
            return [(slot.key, slot.device) for slot in self._slots.values() if slot.device is not None]

    def _pin(self, key: str, device: str, memory_mb: int) -> _Slot:
        with self._lock:
            slot = self._slots.pop((key, device), None) or _Slot(key, device, memory_mb)
            self._slots[key, device] = slot  # re-inserted last: dict order is the order of use
            slot.pins += 1
            return slot

    def _unpin(self, slot: _Slot) -> None:
        with self._lock:
            slot.pins -= 1
            if slot.pins == 0 and slot.device is None:
                self._slots.pop((slot.key, slot.home), None)

    def _bring(self, slot: _Slot, load: Callable[[], Any]) -> None:
        """Loads a pinned slot, or moves it back from the CPU."""
        offloaded = slot.device is not None
        self._reserve(slot)
        try:
            slot.model = self.attempt(lambda: slot.model.to(slot.home) if offloaded else load())
        except BaseException:
            with self._lock:
                slot.model, slot.device = None, None
            raise

    def _reserve(self, slot: _Slot) -> None:
        with self._lock:
            budget = self._budget(slot.home)
            idle = [other for other in self._slots.values() if other.pins == 0 and other.device == slot.home]
            for other in idle:
                if self.used_mb(slot.home) + slot.memory_mb <= budget:
                    break
                self._step_aside(other)
            pinned = self.used_mb(slot.home)
            if pinned + slot.memory_mb > budget:
                raise ResourceError(
                    "memory_budget",
                    f"{slot.key} needs {slot.memory_mb} MB on {slot.home}: {budget} MB allowed, {pinned} MB in use",
                    "Close other programs, pick a smaller preset, or set OMNIHUMAN_MEMORY_MB if you know better.",
                )
            slot.device = slot.home

    def _step_aside(self, slot: _Slot) -> None:
        fits_cpu = slot.device != CPU and self.used_mb(CPU) + slot.memory_mb <= self._budget(CPU)
        if fits_cpu and hasattr(slot.model, "to"):
            slot.model = slot.model.to(CPU)
            slot.device = CPU
        else:
            self._drop(slot)
        _give_back()

    def _drop(self, slot: _Slot) -> None:
        slot.model, slot.device = None, None
        self._slots.pop((slot.key, slot.home), None)

    def _budget(self, device: str) -> int:
        if device not in self._budgets:
            self._budgets[device] = self._ask_budget(device)
        return self._budgets[device]


def _give_back() -> None:
    """Returns freed memory to the system: the card's allocator keeps it otherwise."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available():
        torch.cuda.empty_cache()
