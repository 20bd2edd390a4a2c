"""Refuses a request that cannot work before anything is read or computed. Loads nothing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from omnihuman.conditions.prompts import is_schedule_file, read_prompts
from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME, is_readable_file, is_same_file, require_place, unwritable
from omnihuman.pipeline.clashes import refuse_clashes
from omnihuman.pipeline.mark import is_record
from omnihuman.types import AnimationRequest


def check_request(request: AnimationRequest, output: Path | None) -> None:
    """Looks at the request and at the place of the result.

    Raises:
        InputError: what `clashes.py` refuses, text_empty, text_unreadable, text_invalid, or output_invalid.
        ResourceError: output_unwritable.
    """
    refuse_clashes(request)
    if request.text is not None:
        read_prompts(request.text)
    if request.say is not None and not request.say.strip():
        raise InputError("text_empty", "the text to say is empty", "Write a sentence.")
    if output is not None:
        _check_output(request, output)


def check_places(outputs: Iterable[Path], suffix: str, inputs: Iterable[Path]) -> None:
    """Refuses places that no file of this kind can be written to, before the work.

    Args:
        outputs: Files to be.
        suffix: What their names have to end in, such as ".json".
        inputs: Files that must survive.

    Raises:
        InputError: output_invalid.
        ResourceError: output_unwritable or disk_full.
    """
    inputs = list(inputs)
    for place in outputs:
        if place.suffix.lower() != suffix:
            cause = f"{place.name[:LONGEST_NAME]!r} is not the name of a {suffix[1:]} file"
            raise InputError("output_invalid", cause, f"Name it NAME{suffix}.")
        if place in inputs:
            raise InputError(
                "output_invalid", "the output would overwrite another file of this run", "Choose another name."
            )
        require_place(place, inputs)


def _inputs(request: AnimationRequest) -> tuple[Path | None, ...]:
    schedule = Path(request.text.strip()) if request.text is not None and is_schedule_file(request.text) else None
    return request.image, request.audio, request.drive, request.pose, request.landmarks, schedule


def _check_output(request: AnimationRequest, output: Path) -> None:
    if output.suffix.lower() != ".mp4":
        raise InputError("output_invalid", f"{output.name!r} is not the name of an mp4", "Name it NAME.mp4.")
    record = output.with_suffix(".json")
    for place in (output, record):
        if any(is_same_file(place, given) for given in _inputs(request) if given is not None):
            raise InputError("output_invalid", "the output would overwrite an input", "Choose another name.")
    try:
        taken = [place for place in (output, record) if place.exists() and not is_readable_file(place)]
        if taken:
            raise InputError("output_invalid", f"{taken[0].name!r} is not a file", "Choose another name.")
        if record.exists() and not is_record(record):
            cause = f"{record.name!r} is there already and is not a record of this program"
            raise InputError("output_invalid", cause, "Choose another name, or move that file away.")
    except OSError as error:
        raise unwritable(output, error) from None
    require_place(output)
