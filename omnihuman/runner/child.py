"""The child process of one item: `python -m omnihuman.runner.child`. Reads the item, tells events, stops when told.

First line of its input: the item. A line `stop`, the end of the input (the parent is gone) and SIGTERM stop it: at the
next frame, step or watched frame, and where a stage asks nobody for long, by an exception in the main thread.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from _thread import interrupt_main
from collections.abc import Callable

from omnihuman.runner.events import Item, ItemEvent, failed_event, finished_event, progress_event
from omnihuman.runner.failure import FailureClass, cancelled, classify
from omnihuman.types import AnimationResult, ProgressEvent

STOP_LINE = b"stop\n"
PATIENCE_S = 0.5
"""From the wish to stop to the exception in the main thread: a frame or a step answers long before."""
LAST_RESORT_S = 60.0
"""Without a parent nobody would kill a child that hangs."""
EVERY_S = 0.1
"""Progress is told no more often, but for the ends of stages."""


class Reporter:
    """Tells the parent, and hears from it.

    Args:
        events: File descriptor for the event lines.
        words: File descriptor that the parent writes to.
    """

    def __init__(self, events: int, words: int) -> None:
        self._events, self._words = events, words
        self._lock = threading.Lock()
        self._told_s = float("-inf")
        self._stage: str | None = None
        self._told: ProgressEvent | None = None
        self._is_wanted = threading.Event()
        self._is_noticed = False

    def tell(self, event: ItemEvent) -> None:
        """Writes one line; where nobody reads any more the work is to stop."""
        try:
            with self._lock:
                _write_all(self._events, event.line().encode() + b"\n")
        except OSError:
            self._is_wanted.set()

    def progress(self, event: ProgressEvent) -> None:
        """Tells how far the run is.

        Raises:
            InterruptedRun: cancelled, when the parent wants it or is gone.
        """
        self._stop_if_wanted()
        now_s = time.monotonic()
        is_news = event != self._told and (event.stage != self._stage or event.done >= event.total)
        if is_news or now_s - self._told_s >= EVERY_S:
            self._stage, self._told, self._told_s = event.stage, event, now_s
            self.tell(progress_event(event))

    def transfer(self, what: str, done_bytes: int, expected_bytes: int) -> None:
        """Tells what arrives of a model; called from another thread, so it does not raise."""
        self.tell(ItemEvent(event="transfer", stage=what, done=done_bytes, total=expected_bytes))

    def listen(self, heard: bytes) -> None:
        """Waits for the wish to stop, in a thread of its own; `heard` came behind the item."""
        # Not sys.stdin: a thread that holds its lock at the end of the process is fatal.
        while not heard.endswith(STOP_LINE) and not self._is_wanted.is_set():
            chunk = os.read(self._words, 64)
            heard += chunk
            if not chunk:
                break
        self.want()
        time.sleep(PATIENCE_S)
        with self._lock:
            if not self._is_noticed:
                interrupt_main()
        time.sleep(LAST_RESORT_S)
        os._exit(FailureClass.CANCELLED.exit_code)

    def want(self) -> None:
        """The work is to stop at the next occasion."""
        self._is_wanted.set()

    def settle(self) -> None:
        """The work is over: nothing interrupts the telling of it."""
        with self._lock:
            self._is_noticed = True

    def _stop_if_wanted(self) -> None:
        if self._is_wanted.is_set():
            if not self._is_noticed:
                # Once is enough; what follows is tidying, which must not be interrupted.
                self._is_noticed = True
                self.tell(ItemEvent(event="stopping"))
            raise cancelled()


Work = Callable[[Item, Reporter], AnimationResult]
"""What a child does with its item; tests hand in one without networks."""


def serve(work: Work) -> int:
    """Does one item from beginning to end.

    Returns:
        The exit status: 0, or that of the failure's class.
    """
    events = os.dup(1)
    # Whatever a library prints must not stand between the events.
    os.dup2(2, 1)
    reporter = Reporter(events, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda _number, _frame: reporter.want())
    reporter.tell(ItemEvent(event="started", pid=os.getpid()))
    result: AnimationResult | None = None
    failed: BaseException | None = None
    try:
        line, behind = _first_line()
        item = Item.from_line(line)
        threading.Thread(target=reporter.listen, args=(behind,), daemon=True).start()
        result = work(item, reporter)
        reporter.settle()
    except BaseException as error:
        reporter.settle()
        failed = error
    if result is None:
        assert failed is not None
        failure, coded = classify(failed)
        trace = None if failure is not FailureClass.INTERNAL else "".join(traceback.format_exception(failed))
        reporter.tell(failed_event(failure, coded, trace))
        return failure.exit_code
    # Where the wish to stop came too late, the video is there.
    reporter.tell(finished_event(result))
    return 0


def animate(item: Item, reporter: Reporter) -> AnimationResult:
    """Renders the item with the real models."""
    from omnihuman.runner.animating import animate_item

    return animate_item(item, reporter.progress, reporter.transfer)


def _first_line() -> tuple[str, bytes]:
    """The item, and what came behind it already."""
    heard = b""
    while b"\n" not in heard and (chunk := os.read(0, 1 << 16)):
        heard += chunk
    line, _, behind = heard.partition(b"\n")
    return line.decode(), behind


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


if __name__ == "__main__":
    sys.exit(serve(animate))
