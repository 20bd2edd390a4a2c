"""The life of one child process as its parent sees it: started, heard, stopped, buried; its leftovers are picked up."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from omnihuman.config import ROOT
from omnihuman.errors import OmniHumanError, remember_kept
from omnihuman.media.files import parts_of
from omnihuman.runner.events import Item, ItemEvent, failed_event
from omnihuman.runner.failure import FailureClass, cancelled, death, timed_out
from omnihuman.runner.stop import Stop

CHILD = (sys.executable, "-m", "omnihuman.runner.child")
LOOK_EVERY_S = 0.1
"""How often the flag of `Stop` is looked at."""
NOTICE_S, TIDY_S, FAREWELL_S = 1.8, 60.0, 10.0
"""Seconds for a child to notice that it is to stop, to tidy up after that, and to end after its last event."""
LAST_LINES = 20

OnEvent = Callable[[ItemEvent], None]


class Attempt:
    """One child with one item. Everything but the two readers happens in the thread that calls `follow`.

    Args:
        item: What the child is to do.
        command: What starts it.
        timeout_s: Wall-clock seconds that it may take; None: as long as it likes.
    """

    def __init__(self, item: Item, command: Sequence[str] = CHILD, timeout_s: float | None = None) -> None:
        self.item = item
        self.told_its_end = False
        """Whether the child itself said how it ended."""
        self._timeout_s = timeout_s
        self._began_s = time.monotonic()
        self._kill_at_s = float("inf")
        self._ended_by: FailureClass | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._errors: deque[str] = deque(maxlen=LAST_LINES)
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=_environment(),
            # Out of the terminal's group: Ctrl+C reaches the parent alone, which asks the child to stop.
            start_new_session=sys.platform != "win32",
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._pid = self._process.pid
        self._readers = [
            threading.Thread(target=_read_lines, args=(self._process.stdout, self._lines.put), daemon=True),
            threading.Thread(target=_read_lines, args=(self._process.stderr, self._hear_error), daemon=True),
        ]
        for reader in self._readers:
            reader.start()
        self._say(item.line().encode() + b"\n")

    def follow(self, on_event: OnEvent, stop: Stop) -> ItemEvent:
        """Passes on what the child tells until it has ended, and stops it where that is wanted.

        Returns:
            The last event, `finished` or `failed`; it is not passed on. No process and no temporary file is left.
        """
        last: ItemEvent | None = None
        try:
            while (event := self._next_event(stop)) is not None:
                if event.event == "started" and event.pid is not None:
                    # Behind a launcher the process that works is another one than ours.
                    self._pid = event.pid
                elif event.event == "stopping":
                    self._kill_at_s = time.monotonic() + TIDY_S
                if event.event in ("finished", "failed"):
                    last, self.told_its_end = event, True
                    self._kill_at_s = time.monotonic() + FAREWELL_S
                else:
                    on_event(event)
        except BaseException as error:
            self._kill()
            if (kept := self._bury()) is not None:
                remember_kept(error, kept)
            raise
        return self._verdict(last, self._bury())

    def _next_event(self, stop: Stop) -> ItemEvent | None:
        """The next event, or None when the child has closed its mouth."""
        while True:
            self._keep_time(stop)
            try:
                line = self._lines.get(timeout=LOOK_EVERY_S)
            except queue.Empty:
                if self._process.poll() is not None:
                    # Something that the child started may hold its end of the pipe open.
                    self._kill()
                continue
            if line is None:
                return None
            with suppress(ValidationError):
                # A line that a dying child could not finish is no event.
                return ItemEvent.model_validate_json(line)

    def _keep_time(self, stop: Stop) -> None:
        """Hands on the wish to stop, ends what takes too long, and kills what does not listen."""
        now_s = time.monotonic()
        if self._ended_by is None and stop.is_asked:
            self._stop(FailureClass.CANCELLED)
        if self._ended_by is None and self._timeout_s is not None and now_s - self._began_s > self._timeout_s:
            self._stop(FailureClass.TIMEOUT)
        if stop.is_forced or now_s > self._kill_at_s:
            self._kill()

    def _stop(self, reason: FailureClass) -> None:
        self._ended_by = reason
        self._kill_at_s = min(self._kill_at_s, time.monotonic() + NOTICE_S)
        self._say(b"stop\n")

    def _say(self, line: bytes) -> None:
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.write(line)
            self._process.stdin.flush()

    def _kill(self) -> None:
        """Ends the child at once, and what it has started with it."""
        with suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def _bury(self) -> Path | None:
        """Waits for the child, whose end is near, and saves what it left; gives the path of a kept partial."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(FAREWELL_S)
        self._kill()
        self._process.wait()
        for reader, stream in zip(self._readers, (self._process.stdout, self._process.stderr), strict=True):
            reader.join(timeout=1.0)
            if not reader.is_alive() and stream is not None:
                stream.close()
        with suppress(OSError):
            assert self._process.stdin is not None
            self._process.stdin.close()
        return recover(self.item.output, self._pid)

    def _hear_error(self, line: bytes | None) -> None:
        if line:
            self._errors.append(line.decode(errors="backslashreplace").rstrip())

    def _verdict(self, last: ItemEvent | None, kept: Path | None) -> ItemEvent:
        """The last event: as the child told it, unless it was stopped by the clock or died without a word."""
        is_late = self._ended_by is FailureClass.TIMEOUT
        if last is not None and not (is_late and last.failure is FailureClass.CANCELLED):
            return last
        failure, error = self._silent_end()
        told = None if last is None or last.error is None else last.error.kept
        error.kept = told or (None if kept is None else str(kept))
        return failed_event(failure, error, "\n".join(self._errors) if failure is FailureClass.CRASH else None)

    def _silent_end(self) -> tuple[FailureClass, OmniHumanError]:
        if self._ended_by is FailureClass.TIMEOUT and self._timeout_s is not None:
            return FailureClass.TIMEOUT, timed_out(self._timeout_s)
        if self._ended_by is FailureClass.CANCELLED:
            return FailureClass.CANCELLED, cancelled()
        return death(self._process.returncode, self._errors[-1] if self._errors else "")


def recover(output: Path, pid: int) -> Path | None:
    """Makes a playable file of what a dead process was writing for `output`, and removes the rest.

    Returns:
        The file, or None where nothing could be kept.
    """
    kept: Path | None = None
    for part in parts_of(output, pid):
        # Here, because it loads the library of codecs, which a parent of healthy children never needs.
        from omnihuman.media.finishing import WHOLE_SUFFIX, keep_partial

        if not part.name.endswith(WHOLE_SUFFIX):
            kept = keep_partial(part, output) or kept
    for left in (*parts_of(output, pid), *parts_of(output.with_suffix(".json"), pid)):
        with suppress(OSError):
            left.unlink()
    return kept


def _environment() -> dict[str, str]:
    """The child finds the package that its parent runs, and nothing of the folder it happens to be started in."""
    known = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return os.environ | {"PYTHONPATH": os.pathsep.join(known), "PYTHONSAFEPATH": "1"}


def _read_lines(stream: IO[bytes], put: Callable[[bytes | None], object]) -> None:
    with suppress(OSError, ValueError):
        for line in stream:
            put(line)
    put(None)
