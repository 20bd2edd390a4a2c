"""Video files -> upright frames with their times. One frame in memory at a time; nothing learned.

Phones turn, mirror and stretch video by tags and write frames at uneven times: both are undone or told here, so that
what is above sees pictures as a viewer shows them and seconds. Writing is `video.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME, is_readable_file
from omnihuman.media.framing import fit_within
from omnihuman.types import Image

MAX_DURATION_S = 600.0
"""A driver is looked at frame by frame, at some 40 ms each: ten minutes take about ten."""
MAX_PIXELS = 36_000_000
"""8K; a larger frame is a mistake or an attack."""
USUAL_FPS = 25.0
"""Assumed where the file does not say."""
LOCAL_ONLY = {"protocol_whitelist": "file"}
"""A playlist must not make the reader open addresses."""
FULL_TURN = 1 << 16
"""One in the fixed-point numbers of a display matrix."""


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
        InputError: video_missing or video_unreadable.
    """
    with _open(path) as container:
        return _facts(container, container.streams.video[0])


def frame_rate(path: Path) -> float:
    """Average frames per second of the first video stream; raises InputError as `video_facts` does."""
    return video_facts(path).fps


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
    max_duration_s: float | None = MAX_DURATION_S,
) -> Iterator[tuple[float, Image]]:
    """Decodes the first video stream. The file is closed when the iterator ends, fails or is closed.

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
    with _open(path) as container:
        stream = container.streams.video[0]
        facts = _facts(container, stream)
        limit_s = max_duration_s if first is None and max_duration_s is not None else float("inf")
        _check_length(path, facts.duration_s or 0.0, limit_s)
        size: tuple[int, int] | None = None
        for time_s, decoded in islice(_thinned(_decoded(path, container, stream, facts.fps), max_fps), first):
            _check_length(path, time_s, limit_s)
            frame = _upright(decoded, stream)
            frame = frame if longest_px is None else fit_within(frame, longest_px)
            size = size or (frame.shape[1], frame.shape[0])
            yield time_s, frame if frame.shape[1::-1] == size else np.asarray(cv2.resize(frame, size), np.uint8)


def _open(path: Path) -> av.container.InputContainer:
    name = path.name[:LONGEST_NAME]
    if not is_readable_file(path):
        raise InputError("video_missing", f"there is no video {name!r}", "Check the path.")
    try:
        container = av.open(str(path), metadata_errors="ignore", options=LOCAL_ONLY)
    except (av.FFmpegError, OSError) as error:
        cause = f"{name!r} is not a video that can be read: {error.strerror}"
        raise InputError("video_unreadable", cause, "Give an mp4, mov or webm file.") from None
    streams = container.streams.video
    # The cover of a song is a picture track of one frame.
    if not streams or streams[0].disposition & av.stream.Disposition.attached_pic:
        container.close()
        raise InputError("video_unreadable", f"{name!r} holds no picture track", "Give a video file.")
    if streams[0].width * streams[0].height > MAX_PIXELS:
        container.close()
        cause = f"the video has {streams[0].width} x {streams[0].height} pixels"
        raise InputError("video_too_large", cause, "Scale it down first; 1280 pixels are enough to follow a person.")
    return container


def _facts(container: av.container.InputContainer, stream: av.VideoStream) -> VideoFacts:
    fps = float(stream.average_rate or stream.guessed_rate or USUAL_FPS)
    if stream.duration is not None and stream.time_base is not None:
        return VideoFacts(fps, float(stream.duration * stream.time_base))
    return VideoFacts(fps, container.duration / av.time_base if container.duration else None)


def _check_length(path: Path, time_s: float, limit_s: float) -> None:
    if time_s > limit_s:
        cause = f"{path.name[:LONGEST_NAME]!r} is longer than {limit_s / 60:.3g} minutes"
        raise InputError("video_too_long", cause, "Cut it into parts.")


def _decoded(
    path: Path, container: av.container.InputContainer, stream: av.VideoStream, fps: float
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


def _sound_begin_s(container: av.container.InputContainer) -> float:
    """Where the sound begins, as `audio.read_sound` has it; infinite without one."""
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


def _upright(frame: av.VideoFrame, stream: av.VideoStream) -> Image:
    """The pixels as a viewer shows them: square, turned and mirrored by the display matrix."""
    picture = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
    aspect = float(stream.sample_aspect_ratio or 1)
    if abs(aspect - 1) > 0.01 and 0.1 < aspect < 10:
        picture = cv2.resize(picture, (max(2, round(picture.shape[1] * aspect)), picture.shape[0]))
    matrix = _display_matrix(frame)
    if matrix is None:
        return picture
    (a, b), (c, d) = matrix
    if abs(a) + abs(d) < abs(b) + abs(c):
        # x' = c y, y' = b x: sides change places first, then each axis may point the other way.
        picture, a, d = picture.transpose(1, 0, 2), c, b
    picture = picture[:, ::-1] if a < 0 else picture
    picture = picture[::-1] if d < 0 else picture
    return np.ascontiguousarray(picture)


def _display_matrix(frame: av.VideoFrame) -> np.ndarray | None:
    """`2 2` of x' = a x + c y, y' = b x + d y (image axes), or None without the tag."""
    # The kinds are no literals to the type checker, nor do all releases list them alike: items are asked by number.
    container: Any = frame.side_data
    for item in (container[index] for index in range(len(container))):
        if item.type.name == "DISPLAYMATRIX":
            numbers = np.frombuffer(bytes(item), np.int32).reshape(3, 3)
            return numbers[:2, :2] / FULL_TURN
    return None
