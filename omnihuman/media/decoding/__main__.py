"""The decoding child: one request on stdin, messages on stdout, then it is gone. Started by `media.sandbox` only.

The order matters: the request and our own modules come from the parent and are trusted; the limits are set after
them and before the file is opened.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO

from omnihuman.errors import InputError
from omnihuman.media.decoding.confinement import confine, renew_cpu
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.messages import END, ERROR, READY, Message, send

TASKS = {
    "picture": "pictures:answer_picture",
    "sound": "sounds:answer_sound",
    "facts": "facts:answer_facts",
    "tags": "facts:answer_tags",
    "frames": "frames:answer_frames",
}
"""Only what a task needs is imported: half of the time of a child is its start."""


def main() -> None:
    """Answers the request on stdin and ends the process without the tidying that a dying process does not need."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe = _own_stdout()
    request = json.loads(sys.stdin.buffer.readline())
    module, _, name = TASKS[request["task"]].partition(":")
    answer = getattr(import_module(f"omnihuman.media.decoding.{module}"), name)
    path = Path(request["path"])
    confine(path)
    try:
        send(pipe, Message(READY))
        for message in _answers(answer, path, request["options"], request["family"]):
            send(pipe, message)
            renew_cpu()
    except BrokenPipeError:
        pass
    os._exit(0)


def _own_stdout() -> BinaryIO:
    """The pipe to the parent; whatever else is printed, by C code too, goes where stderr goes."""
    pipe = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return pipe


def _answers(
    answer: Callable[..., Iterator[Message]], path: Path, options: dict[str, Any], family: str
) -> Iterator[Message]:
    """The messages of one decoder, then `end`; a failure of any kind becomes `error`."""
    name = path.name[:LONGEST_NAME]
    try:
        yield from answer(path, **options)
        yield Message(END)
    except InputError as error:
        yield Message(ERROR, None, error.as_record())
    except MemoryError:
        yield _failure(family, f"{name!r} needs too much memory to be decoded")
    # Decoders raise what they like on damaged files: IndexError and UnicodeDecodeError were seen.
    except Exception as error:
        yield _failure(family, f"{name!r} is damaged ({type(error).__name__})")


def _failure(family: str, cause: str) -> Message:
    record = {"code": f"{family}_unreadable", "cause": cause, "way_out": "Save it again in a usual format."}
    return Message(ERROR, None, record)


if __name__ == "__main__":
    main()
