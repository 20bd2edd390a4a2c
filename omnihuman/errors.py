"""Every failure a person can meet: a code, the cause in one line, and the way out.

Inside the package exceptions are typed by boundary and never swallowed; at the edge (CLI, REST, UI, batch)
they become one line or one record. A mistake of ours is an `assert`, not one of these.
"""

from __future__ import annotations

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

    def __str__(self) -> str:
        return f"error[{self.code}]: {self.cause}. {self.way_out}"

    def as_record(self) -> dict[str, str]:
        """The same three facts as a JSON-ready record."""
        return {"code": self.code, "cause": self.cause, "way_out": self.way_out}


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
    """The person or the system stopped the run; no half-written file is left."""

    exit_code = 130
