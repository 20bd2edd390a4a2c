"""`run_item`: one request in a child process of its own, for command line, queue and batch alike.

The caller stays light and alive whatever happens to the child; a second try with smaller frames follows when memory
ran out.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from omnihuman.errors import OmniHumanError
from omnihuman.runner.attempt import CHILD, Attempt, OnEvent
from omnihuman.runner.events import Item, ItemEvent, error_of
from omnihuman.runner.failure import FailureClass
from omnihuman.runner.stop import Stop
from omnihuman.types import AnimationRequest, AnimationResult


@dataclass(frozen=True)
class RunOptions:
    """How an item is run; what is made is the request's business.

    Attributes:
        device: Where the networks run: auto, cpu, cuda, cuda:1, mps.
        timeout_s: Wall-clock seconds that each try may take; None: as long as it likes.
        retries_smaller: Whether it is tried once more at half the size when memory ran out.
        command: What starts a child; tests start one without networks.
    """

    device: str = "cpu"
    timeout_s: float | None = None
    retries_smaller: bool = True
    command: Sequence[str] = CHILD


@dataclass(frozen=True)
class Outcome:
    """What became of an item: a result, or a failure with its class.

    Attributes:
        result: The finished video and its facts, without frames and parameters; None when it failed.
        failure: The class of the failure; None when it is finished.
        error: The failure as a coded error; `error.kept` is the file that holds what was finished before.
        trace: Where a mistake of ours happened, or the last lines of a child that crashed; for the log.
    """

    result: AnimationResult | None = None
    failure: FailureClass | None = None
    error: OmniHumanError | None = None
    trace: str | None = None

    def result_or_raise(self) -> AnimationResult:
        """The result.

        Raises:
            OmniHumanError: the coded error, when there is none.
        """
        if self.result is None:
            assert self.error is not None
            raise self.error
        return self.result


USUAL = RunOptions()


def ignore(_event: ItemEvent) -> None:
    """Hears nothing."""


def run_item(
    request: AnimationRequest,
    output: Path,
    options: RunOptions = USUAL,
    on_event: OnEvent = ignore,
    stop: Stop | None = None,
) -> Outcome:
    """Renders one request in a child process and waits for it.

    What a stopped, killed or failed child had finished is kept beside the output as `NAME.partial.mp4`; the final name
    belongs to a complete and proven file only. No process and no temporary file is left, whatever happens.

    Args:
        request: Validated.
        output: The mp4 to make.
        options: Device, time limit, retry.
        on_event: Hears what happens, in this thread; the last event is `finished` or `failed`.
        stop: Set from another thread or a signal handler, it stops the item within two seconds.

    Returns:
        The outcome; failures do not raise.
    """
    stop = stop or Stop()
    item = Item(request=request, output=output, device=options.device)
    attempt = Attempt(item, options.command, options.timeout_s)
    last = attempt.follow(on_event, stop)
    # A killed child may have died of something else, and nobody asked for a smaller video.
    is_sure = last.failure is FailureClass.OUT_OF_MEMORY and attempt.told_its_end
    if is_sure and options.retries_smaller and not stop.is_asked:
        last = _try_smaller(item, options, on_event, stop, last)
    on_event(last)
    return _outcome(last)


def _try_smaller(item: Item, options: RunOptions, on_event: OnEvent, stop: Stop, first: ItemEvent) -> ItemEvent:
    """The second try after memory ran out; what the first one kept is dropped where the second one goes further."""
    on_event(ItemEvent(event="warning", text="memory ran out; trying once more with smaller frames"))
    again = item.model_copy(update={"smaller": True})
    last = Attempt(again, options.command, options.timeout_s).follow(on_event, stop)
    assert first.error is not None
    kept = first.error.kept
    if kept is None:
        return last
    if last.error is not None and last.error.kept is None:
        return last.model_copy(update={"error": last.error.model_copy(update={"kept": kept})})
    with suppress(OSError):
        Path(kept).unlink()
    return last


def _outcome(last: ItemEvent) -> Outcome:
    if last.result is None:
        return Outcome(failure=last.failure, error=error_of(last), trace=last.trace)
    made = last.result
    video = Path(made.video)
    return Outcome(AnimationResult(video, None, made.fps, made.duration_s, made.seed, None, made.facts))
