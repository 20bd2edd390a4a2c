"""The folder of one run: what it was made with, what came out. A folder made with other settings is never touched.

`run.json` is written before the first step, `result.json` after judging: a run without one goes on where it stopped.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from omnihuman.config import StrictModel
from omnihuman.errors import InputError
from omnihuman.media.files import output_errors, write_whole
from omnihuman.metrics.measurement import Measurement
from omnihuman.training.files import Files


@dataclass(frozen=True)
class RunResult:
    """What one run came to.

    Attributes:
        variant: Its variant.
        seed: Its seed.
        training_key: Names the training that was run.
        judging_key: Names how it was judged.
        steps: Optimiser steps done.
        cpu_s: Processor seconds of training.
        losses: Smoothed losses at the end.
        measurements: Quantity -> record, see `Measurement.as_record`.
    """

    variant: str
    seed: int
    training_key: str
    judging_key: str
    steps: int
    cpu_s: float
    losses: dict[str, float]
    measurements: dict[str, dict[str, Any]]

    def value(self, quantity: str) -> float | None:
        """A number, or None where it is not defined."""
        found = self.measurements.get(quantity)
        return None if found is None else found["value"]


class _Record(StrictModel):
    """One stored measurement."""

    value: float | None
    unit: str
    higher_is_better: bool | None
    interval: tuple[float | None, float | None] | None = None


@dataclass(frozen=True)
class RunFolder:
    """Paths of one run."""

    path: Path

    @property
    def _marker(self) -> Path:
        return self.path / "run.json"

    @property
    def _result(self) -> Path:
        return self.path / "result.json"

    @property
    def files(self) -> Files:
        """Weights, checkpoint and log of the training loop."""
        return Files(self.path / "weights.safetensors", self.path / "checkpoint.safetensors")

    def claim(self, training_key: str) -> None:
        """Marks the folder as this training's, unless it is marked already; see `result` for whose it is.

        Raises:
            InputError: `run_unfit`: it holds a network, and nothing tells of which training.
        """
        with output_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
        if not self._marker.exists():
            if not self._result.exists() and (self.files.export.exists() or self.files.checkpoint.exists()):
                raise self._unfit("a network of unknown settings")
            _write(self._marker, {"training_key": training_key})

    def result(self, training_key: str) -> RunResult | None:
        """The result of this training; None when it is not finished, or not begun.

        Raises:
            InputError: `run_unfit`: the folder holds another one; or `result_unreadable`.
        """
        found = _stored(self._result) if self._result.exists() else None
        keys = {_read(self._marker).get("training_key")} if self._marker.exists() else set()
        keys |= set() if found is None else {found.training_key}
        if keys - {training_key}:
            raise self._unfit("a run of other settings or windows")
        return found

    def _unfit(self, what: str) -> InputError:
        cause = f"{self.path.parent.name}/{self.path.name} holds {what}"
        return InputError("run_unfit", cause, "Choose another --out, or delete that folder.")

    def finish(self, result: RunResult) -> None:
        """Stores the result and gives up the checkpoint, which is no longer needed."""
        _write(self._result, asdict(result))
        self.files.checkpoint.unlink(missing_ok=True)


def records(measurements: Mapping[str, Measurement]) -> dict[str, dict[str, Any]]:
    """JSON-ready measurements."""
    return {name: measured.as_record() for name, measured in measurements.items()}


def _read(path: Path) -> dict[str, Any]:
    """A JSON object of ours.

    Raises:
        InputError: `result_unreadable`.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(found, dict)
    except (OSError, ValueError, AssertionError, RecursionError):
        raise _unreadable(path) from None
    return found


def _stored(path: Path) -> RunResult:
    """A stored result, all of it there; raises InputError `result_unreadable`."""
    try:
        found = TypeAdapter(RunResult).validate_python(_read(path))
        TypeAdapter(dict[str, _Record]).validate_python(found.measurements)
    except ValidationError:
        raise _unreadable(path) from None
    return found


def _unreadable(path: Path) -> InputError:
    cause = f"{path.parent.parent.name}/{path.parent.name}/{path.name} cannot be read"
    return InputError("result_unreadable", cause, "Delete that folder; the run is then made again.")


def _write(path: Path, record: Mapping[str, Any]) -> None:
    write_whole(path, json.dumps(record, indent=1).encode())
