"""Untrusted files are decoded in a child process: this is the parent's side of it.

One child per file and question. It gets a line of JSON and answers with messages (`messages`), which are checked
before memory is taken for them; it is killed when the next one takes too long, or when nobody wants more. A child that
crashes, runs out of memory, hangs or writes nonsense is an `InputError` about the file. What the child gives up before
it opens the file, and on which system: `decoding.confinement`. What the guard is worth: docs/files.md.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Any, Literal

from omnihuman.errors import InputError, ResourceError
from omnihuman.media.files import LONGEST_NAME, is_readable_file
from omnihuman.media.limits import MAX_CONTAINER_BYTES, MAX_PICTURE_BYTES, MESSAGE_WAIT_S
from omnihuman.media.messages import END, ERROR, READY, Bound, BrokenMessage, Message, NoMessage, receive

Family = Literal["image", "audio", "video"]
"""What a file is taken for: the first word of its error codes."""

CHILD = ("-S", "-m", "omnihuman.media.decoding")
PACKAGES = Path(__file__).resolve().parents[2]
"""The child must find the same package, whatever else is installed."""
KEPT_VARIABLES = frozenset(
    ("LANG", "LC_ALL", "LC_CTYPE", "PYTHONHOME", "PYTHONUTF8")
    + ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PATH", "SYSTEMROOT", "SYSTEMDRIVE")
)
"""What Python needs to start and to spell names alike. Tokens and the like stay with the parent."""
PIPE_BYTES = 1 << 20
LONGEST_CAUSE = 300
_TICK_S = 0.2
_WORDS = {"image": "picture", "audio": "sound file", "video": "video"}
_CODES = re.compile(r"(image|audio|video)_(format|unreadable|too_large|too_small|too_long|too_short)")


@dataclass(frozen=True)
class Task:
    """One question that a child answers.

    Attributes:
        name: A task of `decoding.__main__`.
        family: What the file is taken for.
        bounds: Kinds of message that may come, and what their arrays may be.
    """

    name: str
    family: Family
    bounds: Mapping[str, Bound | None]


def decode(task: Task, path: Path, **options: Any) -> Generator[Message, None, None]:
    """Asks a child about one file; the child ends when the iterator ends, fails or is closed.

    Args:
        task: The question.
        path: A file; its name is made absolute, so that no part of it can be taken for a protocol.
        options: JSON values for the decoder.

    Raises:
        InputError: `<family>_missing`, `_too_large`, `_unreadable`, and what the decoder says.
        ResourceError: decoder_unavailable, where no child can be started.
    """
    _check_file(task.family, path)
    with _Child(task, path, options) as child:
        yield from child.messages()


def decode_one(task: Task, path: Path, **options: Any) -> Message:
    """The first message of `decode`, for tasks that have only one."""
    with closing(decode(task, path, **options)) as messages:
        for message in messages:
            return message
    raise _unreadable(task.family, path, "cannot be decoded: nothing came of it")


class _Child:
    """A running child and what is known of its end."""

    def __init__(self, task: Task, path: Path, options: dict[str, Any]) -> None:
        self._task, self._path = task, path
        absolute = os.path.abspath(path)  # noqa: PTH100 - resolving links would lose the name that a person gave
        request = {"task": task.name, "family": task.family, "path": absolute, "options": options}
        self._request = json.dumps(request).encode("ascii") + b"\n"
        self._ready = False

    def __enter__(self) -> _Child:
        try:
            self._process = subprocess.Popen(
                [sys.executable, *CHILD],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=PACKAGES,
                env=_environment(),
                pipesize=PIPE_BYTES if sys.platform == "linux" else -1,
                # A group of its own: Ctrl+C is the parent's business, and a kill reaches what the child has started.
                start_new_session=True,
            )
        except OSError as error:
            raise _unavailable(error.strerror or str(error)) from None
        self._watch = _Watch(self._kill)
        return self

    def messages(self) -> Iterator[Message]:
        """What the decoder answers, up to its `end`."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError, OSError), self._process.stdin as pipe:
            pipe.write(self._request)
        self._next({READY: None})
        self._ready = True
        bounds = {**self._task.bounds, END: None, ERROR: None}
        while True:
            message = self._next(bounds)
            if message.kind == END:
                return
            if message.kind == ERROR:
                raise self._told(message)
            yield message

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._watch.stop()
        self._kill()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):
                pipe.close()  # type: ignore[union-attr]
        self._process.wait()

    def _next(self, bounds: Mapping[str, Bound | None]) -> Message:
        assert self._process.stdout is not None
        try:
            with self._watch.within(MESSAGE_WAIT_S):
                return receive(self._process.stdout, bounds)  # type: ignore[arg-type]
        except NoMessage:
            raise self._ended() from None
        except BrokenMessage:
            raise self._failed("the decoder crashed on it") from None
        except MemoryError:
            raise ResourceError("out_of_memory", "there is no memory left", "Close other programs.") from None

    def _ended(self) -> InputError | ResourceError:
        """Why the child is gone before its time."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=5)
        status = self._process.returncode
        if self._watch.fired or status == -getattr(signal, "SIGXCPU", 0):
            return self._failed(f"decoding it took too long (over {MESSAGE_WAIT_S:.0f} s)")
        if status == -getattr(signal, "SIGKILL", 0):
            return self._failed("the decoder was ended by the system, perhaps for lack of memory")
        return self._failed("the decoder crashed on it")

    def _failed(self, cause: str) -> InputError | ResourceError:
        if not self._ready:
            return _unavailable("it ended, or did nothing, before it had looked at the file")
        return _unreadable(self._task.family, self._path, cause)

    def _told(self, message: Message) -> InputError:
        """The child's own error, as far as it looks like one."""
        code, cause, way_out = (_one_line(message.fields.get(key)) for key in ("code", "cause", "way_out"))
        if not _CODES.fullmatch(code) or not code.startswith(self._task.family):
            return _unreadable(self._task.family, self._path, "the decoder crashed on it")
        return InputError(code, cause, way_out)

    def _kill(self) -> None:
        with suppress(OSError):
            if sys.platform == "win32":
                self._process.kill()
            # A child that is dead but not reaped still holds the number of its group, and others in it the pipe.
            elif self._process.returncode is None:
                os.killpg(self._process.pid, signal.SIGKILL)


