"""Proves bytes before use: pins (sha256, size), write aside, verify, rename; the ledger of what was verified.

Knows files and folders only: not where a file comes from (`sources`) nor what it means (`registry`).
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path, PurePosixPath
from typing import Any

from filelock import FileLock, Timeout
from pydantic import Field, field_validator, model_validator

from omnihuman.config import StrictModel
from omnihuman.errors import ModelError, ResourceError

BLOCK_BYTES = 1 << 20
LOCK_TIMEOUT_S = 3600.0
"""A multi-gigabyte download by another process may take this long before we give up waiting."""
LEDGER_NAME = ".verified.json"
_READ_ONLY = {errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST}
_FULL = {errno.ENOSPC, errno.EDQUOT}
_OTHER_CACHE = "set OMNIHUMAN_CACHE to a folder of yours"


class FileSpec(StrictModel):
    """One pinned file of a model."""

    path: str
    """Where it lies inside its source (wheel member, repo path, path under `weights/`), with `/`."""
    name: str
    """Key under which loaders find it, and its path in the cache; the last part of `path` when left out."""
    sha256: str | None = Field(None, pattern="^[0-9a-f]{64}$")
    size: int | None = Field(None, gt=0)
    """Bytes."""

    @model_validator(mode="before")
    @classmethod
    def _name_from_path(cls, data: Any) -> Any:
        if isinstance(data, dict) and "name" not in data and isinstance(data.get("path"), str):
            return {**data, "name": PurePosixPath(data["path"]).name}
        return data

    @field_validator("path", "name")
    @classmethod
    def _stays_inside(cls, value: str) -> str:
        # Names with a leading dot are ours: ledger, locks and staging folders lie beside the files.
        if any(part == "" or part.startswith(".") for part in value.split("/")) or "\\" in value or ":" in value:
            raise ValueError("must be a plain relative path with '/', no part of which starts with a dot")
        return value

    @property
    def is_pinned(self) -> bool:
        """Whether sha256 and size are both known."""
        return self.sha256 is not None and self.size is not None


class FileState(str, Enum):
    """What an examination found."""

    OK = "ok"
    MISSING = "missing"
    TRUNCATED = "truncated"
    """The size is not the pinned one: most often a download that was cut off."""
    CHANGED = "changed"
    """The size fits, the sha256 does not."""
    OUTDATED = "outdated"
    """An intact file of an older pin."""
    UNPINNED = "unpinned"
    """No sha256 is known, so nothing can be proven."""


def file_sha256(path: Path) -> str:
    """Hex sha256 of a file, read in blocks."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


