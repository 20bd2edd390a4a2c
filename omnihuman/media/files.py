"""Paths as people give them: questions that never raise, and the coded form of a refusal to write."""

from __future__ import annotations

import errno
from pathlib import Path

from omnihuman.errors import ResourceError

FULL = frozenset({errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""Errors of a full disk or quota; not every system knows quotas."""

LONGEST_NAME = 80
"""Characters of a name that are kept in messages and in names made from it."""


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