class _Watch:
    """Calls `act` once when a watched stretch lasts too long; one thread for all stretches of a child."""

    def __init__(self, act: Callable[[], None]) -> None:
        self.fired = False
        self._act, self._due_s, self._stopped = act, float("inf"), Event()
        Thread(target=self._run, name="decoder watch", daemon=True).start()

    @contextmanager
    def within(self, limit_s: float) -> Iterator[None]:
        """The stretch of a `with` block."""
        self._due_s = time.monotonic() + limit_s
        try:
            yield
        finally:
            self._due_s = float("inf")

    def stop(self) -> None:
        """Ends the thread, within a tick."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(_TICK_S):
            if time.monotonic() > self._due_s:
                self.fired = True
                self._act()
                return


def _check_file(family: Family, path: Path) -> None:
    name = path.name[:LONGEST_NAME]
    if not is_readable_file(path):
        raise InputError(f"{family}_missing", f"there is no {_WORDS[family]} {name!r}", "Check the path.")
    most = MAX_PICTURE_BYTES if family == "image" else MAX_CONTAINER_BYTES
    size = path.stat().st_size
    if size > most:
        cause = f"{name!r} has {size / 1e6:.0f} MB, over the limit of {most / 1e6:.0f} MB"
        raise InputError(f"{family}_too_large", cause, "Save it smaller, or cut it into parts.")


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key.upper() in KEPT_VARIABLES}
    found = [str(PACKAGES), *(entry for entry in sys.path if os.path.isabs(entry))]  # noqa: PTH117 - of strings
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
    return kept | one_thread | {"PYTHONPATH": os.pathsep.join(found)}


def _one_line(text: Any) -> str:
    """Text of the child for a person's terminal: short, and no control characters."""
    plain = "".join(letter if letter.isprintable() else " " for letter in str(text)[:LONGEST_CAUSE])
    return " ".join(plain.split())


def _unreadable(family: Family, path: Path, cause: str) -> InputError:
    way_out = "Save it again in a usual format, smaller if it is large."
    return InputError(f"{family}_unreadable", f"{path.name[:LONGEST_NAME]!r}: {cause}", way_out)


def _unavailable(cause: str) -> ResourceError:
    way_out = "Run `python -m omnihuman.media.decoding < /dev/null` to see why; free memory if there is little."
    return ResourceError("decoder_unavailable", f"the process that decodes files cannot be started: {cause}", way_out)
