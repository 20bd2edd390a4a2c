"""What the command line shows: progress with remaining time, one-line errors, JSON. The only place that prints."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from omnihuman.errors import InterruptedRun, OmniHumanError, refused_by_system
from omnihuman.types import ProgressCallback, ProgressEvent

TransferCallback = Callable[[str, int, int], None]
"""(what, bytes done, bytes expected)."""

STAGE_WORDS = {
    "read": "reading the inputs",
    "watch": "watching the driver",
    "prepare": "looking at the picture",
    "listen": "listening to the sound",
    "denoise": "dreaming the motion",
    "render": "rendering frames",
}


def fail(error: OmniHumanError, as_json: bool = False) -> NoReturn:
    """Prints a coded error (stderr, or JSON on stdout) and ends with its exit code."""
    if as_json:
        sys.stdout.write(json.dumps({"error": error.as_record()}) + "\n")
    else:
        sys.stderr.write(f"{error}\n")
    raise SystemExit(error.exit_code)


@contextmanager
def coded_errors(as_json: bool) -> Iterator[None]:
    """Ends a command with one line (or one JSON record) and the exit code, whatever a person can cause."""
    try:
        yield
    except OmniHumanError as error:
        fail(error, as_json)
    except KeyboardInterrupt:
        fail(InterruptedRun("interrupted", "stopped before it was complete", "Run the same command again."), as_json)
    except OSError as error:
        fail(refused_by_system(error), as_json)


def show(record: dict[str, Any], lines: list[str], as_json: bool) -> None:
    """Prints the outcome: lines for people, or the record as one JSON object on stdout."""
    if as_json:
        sys.stdout.write(json.dumps(record, sort_keys=True) + "\n")
    else:
        sys.stdout.write("\n".join(lines) + "\n")


def warn(text: str) -> None:
    """One line on stderr that does not stop the run."""
    sys.stderr.write(f"warning: {text}\n")


@contextmanager
def progress_bar(enabled: bool) -> Iterator[ProgressCallback | None]:
    """A bar on stderr with stage, share and remaining time; a plain line every few seconds without a terminal."""
    if not enabled:
        yield None
        return
    console = Console(stderr=True)
    columns = (TextColumn("{task.description:<24}"), BarColumn(), TextColumn("{task.fields[facts]}"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("starting", total=1, facts="")
        plain = _plain_lines(console) if not console.is_terminal else None

        def update(event: ProgressEvent) -> None:
            left = "" if event.remaining_s is None else f"{event.remaining_s:4.0f} s left"
            facts = f"{event.done}/{event.total}  {left}"
            words = STAGE_WORDS.get(event.stage, event.stage)
            progress.update(task, description=words, completed=event.done, total=event.total, facts=facts)
            if plain is not None:
                plain(event, f"{words} {facts}")

        yield update


def _plain_lines(console: Console, every_s: float = 5.0) -> Callable[[ProgressEvent, str], None]:
    stage, shown_s = "", 0.0

    def line(event: ProgressEvent, text: str) -> None:
        nonlocal stage, shown_s
        if event.stage != stage or event.elapsed_s - shown_s >= every_s:
            stage, shown_s = event.stage, event.elapsed_s
            console.print(text, markup=False, highlight=False)

    return line


@contextmanager
def transfer_bar(enabled: bool) -> Iterator[TransferCallback]:
    """A bar of bytes with remaining time on stderr; without a terminal a plain line every few seconds."""
    console = Console(stderr=True)
    if not enabled:
        yield lambda _what, _done_bytes, _expected_bytes: None
    elif not console.is_terminal:
        yield _PlainLines(console)
    else:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console, transient=True) as bars:
            tasks: dict[str, TaskID] = {}

            def update(what: str, done_bytes: int, expected_bytes: int) -> None:
                task = tasks.get(what)
                if task is None:
                    task = tasks[what] = bars.add_task(what)
                bars.update(task, completed=done_bytes, total=expected_bytes)

            yield update


class _PlainLines:
    """Progress for logs."""

    EVERY_S = 5.0

    def __init__(self, console: Console) -> None:
        self._console = console
        self._started: dict[str, float] = {}
        self._shown_s = float("-inf")

    def __call__(self, what: str, done_bytes: int, expected_bytes: int) -> None:
        now_s = time.monotonic()
        is_new = what not in self._started
        started_s = self._started.setdefault(what, now_s)
        if not is_new and (now_s - self._shown_s < self.EVERY_S or done_bytes >= expected_bytes):
            return
        self._shown_s = now_s
        left_s = (now_s - started_s) * (expected_bytes - done_bytes) / done_bytes if done_bytes else None
        left = "" if left_s is None else f", {left_s:.0f} s left"
        sizes = f"{done_bytes / 1e6:.1f} of {expected_bytes / 1e6:.1f} MB"
        self._console.print(f"{what}: {sizes}{left}", markup=False, highlight=False)
