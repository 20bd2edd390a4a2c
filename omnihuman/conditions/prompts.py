"""What a person writes as `text` -> prompts: one sentence, or a schedule in JSON (inline or a file). Nothing learned.

The schedule is what a director writes:

    {"version": 1, "shots": [{"start_s": 0, "end_s": 2.5, "prompt": "smiles"}, {"start_s": 2.5, "prompt": "nods"}]}
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from omnihuman.conditions.text import Prompt
from omnihuman.config import StrictModel
from omnihuman.errors import InputError

LONGEST_FILE_BYTES = 1 << 20
MOST_SHOTS = 1000
_WAY_OUT = (
    'Write {"version": 1, "shots": [{"start_s": 0, "end_s": 2.5, "prompt": "smiles"}]}, or simply a sentence; '
    "see docs/text.md."
)


class _Shot(StrictModel):
    """One entry of a schedule."""

    start_s: float = Field(ge=0.0, allow_inf_nan=False)
    end_s: float | None = Field(None, gt=0.0, allow_inf_nan=False)
    prompt: str = Field(min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _lasts(self) -> _Shot:
        if self.end_s is not None and self.end_s <= self.start_s:
            raise ValueError("end_s must lie after start_s")
        if not self.prompt.strip():
            raise ValueError("the prompt is empty")
        return self


class _Schedule(StrictModel):
    """The whole file."""

    schema_: Literal["omnihuman.prompts"] = Field("omnihuman.prompts", alias="schema")
    version: Literal[1] = 1
    shots: list[_Shot] = Field(min_length=1, max_length=MOST_SHOTS)


def is_schedule_file(text: str) -> bool:
    """Whether the text names a JSON file instead of being a sentence."""
    return text.strip().lower().endswith(".json") and "\n" not in text and not text.lstrip().startswith("{")


def read_prompts(text: str) -> list[Prompt]:
    """Prompts of a request.

    Args:
        text: A sentence; a schedule as JSON text; or the path of a `.json` file that holds one.

    Returns:
        In order of their starts. A shot without an end holds until the next one begins.

    Raises:
        InputError: text_empty, text_unreadable (no such file, not JSON) or text_invalid (another format).
    """
    if not text.strip():
        raise InputError("text_empty", "the prompt is empty", "Write a sentence, or leave --text out.")
    if is_schedule_file(text):
        return _parsed(_content(Path(text.strip())))
    if text.lstrip().startswith(("{", "[{")):
        return _parsed(text)
    if text.strip().lower().endswith((".yaml", ".yml")) and " " not in text.strip():
        raise InputError("text_unreadable", f"{Path(text.strip()).name[:80]!r} is no JSON file", _WAY_OUT)
    return [Prompt(text.strip())]


def length_s(prompts: Sequence[Prompt], open_end_s: float) -> float:
    """Seconds that the prompts fill; one that holds until the end counts `open_end_s` from its start."""
    return max(p.end_s if math.isfinite(p.end_s) else p.start_s + open_end_s for p in prompts)


def too_late(prompts: Sequence[Prompt], duration_s: float) -> list[str]:
    """A warning per prompt that begins when the clip is over."""
    return [
        f"the prompt at {prompt.start_s:g} s begins after the end of the video ({duration_s:.2f} s) and does nothing"
        for prompt in prompts
        if prompt.start_s >= duration_s
    ]


def _content(path: Path) -> str:
    try:
        if path.stat().st_size > LONGEST_FILE_BYTES:
            raise InputError("text_unreadable", f"{path.name[:80]!r} is larger than 1 MB", _WAY_OUT)
        return path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise InputError("text_unreadable", f"{path.name[:80]!r} cannot be read ({reason})", _WAY_OUT) from None


def _parsed(content: str) -> list[Prompt]:
    try:
        schedule = _Schedule.model_validate(json.loads(content))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        cause = f"{where + ': ' if where else ''}{first['msg'].removeprefix('Value error, ')}"
        raise InputError("text_invalid", cause, _WAY_OUT) from None
    except (ValueError, RecursionError):
        # Not JSON, nested without end, or a number of thousands of digits.
        raise InputError("text_unreadable", "the schedule is not JSON", _WAY_OUT) from None
    shots = sorted(schedule.shots, key=lambda shot: shot.start_s)
    following_s = [*(shot.start_s for shot in shots[1:]), math.inf]
    return [
        Prompt(shot.prompt.strip(), shot.start_s, next_s if shot.end_s is None else shot.end_s)
        for shot, next_s in zip(shots, following_s, strict=True)
        if shot.end_s is not None or next_s > shot.start_s
    ]
