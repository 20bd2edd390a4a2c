"""Pose tracks as JSON, schema version 1: key points of persons over time, written and read with every doubt named.

The format is described in docs/pose.md. Legend: N frames; a key point is x and y in pixels and a confidence in 0..1.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME, is_readable_file, written_aside
from omnihuman.perception.keypoints import NUM_KEYPOINTS, KeypointTrack
from omnihuman.types import Float

VERSION = 1
MAX_BYTES = 400_000_000
MAX_FPS = 1000.0
MAX_SIDE_PX = 100_000
_FORMAT = "See docs/pose.md, or make one with 'python -m omnihuman pose extract'."


def write_pose(path: Path, track: KeypointTrack, fps: float) -> None:
    """Writes one person as a pose file.

    Args:
        path: The JSON to make.
        track: The person; frames without a known point hold no person.
        fps: Usual frames per second.

    Raises:
        ResourceError: output_unwritable or disk_full.
    """
    frames = []
    for time_s, points, confidence in zip(track.times_s, track.points, track.confidence, strict=True):
        rows = np.column_stack([points, confidence]).astype(float)
        persons = [{"id": 1, "keypoints": [_rounded(row) for row in rows]}] if confidence.any() else []
        frames.append({"time_s": round(float(time_s), 4), "persons": persons})
    record = {"version": VERSION, "fps": round(fps, 4), "size": [track.width, track.height], "frames": frames}
    with written_aside(path) as part:
        part.write_text(json.dumps(record, separators=(",", ":")) + "\n", encoding="utf-8")


def read_pose(path: Path) -> tuple[KeypointTrack, float]:
    """The person of a pose file who is there in most frames, and the frames per second.

    Raises:
        InputError: pose_missing, pose_unreadable, pose_version, pose_invalid or pose_empty.
    """
    record = _loaded(path)
    _check_kind(record)
    fps = _number(record.get("fps"), "fps", 0.1, MAX_FPS)
    size = record.get("size")
    if not isinstance(size, list) or len(size) != 2:
        raise _invalid("size is not [width, height]")
    width, height = (int(_number(side, "size", 1, MAX_SIDE_PX)) for side in size)
    frames = record.get("frames")
    if not isinstance(frames, list) or not frames:
        raise InputError("pose_empty", "the pose track has no frames", _FORMAT)
    found = [_persons(frame, number) for number, frame in enumerate(frames)]
    ids = Counter(person_id for persons in found for person_id in persons)
    if not ids:
        raise InputError("pose_empty", "no frame of the pose track holds a person", _FORMAT)
    chosen = min(ids, key=lambda person_id: (-ids[person_id], person_id))
    nobody = np.zeros((NUM_KEYPOINTS, 3), np.float32)
    rows = np.stack([persons.get(chosen, nobody) for persons in found])
    if not rows[..., 2].any():
        raise InputError("pose_empty", "no point of the pose track is known: every confidence is 0", _FORMAT)
    times_s = _times_s(frames, fps)
    return KeypointTrack(times_s, width, height, rows[..., :2], rows[..., 2]), fps


def _rounded(row: Float) -> list[float]:
    return [round(float(row[0]), 2), round(float(row[1]), 2), round(float(row[2]), 3)]


def _loaded(path: Path) -> dict[str, Any]:
    name = path.name[:LONGEST_NAME]
    if not is_readable_file(path):
        raise InputError("pose_missing", f"there is no pose track {name!r}", "Check the path.")
    if path.stat().st_size > MAX_BYTES:
        raise InputError("pose_unreadable", f"{name!r} is larger than {MAX_BYTES // 10**6} MB", "Cut it into parts.")
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        cause = f"{name!r} is neither a pose track nor a video: {str(error)[:120]}"
        raise InputError("pose_unreadable", cause, _FORMAT) from None
    if not isinstance(record, dict):
        raise _invalid("the file is not a JSON object")
    return record


def _check_kind(record: dict[str, Any]) -> None:
    version = record.get("version")
    if "people" in record or "pose_keypoints_2d" in record or "bodies" in record:
        cause = "this is the output of OpenPose or DWPose for one frame, not a pose track"
        way_out = "Run 'pose extract' on the video, or give the video of the drawn skeleton."
        raise InputError("pose_invalid", cause, way_out)
    if isinstance(version, bool) or version != VERSION:
        cause = f"the pose track has version {str(version)[:20]}, this program reads version {VERSION}"
        raise InputError("pose_version", cause, _FORMAT)


def _persons(frame: object, number: int) -> dict[int, Float]:
    """Key points `133 3` by the person's number."""
    if not isinstance(frame, dict) or not isinstance(frame.get("persons"), list):
        raise _invalid(f"frame {number} has no list of persons")
    found: dict[int, Float] = {}
    for person in frame["persons"]:
        person_id = person.get("id") if isinstance(person, dict) else None
        if isinstance(person_id, bool) or not isinstance(person_id, int):
            raise _invalid(f"a person in frame {number} has no number as id")
        if person_id in found:
            raise _invalid(f"frame {number} holds person {person_id} twice")
        found[person_id] = _points(person.get("keypoints"), number)
    return found


def _points(listed: object, number: int) -> Float:
    if not isinstance(listed, list) or len(listed) != NUM_KEYPOINTS:
        count = len(listed) if isinstance(listed, list) else "no"
        raise _invalid(f"frame {number} has {count} key points instead of {NUM_KEYPOINTS}")
    try:
        rows = np.array(listed, np.float64)
    except (TypeError, ValueError, OverflowError):
        rows = np.zeros(0)
    if rows.shape != (NUM_KEYPOINTS, 3):
        wrong = next((k for k, row in enumerate(listed) if not _is_triple(row)), 0)
        raise _invalid(f"key point {wrong} of frame {number} is not [x, y, confidence]")
    bad = ~np.isfinite(rows).all(1) | (rows[:, 2] < 0) | (rows[:, 2] > 1) | (np.abs(rows[:, :2]) > MAX_SIDE_PX).any(1)
    if bad.any():
        raise _invalid(f"key point {int(bad.argmax())} of frame {number} is not finite, or its confidence not in 0..1")
    return rows.astype(np.float32)


def _is_triple(row: object) -> bool:
    return isinstance(row, list) and len(row) == 3 and all(isinstance(x, int | float) for x in row)


def _times_s(frames: list[dict[str, Any]], fps: float) -> Float:
    """Middles of the frames: as the file has them, else even."""
    even = (np.arange(len(frames)) + 0.5) / fps
    if "time_s" not in frames[0]:
        return even.astype(np.float32)
    times_s = np.array([_number(f.get("time_s"), f"time_s of frame {i}", 0, 1e6) for i, f in enumerate(frames)])
    if (np.diff(times_s) <= 0).any():
        raise _invalid(f"time_s does not grow at frame {int(np.argmax(np.diff(times_s) <= 0)) + 1}")
    return times_s.astype(np.float32)


def _number(value: object, name: str, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
        raise _invalid(f"{name} is not a number")
    # Compared before it is converted: a whole number of JSON may be too large for a float.
    if not low <= value <= high:
        raise _invalid(f"{name} is {str(value)[:20]}, outside {low:g}..{high:g}")
    return float(value)


def _invalid(cause: str) -> InputError:
    return InputError("pose_invalid", f"the pose track cannot be used: {cause}", _FORMAT)
