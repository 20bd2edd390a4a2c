"""Every failure a person can meet: a code, the cause in one line, and the way out.

Inside the package exceptions are typed by boundary and never swallowed; at the edge (CLI, REST, UI, batch)
they become one line or one record. A mistake of ours is an `assert`, not one of these.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar


class OmniHumanError(Exception):
    """Base of all coded errors.

    Args:
        code: Stable snake_case identifier, the same in CLI, REST, UI and sidecar files.
        cause: What happened, one line, no trailing full stop.
        way_out: What the person can do about it, one line.
    """

    exit_code: ClassVar[int] = 3
    """Process exit status at the command line: 2 for bad input, 3 for the environment, 130 for an interruption."""

    def __init__(self, code: str, cause: str, way_out: str) -> None:
        super().__init__(code, cause, way_out)
        self.code = code
        self.cause = " ".join(cause.split())
        self.way_out = " ".join(way_out.split())
        self.kept: str | None = None
        """Path of the file that holds what was finished before the failure."""

    def __str__(self) -> str:
        kept = f" What was finished is in '{self.kept}'." if self.kept else ""
        return f"error[{self.code}]: {self.cause}. {self.way_out}{kept}"

    def as_record(self) -> dict[str, str]:
        """The same facts as a JSON-ready record; `kept` only where something was."""
        kept = {"kept": self.kept} if self.kept else {}
        return {"code": self.code, "cause": self.cause, "way_out": self.way_out} | kept


class InputError(OmniHumanError):
    """The request or a file that the person handed in cannot be used."""

    exit_code = 2


class ConfigError(OmniHumanError):
    """A configuration file or key is wrong."""

    exit_code = 2


class ModelError(OmniHumanError):
    """A model file is missing, corrupt, unverified or cannot be loaded."""


class ResourceError(OmniHumanError):
    """The machine lacks something: memory, disk, a device, a writable folder."""


class InterruptedRun(OmniHumanError):  # noqa: N818 - stopping is no mistake
    """The person or the system stopped the run; no half-written file has the final name."""

    exit_code = 130


def remember_kept(error: BaseException, path: Path) -> None:
    """Notes on a failure under way where what was finished is kept; any exception can carry it."""
    error.kept = str(path)  # type: ignore[attr-defined]


def kept_of(error: BaseException) -> str | None:
    """The path that `remember_kept` noted, if any."""
    return getattr(error, "kept", None)


def refused_by_system(error: OSError) -> ResourceError:
    """The coded form of what the system refuses and nobody below has named better."""
    where = f" ({Path(error.filename).name!r})" if isinstance(error.filename, str) else ""
    cause = f"the system refused: {error.strerror or error}{where}"
    return ResourceError("system_error", cause, "Check the path, the permissions and the free space.")
