"""Made-up recordings in the cache: each is one file, made once, so that stopped work goes on. Makes no sound."""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from omnihuman.config import cache_dir
from omnihuman.errors import ResourceError
from omnihuman.media.files import write_whole

Report = Callable[[int, int, float], None]
"""Told (recordings done, recordings in all, seconds left)."""


def folder_named(kind: str, facts: Mapping[str, object]) -> Path:
    """Folder of the cache for recordings that follow from JSON-ready facts: another of them, another folder."""
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    return cache_dir() / "training" / f"{kind}-{digest[:16]}"


def write_arrays(path: Path, arrays: Mapping[str, ArrayLike]) -> None:
    """Writes named arrays as one npz file, whole or not at all.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    content = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(content, **named)
    write_whole(path, content.getvalue())


def make_folder(folder: Path) -> None:
    """Makes a folder of recordings where it is missing.

    Raises:
        ResourceError: `cache_unwritable`.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fix = "Set OMNIHUMAN_CACHE to a folder with room."
        raise ResourceError("cache_unwritable", f"{folder.name} cannot be made ({error.strerror})", fix) from None


def make_missing(folder: Path, total: int, make: Callable[[int, Path], None], report: Report) -> list[Path]:
    """Makes every recording that is not there yet.

    Args:
        folder: Where; made if need be.
        total: Recordings in all.
        make: Writes the recording of an index to a path, whole or not at all.
        report: Called after each recording, made or found.

    Returns:
        The files, in order.

    Raises:
        ResourceError: `cache_unwritable`, and what `make` raises.
    """
    make_folder(folder)
    paths = [folder / f"{index:05d}.npz" for index in range(total)]
    started, made = time.monotonic(), 0
    for index, path in enumerate(paths):
        if not path.exists():
            make(index, path)
            made += 1
        elapsed = time.monotonic() - started
        report(index + 1, total, elapsed / max(made, 1) * (total - index - 1))
    return paths
