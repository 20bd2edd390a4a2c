"""How an item is stopped: a flag that anybody may set, from any thread or signal handler."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Stop:
    """Asked once, the item stops at its next frame or step and keeps what is finished; forced, it is killed."""

    def __init__(self) -> None:
        self.is_asked = False
        self.is_forced = False

    def ask(self, force: bool = False) -> None:
        """Asks the item to stop; `force` does not wait for it. Only sets flags, so a signal handler may call it."""
        self.is_asked = True
        self.is_forced = self.is_forced or force


@contextmanager
def stopped_by_signals(stop: Stop) -> Iterator[None]:
    """Ctrl+C and SIGTERM ask for the stop instead of raising wherever the program happens to be; twice, they force it.

    Does nothing outside the main thread, which alone receives signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.ask(force=stop.is_asked)

    before = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
