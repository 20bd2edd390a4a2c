"""What every download shares: the offline switch, the progress report, and where to look for help."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from omnihuman.errors import ModelError

Progress = Callable[[str, int, int], None]
"""Called now and then with what is fetched, bytes so far and bytes expected."""

BUNDLE_HINT = "Or fetch on another machine with 'python -m omnihuman models bundle' and set OMNIHUMAN_CACHE."
_POLL_S = 0.2


def is_offline() -> bool:
    """Whether the person forbids the network with `OMNIHUMAN_OFFLINE=1`."""
    return os.environ.get("OMNIHUMAN_OFFLINE", "").strip().lower() in ("1", "true", "yes", "on")


def require_network(what: str) -> None:
    """Stops before the network is touched.

    Raises:
        ModelError: `offline`.
    """
    if is_offline():
        raise ModelError(
            "offline", f"{what} is not on this machine and OMNIHUMAN_OFFLINE is set", f"Unset it. {BUNDLE_HINT}"
        )


def _folder_bytes(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue  # pip renames its temporary files while we look
    return total


@contextmanager
def watched(folder: Path, what: str, expected: int, progress: Progress) -> Iterator[None]:
    """Reports growth of `folder`: neither pip nor the hub client tells a caller its bytes."""
    stop = threading.Event()

    def report() -> None:
        while not stop.wait(_POLL_S):
            progress(what, min(_folder_bytes(folder), expected), expected)

    thread = threading.Thread(target=report, daemon=True)
    progress(what, 0, expected)
    thread.start()
    try:
        yield
        progress(what, expected, expected)
    finally:
        stop.set()
        thread.join()


def copy_file(source: Path, target: Path) -> None:
    """Copies the bytes, making folders as needed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
