"""Video or picture -> pose file -> video of a drawn skeleton: the work behind `pose extract` and `pose draw`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.footage import timed_frames, video_facts
from omnihuman.media.image import read_image
from omnihuman.media.limits import PICTURE_FORMATS
from omnihuman.media.video import VideoWriter
from omnihuman.perception.keypoints import BODY, FACE, HANDS, keypoints_of
from omnihuman.perception.pose_file import read_pose, write_pose
from omnihuman.perception.skeleton import draw_skeleton
from omnihuman.perception.tracker import PersonTracker
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.types import Float, Image, ProgressCallback

PICTURE_FPS = 25.0
MAX_SIDE_PX = 4096
MAX_DRAWN_S = 3600.0
_PICTURES = {f".{name.lower()}" for name in PICTURE_FORMATS} | {".jpg", ".tif"}
_PARTS = {"body": BODY, "face": FACE, "left hand": HANDS["l"], "right hand": HANDS["r"]}
_SEEN = 0.3


def extract_pose(
    source: Path, out: Path, tracker: PersonTracker, person: int, progress: ProgressCallback | None
) -> dict[str, Any]:
    """Follows one person and writes a pose file.

    Args:
        source: Video, or a picture, which becomes one frame.
        out: The JSON.
        tracker: Follows the person.
        person: Number of the person, 1 = the largest face.
        progress: Receives stage "watch".

    Returns:
        Facts: frames, fps, size, and the share of frames in which each part is seen.

    Raises:
        InputError: person_missing, and what reading raises.
    """
    is_picture = source.suffix.lower() in _PICTURES
    facts = None if is_picture else video_facts(source)
    fps = PICTURE_FPS if facts is None else facts.fps
    expected = 1 if facts is None else max(1, round(fps * (facts.duration_s or 10.0)))
    meter = ProgressMeter(progress, [Stage("watch", expected, 0.05)])
    times_s: list[float] = []
    timed = iter([(0.0, read_image(source))]) if is_picture else timed_frames(source)
    track = tracker.track(_counted(timed, times_s, meter), fps, person)
    starts_s = np.array(times_s)
    step_s = float(np.median(np.diff(starts_s))) if len(starts_s) > 1 else 1.0 / fps
    points = keypoints_of(replace(track, times_s=(starts_s + step_s / 2).astype(np.float32)))
    if not points.confidence.any():
        cause = f"{source.name[:LONGEST_NAME]!r} shows no person" + (f" {person}" if person > 1 else "")
        raise InputError("person_missing", cause, "Use a video or picture in which a person is seen.")
    write_pose(out, points, fps)
    seen = {part: round(float((points.confidence[:, p].max(1) > _SEEN).mean()), 3) for part, p in _PARTS.items()}
    return {"frames": len(starts_s), "fps": round(fps, 3), "size": [points.width, points.height], "seen": seen}


def draw_pose(
    pose: Path,
    out: Path,
    size: tuple[int, int] | None,
    over: Path | None,
    progress: ProgressCallback | None,
) -> dict[str, Any]:
    """Draws a pose file as video, at its frame rate; tracks and videos of another or an uneven rate meet by time.

    Args:
        pose: The JSON.
        out: The mp4.
        size: Width and height; None = the track's own, where a video can be so large.
        over: Video or picture to draw over; black without one. It is shown as long as the track lasts.
        progress: Receives stage "render".

    Raises:
        InputError: pose_too_long, and what reading raises.
    """
    track, fps = read_pose(pose)
    width, height = size or (track.width, track.height)
    if max(width, height) > MAX_SIDE_PX and size is None:
        shrink = MAX_SIDE_PX / max(width, height)
        width, height = (max(2, round(side * shrink)) for side in (width, height))
    scale = np.array([width / track.width, height / track.height])
    rows = _rows_at(track.times_s, fps)
    meter = ProgressMeter(progress, [Stage("render", len(rows), 0.01)])
    grounds = _grounds(over, fps, width, height)
    with VideoWriter(out, fps, None, {"comment": "Drawn key points"}) as writer:
        for row in meter.each("render", rows):
            writer.write(draw_skeleton(next(grounds), track.points[row] * scale, track.confidence[row]))
    return {"frames": len(rows), "fps": round(fps, 3), "width": width, "height": height}


def _rows_at(times_s: Float, fps: float) -> list[int]:
    """The row of a track, by the middles of its rows, that each frame of a video shows."""
    middles_s = np.asarray(times_s, np.float64)
    step_s = float(np.median(np.diff(middles_s))) if len(middles_s) > 1 else 1 / fps
    duration_s = middles_s[-1] + step_s / 2
    if duration_s > MAX_DRAWN_S:
        cause = f"the pose track lasts {duration_s:.0f} s, over the limit of {MAX_DRAWN_S:.0f} s"
        raise InputError("pose_too_long", cause, "Cut it into parts.")
    wanted_s = (np.arange(max(1, round(duration_s * fps))) + 0.5) / fps
    return [int(row) for row in np.searchsorted((middles_s[1:] + middles_s[:-1]) / 2, wanted_s)]


def _grounds(over: Path | None, fps: float, width: int, height: int) -> Iterator[Image]:
    """What to draw on, frame after frame, without end: the last picture stays."""
    ground = np.zeros((height, width, 3), np.uint8)
    shown = 0
    if over is not None:
        pictures = [(0.0, read_image(over))] if over.suffix.lower() in _PICTURES else timed_frames(over)
        for number, (begin_s, picture) in enumerate(pictures):
            while number and (shown + 0.5) / fps < begin_s:
                shown += 1
                yield ground
            ground = np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    while True:
        yield ground


def _counted(timed: Iterable[tuple[float, Image]], times_s: list[float], meter: ProgressMeter) -> Iterator[Image]:
    meter.advance("watch", 0)
    for time_s, frame in timed:
        times_s.append(time_s)
        yield frame
        meter.advance("watch")
