"""A video or sound file -> its rate and length, and its tags; nothing is decoded. Runs in the decoding child."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.decoding.containers import VIDEO_WAY_OUT, open_container, open_video
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.messages import Message

if TYPE_CHECKING:
    from av.container import InputContainer

USUAL_FPS = 25.0
"""Assumed where the file does not say."""


def answer_facts(path: Path) -> Iterator[Message]:
    """The message `facts` with `fps` and `duration_s`."""
    with open_video(path) as container:
        fps, duration_s = facts_of(container)
    yield Message("facts", None, {"fps": fps, "duration_s": duration_s})


def answer_tags(path: Path) -> Iterator[Message]:
    """The message `tags`: the metadata of the container as JSON in UTF-8.

    Raises:
        InputError: video_unreadable.
    """
    try:
        with open_container(path) as container:
            text = json.dumps(dict(container.metadata))
    except (av.FFmpegError, OSError) as error:
        cause = f"{path.name[:LONGEST_NAME]!r} cannot be read: {error.strerror}"
        raise InputError("video_unreadable", cause, VIDEO_WAY_OUT) from None
    yield Message("tags", np.frombuffer(text.encode(), np.uint8))


def facts_of(container: InputContainer) -> tuple[float, float | None]:
    """Average frames per second of the first video stream; length in seconds, None where the file does not tell."""
    stream = container.streams.video[0]
    fps = float(stream.average_rate or stream.guessed_rate or USUAL_FPS)
    if stream.duration is not None and stream.time_base is not None:
        return fps, float(stream.duration * stream.time_base)
    return fps, container.duration / av.time_base if container.duration else None
