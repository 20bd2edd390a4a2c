"""Paths as people give them: questions that never raise, places that are refused before the work, whole files."""

from __future__ import annotations

import errno
import itertools
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from omnihuman.errors import InputError, ResourceError

FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Errors of a full disk or quota, or of the longest file that is allowed; not every system knows quotas."""

LONGEST_NAME = 80
"""Characters of a name that are kept in messages and in names made from it."""

_NUMBERS = itertools.count()


def new_part(path: Path) -> Path:
    """A name beside `path` that no other writer has, of this process or another."""
    return path.with_name(f"{_part_prefix(path, os.getpid())}{next(_NUMBERS)}.part")


def parts_of(path: Path, pid: int) -> list[Path]:
    """What a process that is gone left beside `path`."""
    try:
        beside = list(path.parent.iterdir())
    except OSError:
        return []
    return sorted(p for p in beside if p.name.startswith(_part_prefix(path, pid)) and p.suffix == ".part")


def _part_prefix(path: Path, pid: int) -> str:
    return f".{path.name[:LONGEST_NAME]}.{pid}."


def settle(part: Path, path: Path) -> None:
    """Gives a complete file its name so that neither a crash nor a power cut leaves half of it.

    Raises:
        OSError: the system refuses.
    """
    with part.open("rb+") as written:
        os.fsync(written.fileno())
    part.replace(path)
    with suppress(OSError):
        # Not every system lets a folder be opened; the file itself is safe.
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def is_readable_file(path: Path) -> bool:
    """Whether there is a file under this name, False for every name that the system refuses."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def is_same_file(one: Path, other: Path) -> bool:
    """Whether two names lead to one existing file; False where either leads nowhere."""
    try:
        return one.samefile(other)
    except (OSError, ValueError):
        return False


def unwritable(path: Path, error: OSError) -> ResourceError:
    """The coded form of a failure to write `path`."""
    cause = f"cannot write {path.name[:LONGEST_NAME]!r}: {error.strerror or error}"
    if error.errno in FULL:
        return ResourceError("disk_full", cause, "Free some space and run it again.")
    return ResourceError("output_unwritable", cause, "Choose another name, or a folder that you may write to.")


def require_place(path: Path, inputs: Iterable[Path] = ()) -> None:
    """Refuses a place where no file can be written, before the work; leaves nothing there.

    Args:
        path: The file to be; folders that are missing are no reason.
        inputs: Files that must survive.

    Raises:
        InputError: output_invalid.
        ResourceError: output_unwritable or disk_full.
    """
    if any(is_same_file(path, source) for source in inputs):
        raise InputError("output_invalid", "the output would overwrite an input", "Choose another name.")
    try:
        if path.is_dir():
            cause = f"{(path.name or str(path))[:LONGEST_NAME]!r} is a folder"
            raise InputError("output_invalid", cause, "Name a file in it.")
        if path.exists():
            path.open("ab").close()
        else:
            # Asking for permissions is not enough: some file systems grant them and refuse the file.
            TemporaryFile(dir=next(folder for folder in path.parents if folder.exists())).close()
    except OSError as error:
        raise unwritable(path, error) from None


@contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """A name beside `path` to write to; the file gets its own name when all of it is good, and is removed otherwise.

    The suffix stays, and the folder is made.

    Raises:
        ResourceError: output_unwritable or disk_full.
    """
    part = path.with_name(f".{os.getpid()}.part{path.suffix}")
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield part
            part.replace(path)
        finally:
            with suppress(OSError):
                part.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file aside and renames it: what was there stays whole until the new file is complete.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`; nothing is left aside.
    """
    with output_errors(path):
        aside = _aside(path)
        try:
            aside.write_bytes(content)
            aside.replace(path)
        finally:
            with suppress(OSError):
                aside.unlink(missing_ok=True)


def require_writable(path: Path) -> None:
    """Tries the place of a file before long work for it starts.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    with output_errors(path):
        aside = _aside(path)
        aside.touch()
        aside.unlink()


def _aside(path: Path) -> Path:
    """Where the file is written first; its folder is made."""
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.with_name(f".{path.name[:LONGEST_NAME]}.{os.getpid()}.part")


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turns a failure to write `path` into a coded error.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    try:
        yield
    except OSError as error:
        raise unwritable(path, error) from None
