"""Options that do not go together, as one table: what clashes, and the way out. Everything that is not here works.

What needs the preset is refused in `resolve.py`, what needs the files where they are read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from omnihuman.errors import InputError
from omnihuman.types import AnimationRequest


@dataclass(frozen=True)
class Clash:
    """One refusal.

    Attributes:
        code: Of the error.
        holds: Whether a request has this clash.
        cause: What clashes, for the error line.
        way_out: What the person can do.
    """

    code: str
    holds: Callable[[AnimationRequest], bool]
    cause: str
    way_out: str


def _nothing_drives(request: AnimationRequest) -> bool:
    return not request.recordings and request.say is None and request.text is None


CLASHES = (
    Clash(
        "nothing_drives",
        _nothing_drives,
        "nothing says how the person should move",
        "Give --audio, --say, --drive, --pose or --text.",
    ),
    Clash(
        "drivers_clash",
        lambda request: request.drive is not None and request.pose is not None,
        "--drive and --pose both say how the body moves",
        "Give one of them; either goes together with --audio or --say.",
    ),
    Clash(
        "duration_clash",
        lambda request: request.duration is not None and bool(request.recordings),
        "--duration is for --text alone: a sound or a driver says how long the video is",
        "Leave --duration out; --trim START:END takes a part of the sound and the driver.",
    ),
    Clash(
        "duration_clash",
        lambda request: request.duration is not None and request.say is not None,
        "--duration is for --text alone: a spoken sentence takes its time",
        "Leave --duration out, or change the sentence of --say.",
    ),
    Clash(
        "trim_clash",
        lambda request: request.trim is not None and not request.recordings,
        "--trim cuts --audio, --drive and --pose, and none of them is given",
        "Leave --trim out; --duration says how long a video of --text alone is.",
    ),
    Clash(
        "guidance_clash",
        lambda request: request.guidance_text is not None and request.text is None,
        "--guidance-text says how strongly --text is followed, and there is none",
        "Give --text, or leave --guidance-text out.",
    ),
    Clash(
        "face_clash",
        lambda request: request.landmarks is not None and request.face > 1,
        "--face counts faces that are found, and --landmarks says where the face is",
        "Leave one of them out.",
    ),
)
"""In the order in which they are told."""


def refuse_clashes(request: AnimationRequest) -> None:
    """Raises InputError with the code of the first clash of `CLASHES` that holds."""
    for clash in CLASHES:
        if clash.holds(request):
            raise InputError(clash.code, clash.cause, clash.way_out)
