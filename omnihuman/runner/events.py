"""What parent and child tell each other: one JSON line each. The same events serve command line, queue, batch and REST.

Of one item a listener hears `started`, any number of `progress`, `transfer` and `warning`, and at the very end exactly
one `finished` or `failed`. The growing file beside the output (`files.parts_of`) plays at any time: the preview.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from omnihuman.config import StrictModel
from omnihuman.errors import OmniHumanError
from omnihuman.runner.failure import FailureClass
from omnihuman.types import AnimationRequest, AnimationResult, ProgressEvent

EventKind = Literal["started", "progress", "transfer", "stopping", "warning", "finished", "failed"]


class ItemError(StrictModel):
    """A coded error, as `OmniHumanError.as_record`."""

    code: str
    cause: str
    way_out: str
    kept: str | None = Field(None, description="File that holds what was finished before.")


class ItemResult(StrictModel):
    """What an item gave; the facts are those of the JSON beside the video."""

    video: str
    duration_s: float
    fps: float
    seed: int
    facts: dict[str, Any]


class ItemEvent(StrictModel):
    """One line. Which fields are set follows from `event`."""

    version: Literal[1] = Field(1, description="Version of this schema.")
    event: EventKind = Field(description="What happened.")
    pid: int | None = Field(None, description="started: the process that works.")
    stage: str | None = Field(None, description="progress: name of the stage; transfer: what arrives.")
    done: int | None = Field(None, description="Units of the stage that are done; bytes of a transfer.")
    total: int | None = Field(None, description="Units of the stage; bytes of a transfer.")
    elapsed_s: float | None = Field(None, description="progress: seconds since the run began.")
    remaining_s: float | None = Field(None, description="progress: estimated seconds to the end of the whole run.")
    text: str | None = Field(None, description="warning: what a person should know.")
    result: ItemResult | None = Field(None, description="finished: what was made.")
    failure: FailureClass | None = Field(None, description="failed: the class of the failure.")
    error: ItemError | None = Field(None, description="failed: the coded error.")
    trace: str | None = Field(None, description="failed by a mistake of ours: where.")

    def line(self) -> str:
        """The event as one line of JSON; fields that are not set are left out."""
        return json.dumps(self.model_dump(mode="json", exclude_none=True))


class Item(StrictModel):
    """What the parent hands to the child, on its first line of input."""

    request: AnimationRequest
    output: Path
    device: str
    notes: tuple[str, ...] = Field((), description="What the record is to warn of, beside what the run finds.")
    smaller: bool = Field(False, description="Memory ran out before: make smaller frames.")

    def line(self) -> str:
        """One line of JSON; names that are no UTF-8 survive as lone surrogates."""
        return json.dumps(self.model_dump(mode="python"), default=str)

    @classmethod
    def from_line(cls, line: str) -> Item:
        """The item of one line of JSON."""
        fields = json.loads(line)
        given = fields["request"]
        paths = ("image", "audio", "drive", "pose", "landmarks")
        # As strings, names that are no UTF-8 would be refused.
        given |= {name: Path(given[name]) for name in paths if given.get(name) is not None}
        return cls(**fields | {"request": AnimationRequest(**given), "output": Path(fields["output"])})


def progress_event(progress: ProgressEvent) -> ItemEvent:
    """How far a run is, as a line."""
    p = progress
    return ItemEvent(
        event="progress", stage=p.stage, done=p.done, total=p.total, elapsed_s=p.elapsed_s, remaining_s=p.remaining_s
    )


def finished_event(result: AnimationResult) -> ItemEvent:
    """What was made, as a line."""
    video, facts = str(result.video), result.facts
    made = ItemResult(video=video, duration_s=result.duration_s, fps=result.fps, seed=result.seed, facts=facts)
    return ItemEvent(event="finished", result=made)


def failed_event(failure: FailureClass, error: OmniHumanError, trace: str | None = None) -> ItemEvent:
    """Why there is no result, as a line."""
    return ItemEvent(event="failed", failure=failure, error=ItemError(**error.as_record()), trace=trace)


def error_of(event: ItemEvent) -> OmniHumanError:
    """The coded error of a `failed` event."""
    assert event.error is not None and event.failure is not None
    error = event.failure.error_class(event.error.code, event.error.cause, event.error.way_out)
    error.kept = event.error.kept
    return error
