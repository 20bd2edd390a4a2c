"""What the decoding child gives up before it looks at a file: memory, files to write, core dumps, time.

Linux keeps all of it, and where its kernel can, other files and TCP are forbidden as well (`landlock`). macOS keeps all
but the limit on memory, which its kernel does not enforce. Windows knows none of these limits: there the sizes that the
decoders check and the clock of the parent are all there is.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

from omnihuman.media.limits import CHILD_CPU_S, CHILD_MEMORY_BYTES, CHILD_OPEN_FILES

if sys.platform != "win32":
    import resource


def confine(path: Path) -> None:
    """Lowers the limits of this process for good; what the system does not know is left out.

    Args:
        path: The one file that is still read.
    """
    if sys.platform == "win32":
        return
    if sys.platform == "linux":
        from omnihuman.media.decoding.landlock import lock_down

        lock_down(path)
    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_FSIZE, 0)
    _lower(resource.RLIMIT_NOFILE, CHILD_OPEN_FILES)
    _lower(resource.RLIMIT_AS, CHILD_MEMORY_BYTES)
    renew_cpu()


def renew_cpu() -> None:
    """Grants CPU seconds for the next message; when they are used up the system ends this process."""
    if sys.platform == "win32":
        return
    spent = resource.getrusage(resource.RUSAGE_SELF)
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(spent.ru_utime + spent.ru_stime) + CHILD_CPU_S
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft if hard < 0 else min(soft, hard), hard))


def _lower(kind: int, limit: int) -> None:
    hard = resource.getrlimit(kind)[1]
    limit = limit if hard < 0 else min(limit, hard)
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (limit, limit))
