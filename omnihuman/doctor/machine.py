"""Processor, accelerators, memory, and the folders that must take files."""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from omnihuman.doctor.finding import Finding, failed, failed_by, ok, warning
from omnihuman.errors import OmniHumanError
from omnihuman.media.files import require_place
from omnihuman.modelhub.devices import free_memory_mb, resolve_device

ENOUGH_MEMORY_MB = 2000
"""One run on a picture of 512 x 512 takes up to 1,500 MB."""
ENOUGH_DISK_MB, LEAST_DISK_MB = 1000, 200


def look_at_devices() -> Iterator[Finding]:
    """The processor, and what else networks may run on."""
    yield ok("cpu", f"{_cores()} cores, {platform.processor() or platform.machine()}")
    import torch

    if not torch.cuda.is_available():
        yield ok("cuda", "none; not needed")
    for number in range(torch.cuda.device_count() if torch.cuda.is_available() else 0):
        yield _gpu(number)
    yield ok("mps", "usable" if torch.backends.mps.is_available() else "none; not needed")
    free_mb = free_memory_mb("cpu")
    if free_mb < ENOUGH_MEMORY_MB:
        yield warning("memory", f"{free_mb} MB are free", "Close other programs, or render at a smaller --size.")
    else:
        yield ok("memory", f"{free_mb} MB are free")


def look_at_places(cache: Path) -> Iterator[Finding]:
    """The cache of models and the folder of temporary files: writable, with room.

    Args:
        cache: Need not exist yet.
    """
    yield _place("cache", cache, "Point OMNIHUMAN_CACHE to a folder that you may write to.")
    yield _place("temporary files", Path(tempfile.gettempdir()), "Point TMPDIR to a folder that you may write to.")


def _place(topic: str, folder: Path, way_out: str) -> Finding:
    try:
        # A name of our own: nothing is written under it.
        require_place(folder / f".omnihuman-doctor-{os.getpid()}")
        free_mb = shutil.disk_usage(next(each for each in (folder, *folder.parents) if each.exists())).free >> 20
    except OmniHumanError as error:
        return failed(topic, error.code, "no file can be written there", way_out)
    except OSError as error:
        return failed(topic, "output_unwritable", f"the system refuses it: {error.strerror}", way_out)
    if free_mb < LEAST_DISK_MB:
        return failed(topic, "disk_full", f"writable, but only {free_mb} MB are free", "Free some space.")
    if free_mb < ENOUGH_DISK_MB:
        return warning(topic, f"writable, but only {free_mb} MB are free", "Free some space.")
    where = f"{folder}: " if topic == "cache" else ""
    return ok(topic, f"{where}writable, {free_mb / 1000:.1f} GB free")


def _gpu(number: int) -> Finding:
    import torch

    name = f"cuda:{number}"
    try:
        resolve_device(name)
        free_mb = free_memory_mb(name)
    except OmniHumanError as error:
        return failed_by(name, error)
    return ok(name, f"{torch.cuda.get_device_name(number)}, {free_mb} MB free, CUDA {torch.version.cuda}")


def _cores() -> int:
    """Cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1