class Ledger:
    """Remembers which file had which sha256 at which size and time, so that start-up hashes nothing twice.

    A convenience, not a proof: an unreadable or unwritable ledger only costs hashing again.

    Args:
        folder: Folder of one registry entry; the ledger lies inside.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / LEDGER_NAME

    def recall(self, name: str, path: Path) -> str | None:
        """The sha256 noted for `name` if size and modification time are still the same."""
        record = self._read().get(name)
        stat = path.stat()
        if (
            isinstance(record, dict)
            and record.get("size") == stat.st_size
            and record.get("mtime_ns") == stat.st_mtime_ns
        ):
            sha256 = record.get("sha256")
            return sha256 if isinstance(sha256, str) else None
        return None

    def note(self, name: str, path: Path, sha256: str) -> None:
        """Writes down what was just hashed; silently skipped where the folder cannot be written."""
        stat = path.stat()
        records = {**self._read(), name: {"size": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}}
        aside = self._path.with_name(f"{LEDGER_NAME}.{os.getpid()}.part")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            aside.write_text(json.dumps(records, indent=1, sort_keys=True), encoding="utf-8")
            aside.replace(self._path)

    def _read(self) -> dict[str, Any]:
        try:
            records = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return records if isinstance(records, dict) else {}


def examine(path: Path, spec: FileSpec, ledger: Ledger | None = None) -> FileState:
    """Compares a file with its pins.

    Args:
        path: The file.
        spec: Its pins.
        ledger: Where to look up and note hashes; None hashes for certain.

    Returns:
        The state; never raises for a bad file.
    """
    if not path.is_file():
        return FileState.MISSING
    if spec.sha256 is None:
        return FileState.UNPINNED
    known = ledger.recall(spec.name, path) if ledger else None
    if known is not None and known != spec.sha256:
        return FileState.OUTDATED
    if spec.size is not None and path.stat().st_size != spec.size:
        return FileState.TRUNCATED
    if known is None:
        known = file_sha256(path)
        if known != spec.sha256:
            return FileState.CHANGED
        if ledger:
            ledger.note(spec.name, path, known)
    return FileState.OK


def install(staged: Path, final: Path, spec: FileSpec, ledger: Ledger) -> None:
    """Verifies a staged file and moves it to its place in one step.

    Raises:
        ModelError: `model_download_incomplete` or `model_hash_mismatch`; nothing was installed.
        OSError: disk full or folder not writable; the caller holds `disk_errors` around it.
    """
    state = examine(staged, spec)
    have = staged.stat().st_size if staged.is_file() else 0
    if state is not FileState.OK:
        # A resuming client takes a complete file of a staging folder for granted: a bad one must not stay there.
        staged.unlink(missing_ok=True)
    if state in (FileState.MISSING, FileState.TRUNCATED):
        raise ModelError(
            "model_download_incomplete",
            f"{spec.name}: {have} of {spec.size} bytes arrived",
            "Run the same command again.",
        )
    if state is not FileState.OK:
        raise ModelError(
            "model_hash_mismatch",
            f"{spec.name} has not the sha256 that the registry pins",
            "Do not use it: the index or a proxy served another file. Check the index settings and fetch again.",
        )
    final.parent.mkdir(parents=True, exist_ok=True)
    with staged.open("rb+") as stream:
        os.fsync(stream.fileno())
    staged.replace(final)
    _sync_folder(final.parent)
    ledger.note(spec.name, final, str(spec.sha256))


def _sync_folder(folder: Path) -> None:
    """Makes the rename itself durable, where the system can (not on Windows)."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def disk_errors(folder: Path, instead: str = _OTHER_CACHE) -> Iterator[None]:
    """Turns a full disk and an unwritable folder into coded errors; other errors pass.

    Args:
        folder: What is written to.
        instead: Way out besides mending this folder.

    Raises:
        ResourceError: `disk_full` or `folder_read_only`.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise ResourceError("disk_full", f"no space left in {folder}", f"Free space or {instead}.") from None
        if error.errno in _READ_ONLY:
            raise ResourceError(
                "folder_read_only",
                f"{folder} cannot be written ({error.strerror})",
                f"Make it writable or {instead}.",
            ) from None
        raise


def require_space(folder: Path, needed_bytes: int, instead: str = _OTHER_CACHE) -> None:
    """Refuses what cannot fit; `instead` as in `disk_errors`.

    Raises:
        ResourceError: `disk_full`.
    """
    free = shutil.disk_usage(folder).free
    if free < needed_bytes:
        raise ResourceError(
            "disk_full",
            f"{needed_bytes >> 20} MB are needed in {folder}, {free >> 20} MB are free",
            f"Free space or {instead}.",
        )


@contextmanager
def locked(root: Path, key: str, timeout_s: float = LOCK_TIMEOUT_S) -> Iterator[None]:
    """Holds the inter-process lock of one source while its files are fetched.

    Raises:
        ResourceError: `model_locked` after `timeout_s`; `folder_read_only`.
    """
    with disk_errors(root):
        root.mkdir(parents=True, exist_ok=True)
        lock = FileLock(root / f".{key}.lock")
        try:
            lock.acquire(timeout=timeout_s)
        except Timeout:
            raise ResourceError(
                "model_locked", f"another process is fetching {key}", "Wait for it, or end it and try again."
            ) from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def staging(root: Path, key: str, keep_partial: bool) -> Iterator[Path]:
    """A folder beside the final places, for bytes that are not proven yet. Hold `locked` around it.

    Args:
        root: Folder that holds all entries.
        key: Name of the source.
        keep_partial: True where the source can resume: the folder then keeps one name and survives a failure.
    """
    resumed = root / f".{key}.part"
    folder = resumed if keep_partial else root / f".{key}~{os.getpid()}.part"
    # No key holds a "~": version 1.7 must not clear what is being fetched of 1.7.0.
    stale = [other for other in (resumed, *root.glob(f".{glob.escape(key)}~*.part")) if other != folder]
    with disk_errors(root):
        for other in stale if keep_partial else [*stale, folder]:
            shutil.rmtree(other, ignore_errors=True)
        folder.mkdir(parents=True, exist_ok=True)
    done = False
    try:
        yield folder
        done = True
    finally:
        if done or not keep_partial:
            shutil.rmtree(folder, ignore_errors=True)
