"""One line of what the doctor found. Shows no user name: the home folder is `~`."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from omnihuman.errors import OmniHumanError

Verdict = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Finding:
    """What was looked at, and how it is.

    Attributes:
        topic: What was looked at.
        verdict: How it is; one that failed keeps videos from being made.
        found: What was found, or the cause.
        way_out: What the person can do; empty where all is well.
        code: Of the error; empty where nothing failed.
    """

    topic: str
    verdict: Verdict
    found: str
    way_out: str = ""
    code: str = ""

    def as_record(self) -> dict[str, Any]:
        """JSON-ready."""
        return {name: private(text) for name, text in asdict(self).items()}

    def as_line(self, width: int) -> str:
        """One line for people; `width` is that of the column of topics."""
        told = f"{self.found}. {self.way_out}" if self.way_out else self.found
        return private(f"{self.verdict:<8} {self.topic:<{width}} {told}")


def ok(topic: str, found: str) -> Finding:
    """All is well."""
    return Finding(topic, "ok", found)


def warning(topic: str, found: str, way_out: str) -> Finding:
    """Videos can be made, but something should be known."""
    return Finding(topic, "warning", found, way_out)


def failed(topic: str, code: str, cause: str, way_out: str) -> Finding:
    """No video can be made like this."""
    return Finding(topic, "failed", cause, way_out, code)


def failed_by(topic: str, error: OmniHumanError) -> Finding:
    """The finding that a coded error is."""
    return failed(topic, error.code, error.cause, error.way_out)


def private(text: str) -> str:
    """A text without the name of the home folder."""
    home = str(Path.home())
    return text.replace(home, "~") if len(home) > 1 else text
