"""Questions about paths that never raise: a name may be too long, forbidden or not a name at all."""

from __future__ import annotations

from pathlib import Path


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
