"""The first video stream of a file -> upright frames with their times, one at a time. Runs in the decoding child.

Phones turn, mirror and stretch video by tags and write frames at uneven times: both are undone or told here, so that
what is above sees pictures as a viewer shows them and seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import cv2
import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.decoding.containers import open_video
from omnihuman.media.decoding.facts import facts_of
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.framing import fit_within
from omnihuman.media.limits import MAX_FRAME_PIXELS
from omnihuman.media.messages import Message

if TYPE_CHECKING:
    from av.container import InputContainer

    from omnihuman.types import Image

FULL_TURN = 1 << 16
"""One in the fixed-point numbers of a display matrix."""


def answer_frames(
    path: Path,
    first: int | None,
    longest_px: int | None,
    max_fps: float | None,
    max_duration_s: float | None,
) -> Iterator[Message]:
    """Messages `frame` with `time_s`; the arguments are those of `footage.timed_frames`.

    Raises:
        InputError: video_unreadable, video_too_large or video_too_long.
    """
    # One thread is what decoding leaves to it; its pool would only take address space.
    cv2.setNumThreads(1)
    limit_s = max_duration_s if first is None and max_duration_s is not None else float("inf")
    with open_video(path) as container:
        stream = container.streams.video[0]
        fps, duration_s = facts_of(container)
        _check_length(path, duration_s or 0.0, limit_s)
        size: tuple[int, int] | None = None
        matrix: np.ndarray | None = None
        for time_s, decoded in islice(_thinned(_decoded(path, container, stream, fps), max_fps), first):
            _check_length(path, time_s, limit_s)
            # Asked once: who asks a frame for its side data keeps it until the collector comes, megabytes each.
            matrix = _display_matrix(decoded) if size is None else matrix
            frame = _upright(decoded, stream, matrix)
            frame = frame if longest_px is None else fit_within(frame, longest_px)
            size = size or (frame.shape[1], frame.shape[0])
            if frame.shape[1::-1] != size:
                frame = np.asarray(cv2.resize(frame, size), np.uint8)
            yield Message("frame", frame, {"time_s": time_s})


def _check_length(path: Path, time_s: float, limit_s: float) -> None:
    if time_s > limit_s:
        cause = f"{path.name[:LONGEST_NAME]!r} is longer than {limit_s / 60:.3g} minutes"
        raise InputError("video_too_long", cause, "Cut it into parts.")


def _decoded(
    path: Path, container: InputContainer, stream: av.VideoStream, fps: float
) -> Iterator[tuple[float, av.VideoFrame]]:
    """Frames with ascending seconds; a stamp that is missing or runs backwards counts as the usual step."""
    begin_s, last_s = _sound_begin_s(container), None
    try:
        for frame in container.decode(stream):
            time_s = None
            if frame.time is not None:
                # Not every container tells where its pictures begin: the first one does.
                begin_s = min(begin_s, frame.time) if last_s is None else begin_s
                time_s = frame.time - begin_s
            if time_s is None or (last_s is not None and time_s <= last_s):
                time_s = 0.0 if last_s is None else last_s + 1 / fps
            last_s = time_s
            yield time_s, frame
    except av.FFmpegError as error:
        cause = f"{path.name[:LONGEST_NAME]!r} is damaged: {error.strerror}"
        raise InputError("video_unreadable", cause, "Save the video again as mp4.") from None
    if last_s is None:
        cause = f"{path.name[:LONGEST_NAME]!r} holds no frame that can be decoded"
        raise InputError("video_unreadable", cause, "Save the video again as mp4.")


def _sound_begin_s(container: InputContainer) -> float:
    """Where the sound begins, as the sound that is read has it; infinite without one."""
    for stream in container.streams.audio:
        if stream.start_time is not None and stream.time_base is not None:
            return float(stream.start_time * stream.time_base)
    return float("inf")


def _thinned(
    frames: Iterator[tuple[float, av.VideoFrame]], max_fps: float | None
) -> Iterator[tuple[float, av.VideoFrame]]:
    due_s = 0.0
    for time_s, frame in frames:
        if max_fps is not None:
            # Half a millisecond: stamps are rounded, and no frame of a clip at just this rate may be lost.
            if time_s < due_s - 5e-4:
                continue
            due_s = max(due_s + 1 / max_fps, time_s + 0.5 / max_fps)
        yield time_s, frame


def _upright(frame: av.VideoFrame, stream: av.VideoStream, matrix: np.ndarray | None) -> Image:
    """The pixels as a viewer shows them: square, turned and mirrored by the display matrix `2 2`, if there is one."""
    picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    aspect = float(stream.sample_aspect_ratio or 1)
    if abs(aspect - 1) > 0.01 and 0.1 < aspect < 10:
        picture = cv2.resize(picture, (_stretched(picture, aspect), picture.shape[0]))
    if matrix is None:
        return picture
    (a, b), (c, d) = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        # x' = c y, y' = b x: sides change places first, then each axis may point the other way.
        picture, a, d = picture.transpose(1, 0, 2), c, b
    picture = picture[:, ::-1] if a < 0 else picture
    picture = picture[::-1] if d < 0 else picture
    return np.ascontiguousarray(picture)


def _stretched(picture: Image, aspect: float) -> int:
    """Width with square pixels; a tag may not make a huge picture of a large one."""
    height, width = picture.shape[:2]
    stretched = max(2, round(width * aspect))
    if stretched * height > MAX_FRAME_PIXELS:
        cause = f"the video is shown with {stretched} x {height} pixels"
        raise InputError("video_too_large", cause, "Scale it down first; 1280 pixels are enough to follow a person.")
    return stretched


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """`2 2` of x' = a x + c y, y' = b x + d y (image axes), or None without the tag."""
    # The kinds are no literals to the type checker, nor do all releases list them alike: items are asked by number.
    container: Any = frame.side_data
    for item in (container[index] for index in range(len(container))):
        if item.type.name == "DISPLAYMATRIX":
            numbers = np.frombuffer(bytes(item), np.int32).reshape(3, 3)
            return numbers[:2, :2] / FULL_TURN
    return None
