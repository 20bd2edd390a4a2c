"""The events of one item on the terminal: a bar of bytes while models arrive, then the bar of the render, warnings."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType

from omnihuman.cli.console import TransferCallback, progress_bar, transfer_bar, warn
from omnihuman.runner.events import ItemEvent
from omnihuman.types import ProgressCallback, ProgressEvent


class ItemView:
    """Shows what happens; used as a `with` block, whose end takes the bars away.

    Args:
        is_watched: Whether bars are shown; warnings always are.
    """

    def __init__(self, is_watched: bool) -> None:
        self._is_watched = is_watched
        self._bars = ExitStack()
        self._transfer: TransferCallback | None = None
        self._progress: ProgressCallback | None = None

    def __enter__(self) -> ItemView:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.close()

    def __call__(self, event: ItemEvent) -> None:
        """Shows one event."""
        if event.event == "warning" and event.text is not None:
            self._take_away()
            warn(event.text)
        if not self._is_watched:
            return
        if event.event == "transfer" and self._transfer is None:
            self._take_away()
            self._transfer = self._bars.enter_context(transfer_bar(enabled=True))
        if event.event in ("started", "progress") and self._progress is None:
            self._take_away()
            self._progress = self._bars.enter_context(progress_bar(enabled=True))
        if event.stage is None or event.done is None or event.total is None:
            return
        if self._transfer is not None:
            self._transfer(event.stage, event.done, event.total)
        elif self._progress is not None:
            elapsed_s = event.elapsed_s or 0.0
            self._progress(ProgressEvent(event.stage, event.done, event.total, elapsed_s, event.remaining_s))

    def _take_away(self) -> None:
        self._bars.close()
        self._transfer = self._progress = None
