"""Video files -> upright frames with their times. One frame in memory at a time; nothing learned.

Files are decoded by `decoding.frames` in a child process, a frame ahead of what is asked for. Writing is `video.py`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.limits import MAX_FRAME_PIXELS, MAX_TAG_BYTES, MAX_VIDEO_S
from omnihuman.media.messages import Bound
from omnihuman.media.sandbox import Task, decode, decode_one
from omnihuman.types import Image

_FACTS = Task("facts", "video", {"facts": None})
_TAGS = Task("tags", "video", {"tags": Bound("uint8", 1, MAX_TAG_BYTES)})
_FRAMES = Task("frames", "video", {"frame": Bound("uint8", 2, MAX_FRAME_PIXELS, (3,))})


@dataclass(frozen=True)
class VideoFacts:
    """What the file says of its picture track, before a frame is decoded.

    Attributes:
        fps: Average frames per second.
        duration_s: Length in seconds, None where the file does not tell.
    """

    fps: float
    duration_s: float | None


def video_facts(path: Path) -> VideoFacts:
    """Rate and length of the first video stream.

    Raises:
        InputError: video_missing, video_unreadable or video_too_large.
    """
    fields = decode_one(_FACTS, path).fields
    fps, duration_s = fields.get("fps"), fields.get("duration_s")
    if not _is_number(fps) or fps <= 0 or not (duration_s is None or _is_number(duration_s)):
        raise _damaged(path)
    return VideoFacts(fps, duration_s)


def frame_rate(path: Path) -> float:
    """Average frames per second of the first video stream; raises InputError as `video_facts` does."""
    return video_facts(path).fps


def read_tags(path: Path) -> dict[str, str]:
    """Metadata of a media file, key -> text.

    Raises:
        InputError: video_missing or video_unreadable.
    """
    array = decode_one(_TAGS, path).array
    assert array is not None
    try:
        tags = json.loads(array.tobytes())
    except (ValueError, RecursionError):
        raise _damaged(path) from None
    if not isinstance(tags, dict):
        raise _damaged(path)
    return {str(key): str(text) for key, text in tags.items()}


def read_frames(path: Path) -> Iterator[Image]:
    """The frames of `timed_frames` without their times and without a limit on the length."""
    for _, frame in timed_frames(path, max_duration_s=None):
        yield frame


def timed_frames(
    path: Path,
    *,
    first: int | None = None,
    longest_px: int | None = None,
    max_fps: float | None = None,
    max_duration_s: float | None = MAX_VIDEO_S,
) -> Iterator[tuple[float, Image]]:
    """Decodes the first video stream. The child is gone when the iterator ends, fails or is closed.

    Args:
        path: Any common container: mp4, mov, webm, mkv, avi, gif.
        first: Stops after this many frames; then the length of the file does not matter.
        longest_px: Scales larger frames down to this longest side.
        max_fps: Leaves frames out so that no more than this many come in a second.
        max_duration_s: Longest time of a frame that is accepted, None = any.

    Yields:
        Seconds since the beginning of the clip (where its sound begins, if that is earlier than its first picture),
        ascending; and the frame, RGB uint8 `H W 3`, turned and stretched as a viewer shows it, all of one size.

    Raises:
        InputError: video_missing, video_unreadable, video_too_large or video_too_long.
    """
    options = {"first": first, "longest_px": longest_px, "max_fps": max_fps, "max_duration_s": max_duration_s}
    last_s, shape = -1.0, None
    with closing(decode(_FRAMES, path, **options)) as messages:
        for message in messages:
            frame, time_s = message.array, message.fields.get("time_s")
            assert frame is not None
            if not _is_number(time_s) or time_s <= last_s or frame.shape != (shape or frame.shape) or not frame.size:
                raise _damaged(path)
            last_s, shape = time_s, frame.shape
            yield time_s, frame


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and math.isfinite(value)


def _damaged(path: Path) -> InputError:
    return InputError("video_unreadable", f"{path.name[:LONGEST_NAME]!r} is damaged", "Save the video again as mp4.")
