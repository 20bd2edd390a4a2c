"""What passes from the decoding child to its parent: a line of JSON, then the raw bytes of one array. Never a pickle.

The child may be in the hands of the file that it reads: `receive` checks kind, type and size of a message against what
the parent asked for before it allocates anything.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import numpy as np

LONGEST_LINE = 1 << 14
READY, END, ERROR = "ready", "end", "error"
_TYPES: dict[str, type[np.generic]] = {"uint8": np.uint8, "float32": np.float32}


class BrokenMessage(Exception):  # noqa: N818 - it tells of the pipe, the sandbox makes the error of it
    """What came through the pipe is no message that was asked for."""


class NoMessage(BrokenMessage):
    """The pipe ended where a message should begin or go on."""


@dataclass(frozen=True)
class Message:
    """One answer of the child.

    Attributes:
        kind: What it is: picture, alpha, facts, frame, samples, tags; or ready, end, error.
        array: uint8 or float32 numbers, or None.
        fields: JSON facts beside them.
    """

    kind: str
    array: np.ndarray | None = None
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Bound:
    """What an array of one kind of message may be.

    Attributes:
        dtype: "uint8" or "float32".
        last: Sizes that follow the free ones: (3,) for `H W 3`.
        free: Number of axes of any size.
        most: Largest product of the free sizes.
    """

    dtype: str
    free: int
    most: int
    last: tuple[int, ...] = ()

    def admits(self, dtype: Any, shape: Any) -> bool:
        """Whether an array of this type and shape was asked for."""
        if dtype != self.dtype or not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
            return False
        fits = len(shape) == self.free + len(self.last) and tuple(shape[self.free :]) == self.last
        return fits and math.prod(shape[: self.free]) <= self.most


def send(pipe: BinaryIO, message: Message) -> None:
    """Writes one message and flushes it."""
    head = {"kind": message.kind, "fields": message.fields}
    if message.array is not None:
        head |= {"dtype": message.array.dtype.name, "shape": message.array.shape}
    line = json.dumps(head).encode("ascii") + b"\n"
    if len(line) > LONGEST_LINE:
        raise ValueError("the facts of a message are too long")
    pipe.write(line)
    if message.array is not None and message.array.size:
        pipe.write(np.ascontiguousarray(message.array).data.cast("B"))
    pipe.flush()


def receive(pipe: BinaryIO, bounds: Mapping[str, Bound | None]) -> Message:
    """Reads one message.

    Args:
        pipe: Buffered and blocking.
        bounds: Kind -> what its array may be, None for a kind without an array. Other kinds are refused.

    Raises:
        NoMessage: The pipe ended.
        BrokenMessage: Anything that was not asked for.
    """
    line = pipe.readline(LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise NoMessage("the pipe ended") if len(line) < LONGEST_LINE else BrokenMessage("the line is too long")
    try:
        head = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BrokenMessage("the line is no JSON") from error
    if not isinstance(head, dict) or not isinstance(head.get("fields"), dict):
        raise BrokenMessage("the line is no message")
    kind = head.get("kind")
    if not isinstance(kind, str) or kind not in bounds:
        raise BrokenMessage("the message was not asked for")
    bound = bounds[kind]
    if bound is None:
        return Message(kind, None, head["fields"])
    if not bound.admits(head.get("dtype"), head.get("shape")):
        raise BrokenMessage("the array was not asked for")
    return Message(kind, _read_array(pipe, head["dtype"], head["shape"]), head["fields"])


def _read_array(pipe: BinaryIO, dtype: str, shape: list[int]) -> np.ndarray:
    array = np.empty(shape, _TYPES[dtype])
    if array.size:
        rest = array.data.cast("B")
        while rest:
            count = pipe.readinto(rest)  # type: ignore[attr-defined]
            if not count:
                raise NoMessage("the pipe ended within an array")
            rest = rest[count:]
    return array
