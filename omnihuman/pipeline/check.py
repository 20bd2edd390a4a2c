"""Refuses a request that cannot work before anything is read or computed. Costs nothing, loads nothing."""

from __future__ import annotations

from pathlib import Path

from omnihuman.errors import InputError
from omnihuman.types import AnimationRequest


def check_request(request: AnimationRequest, output: Path | None) -> None:
    """Refuses what cannot work before anything is computed.

    Raises:
        InputError: nothing_drives, text_empty, or output_invalid.
    """
    if request.audio is None and request.say is None:
        raise InputError("nothing_drives", "nothing says how the person should move", "Give --audio or --say.")
    if request.say is not None and not request.say.strip():
        raise InputError("text_empty", "the text to say is empty", "Write a sentence.")
    if output is None:
        return
    if output.suffix.lower() != ".mp4":
        raise InputError("output_invalid", f"{output.name!r} does not end in .mp4", "Name an .mp4 file.")
    if output.is_dir():
        raise InputError("output_invalid", f"{output.name!r} is a folder", "Name an .mp4 file.")
    inputs = [p for p in (request.image, request.audio) if p is not None and p.exists()]
    if output.exists() and any(output.samefile(p) for p in inputs):
        raise InputError("output_invalid", "the output would overwrite an input", "Name another file.")
