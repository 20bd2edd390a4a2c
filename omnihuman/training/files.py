"""What a run writes, where, and that nobody else writes it. Knows no tensors."""

from __future__ import annotations

import glob
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from omnihuman.config import StrictModel, cache_dir
from omnihuman.errors import ResourceError
from omnihuman.media.files import output_errors, require_writable

SAME_RUN = ("data", "model", "loss", "seed", "batch_size")
"""Settings that a resumed run must share with its checkpoint, where it has them; a run can be made longer or faster."""


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
    kind = _digest({key: written[key] for key in SAME_RUN if key in written})
    return cache_dir() / "training" / "runs" / f"{name}-{kind}-{_digest(written)}.safetensors"


def resumable(checkpoint: Path) -> Path:
    """The checkpoint to go on from: the configuration's own, else the newest that differs only in what may differ."""
    if checkpoint.exists():
        return checkpoint
    family, _, _ = checkpoint.stem.rpartition("-")
    others = checkpoint.parent.glob(f"{glob.escape(family)}-*{checkpoint.suffix}")
    return max(others, key=lambda path: path.stat().st_mtime_ns, default=checkpoint)


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]
