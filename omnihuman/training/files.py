"""What a run writes, where, and that nobody else writes it. Knows no tensors."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from omnihuman.config import StrictModel, cache_dir
from omnihuman.errors import ResourceError
from omnihuman.media.files import output_errors, require_writable

_MAY_DIFFER = ("steps", "save_every_min", "export")
"""Settings that a resumed run need not share with its checkpoint: a run can be made longer, or shorter."""


@dataclass(frozen=True)
class Files:
    """The exported weights, the checkpoint, and the log of losses (JSON lines)."""

    export: Path
    checkpoint: Path

    @property
    def log(self) -> Path:
        """Losses, one JSON object per line."""
        return self.checkpoint.with_suffix(".jsonl")

    def require_writable(self) -> None:
        """Tries all places.

        Raises:
            ResourceError: `disk_full` or `output_unwritable`.
        """
        for path in (self.export, self.checkpoint, self.log):
            require_writable(path)

    @contextmanager
    def reserved(self) -> Iterator[None]:
        """Keeps other processes from the checkpoint; all places were tried.

        Raises:
            ResourceError: `run_locked`, and as `require_writable`.
        """
        self.require_writable()
        lock = FileLock(self.checkpoint.with_suffix(".lock"))
        with output_errors(self.checkpoint):
            try:
                lock.acquire(timeout=0)
            except Timeout:
                cause = f"another process is training {self.checkpoint.stem}"
                raise ResourceError("run_locked", cause, "Wait for it, or stop it and use --resume.") from None
        try:
            yield
        finally:
            lock.release()


def checkpoint_path(name: str, settings: StrictModel) -> Path:
    """Checkpoint of a configuration: other settings, another file.

    Args:
        name: Stem of the configuration's file.
        settings: What it holds.
    """
    written = settings.model_dump(mode="json")
    kind = _digest(recipe(written))
    return cache_dir() / "training" / "runs" / f"{name}-{kind}-{_digest(written)}.safetensors"


def recipe(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a run the one it is: its settings as JSON without how long it takes and where it is written."""
    kept = {key: value for key, value in settings.items() if key not in _MAY_DIFFER}
    if "stages" in kept:
        kept["stages"] = [{key: value for key, value in stage.items() if key != "steps"} for stage in kept["stages"]]
    return kept


def resumable(checkpoint: Path) -> Path:
    """The checkpoint to go on from: the configuration's own, else the newest that differs only in what may differ."""
    if checkpoint.exists():
        return checkpoint
    family, _, _ = checkpoint.stem.rpartition("-")
    others = checkpoint.parent.glob(f"{glob.escape(family)}-*{checkpoint.suffix}")
    return max(others, key=lambda path: path.stat().st_mtime_ns, default=checkpoint)


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
