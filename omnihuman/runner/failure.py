"""What kind of failure stopped an item, so that every face acts alike: tell the person, try again, or give up.

Loads no torch: the parent classifies as well as the child.
"""

from __future__ import annotations

import errno
import signal
import sys
from enum import Enum

from omnihuman.errors import (
    ConfigError,
    InputError,
    InterruptedRun,
    ModelError,
    OmniHumanError,
    ResourceError,
    kept_of,
    refused_by_system,
)

SMALLER = "Give a smaller --size, or close other programs."
KILLED_BY_SHELL = 128
"""A shell between us and the child tells death by signal N as status 128 + N."""


class FailureClass(str, Enum):
    """Why an item has no result."""

    INPUT = "input"
    """The request or a file that was handed in; trying again does not help."""
    RESOURCE = "resource"
    """Disk, folder, device."""
    MODEL = "model"
    """A model file is missing or wrong."""
    CANCELLED = "cancelled"
    """Somebody stopped it."""
    OUT_OF_MEMORY = "out_of_memory"
    """Memory ran out, or most likely did."""
    CRASH = "crash"
    """The child process died of itself."""
    TIMEOUT = "timeout"
    """It took longer than it was given."""
    INTERNAL = "internal"
    """A mistake of ours."""

    @property
    def exit_code(self) -> int:
        """Status of a command that ends by this failure: 2, 3 or 130."""
        return self.error_class.exit_code

    @property
    def error_class(self) -> type[OmniHumanError]:
        """The kind of coded error that tells it."""
        kinds: dict[FailureClass, type[OmniHumanError]] = {
            FailureClass.INPUT: InputError,
            FailureClass.MODEL: ModelError,
            FailureClass.CANCELLED: InterruptedRun,
        }
        return kinds.get(self, ResourceError)


def classify(error: BaseException) -> tuple[FailureClass, OmniHumanError]:
    """The class of a failure and its coded form, with what was kept."""
    kind, coded = _classify(error)
    coded.kept = kept_of(error)
    return kind, coded


def _classify(error: BaseException) -> tuple[FailureClass, OmniHumanError]:
    if isinstance(error, OmniHumanError):
        return _class_of(error), error
    if isinstance(error, KeyboardInterrupt):
        return FailureClass.CANCELLED, cancelled()
    if is_memory_failure(error):
        return FailureClass.OUT_OF_MEMORY, out_of_memory()
    if isinstance(error, OSError):
        return FailureClass.RESOURCE, refused_by_system(error)
    cause = f"a mistake of the program ({type(error).__name__}: {str(error)[:200]})"
    return FailureClass.INTERNAL, ResourceError("internal", cause, "Please report it with the lines above.")


def _class_of(error: OmniHumanError) -> FailureClass:
    if error.code == FailureClass.OUT_OF_MEMORY.value:
        return FailureClass.OUT_OF_MEMORY
    if isinstance(error, InputError | ConfigError):
        return FailureClass.INPUT
    if isinstance(error, ModelError):
        return FailureClass.MODEL
    return FailureClass.CANCELLED if isinstance(error, InterruptedRun) else FailureClass.RESOURCE


def is_memory_failure(error: BaseException) -> bool:
    """Whether memory ran out: told by Python, the system, torch or OpenCV, each in its own words."""
    if isinstance(error, MemoryError):
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(error, torch.OutOfMemoryError):
        return True
    words = ("can't allocate memory", "insufficient memory", "cannot allocate memory", "failed to map segment")
    return any(word in str(error).lower() for word in words)


def cancelled() -> InterruptedRun:
    """Somebody stopped the run."""
    return InterruptedRun("cancelled", "stopped before it was complete", "Run it again.")


def out_of_memory() -> ResourceError:
    """Memory ran out, and the child could say so."""
    return ResourceError("out_of_memory", "memory ran out", SMALLER)


def timed_out(timeout_s: float) -> ResourceError:
    """The time that an item was given is over."""
    cause = f"it was not finished after {timeout_s:g} s"
    return ResourceError("timeout", cause, "Give it more time, a shorter sound or a smaller --size.")


def death(returncode: int, last_words: str) -> tuple[FailureClass, OmniHumanError]:
    """What the end of a child means that had no time to say anything.

    Args:
        returncode: As `subprocess` tells it: negative for a signal.
        last_words: The last line that it wrote to its error stream, or nothing.
    """
    number = -returncode if returncode < 0 else returncode - KILLED_BY_SHELL
    if number == getattr(signal, "SIGKILL", 9):
        cause = "the system killed the worker process, as it does when memory runs out"
        return FailureClass.OUT_OF_MEMORY, ResourceError("out_of_memory", cause, SMALLER)
    names = {member.value: member.name for member in signal.Signals}
    how = f"by {names[number]}" if number in names else f"with status {returncode}"
    said = f": {last_words[:200]}" if last_words else ""
    cause = f"the worker process ended {how}{said}"
    way_out = "Run it again; if it happens once more, try a smaller --size and report it."
    return FailureClass.CRASH, ResourceError("worker_crashed", cause, way_out)
