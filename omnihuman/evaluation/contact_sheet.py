"""Chosen frames of a video side by side, each with its time and what is said: what the eye judges.

Legend: H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from omnihuman.errors import InputError
from omnihuman.evaluation.phone_times import LONGEST_S
from omnihuman.evaluation.suite import OPEN_VOWELS
from omnihuman.media.files import write_whole
from omnihuman.perception.face import FaceLandmarks, FacePerception
from omnihuman.speech.inventory import BILABIALS, TimedPhone
from omnihuman.types import Image

_LABEL_PX = 26
_BORDER_PX = 4
_FACE_MARGIN = 0.18


@dataclass(frozen=True)
class Moment:
    """A time to look at, in seconds, and what to write under it."""

    time_s: float
    label: str


def moments_at(times: str) -> list[Moment]:
    """Moments without a label from comma-separated seconds, `0.5,1.24,2`; raises InputError times_unreadable."""
    try:
        times_s = [float(part) for part in times.split(",")]
    except ValueError:
        times_s = [math.nan]
    if not all(0.0 <= time_s <= LONGEST_S for time_s in times_s):
        raise InputError("times_unreadable", f"{times!r} are not times in seconds", "Write --times 0.5,1.24,2")
    return [Moment(time_s, "") for time_s in times_s]


def moments_of(phones: Sequence[TimedPhone], per_kind: int) -> list[Moment]:
    """Middles of p, b, m and of open vowels, evenly picked over the clip, at most `per_kind` of each, in order.

    Raises:
        InputError: moments_missing, none of these sounds is said.
    """
    chosen: list[Moment] = []
    for kind in (BILABIALS, OPEN_VOWELS):
        found = [phone for phone in phones if phone.symbol in kind]
        if found:
            picks = np.unique(np.linspace(0, len(found) - 1, min(per_kind, len(found))).round().astype(int))
            chosen += [Moment((found[i].start_s + found[i].end_s) / 2, found[i].symbol) for i in picks]
    if not chosen:
        raise InputError("moments_missing", "nobody says p, b, m or an open vowel here", "Give --times instead.")
    return sorted(chosen, key=lambda moment: moment.time_s)


def pick_frames(frames: Iterable[Image], fps: float, moments: Sequence[Moment]) -> list[Image]:
    """The frame shown at each moment, in the moments' order.

    Raises:
        InputError: time_outside, a moment lies beyond the video.
    """
    wanted = [int(moment.time_s * fps + 1e-6) for moment in moments]
    kept: dict[int, Image] = {}
    last = -1
    for last, frame in enumerate(frames):
        if last in wanted:
            kept[last] = frame
        if last >= max(wanted, default=-1):
            break
    if missing := [moment for moment, index in zip(moments, wanted, strict=True) if index not in kept]:
        cause = f"{missing[0].time_s:.2f} s lies outside the video of {(last + 1) / fps:.2f} s"
        raise InputError("time_outside", cause, "Choose times inside the video.")
    return [kept[index] for index in wanted]


def crop_face(frame: Image, face: FaceLandmarks) -> Image:
    """The square round a face with a margin, cut at the picture's border."""
    x0, y0, x1, y1 = face.box
    half = (0.5 + _FACE_MARGIN) * max(x1 - x0, y1 - y0)
    height, width = frame.shape[:2]
    left, right = (int(np.clip((x0 + x1) / 2 + side * half, 0, width)) for side in (-1, 1))
    top, bottom = (int(np.clip((y0 + y1) / 2 + side * half, 0, height)) for side in (-1, 1))
    return frame[top:bottom, left:right]


def crop_faces(frames: Sequence[Image], perception: FacePerception) -> list[Image]:
    """Each frame cut to its largest face; frames without one stay whole."""
    crops = []
    for frame in frames:
        faces = perception.detect(frame, max_faces=1)
        crops.append(crop_face(frame, faces[0]) if faces else frame)
    return crops


def contact_sheet(frames: Sequence[Image], moments: Sequence[Moment], columns: int, tile_px: int) -> Image:
    """Lays frames out in rows, labelled with phone and time.

    Args:
        frames: At least one picture `H W 3`.
        moments: One per frame.
        columns: Tiles per row.
        tile_px: Height and width of a tile; pictures are fitted into it.

    Returns:
        The sheet, RGB uint8.
    """
    return lay_out(frames, [f"{moment.label} {moment.time_s:.2f} s".strip() for moment in moments], columns, tile_px)


def lay_out(frames: Sequence[Image], labels: Sequence[str], columns: int, tile_px: int) -> Image:
    """Lays labelled pictures out in rows; see `contact_sheet`."""
    tiles = [_tile(frame, label, tile_px) for frame, label in zip(frames, labels, strict=True)]
    columns = min(columns, len(tiles))
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % columns)
    rows = [np.hstack(tiles[i : i + columns]) for i in range(0, len(tiles), columns)]
    return np.vstack(rows)


def write_png(path: Path, picture: Image) -> None:
    """Writes a PNG; its folder is created.

    Raises:
        ResourceError: output_unwritable or disk_full.
    """
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    assert done
    write_whole(path, data.tobytes())


def _tile(frame: Image, text: str, tile_px: int) -> Image:
    scale = tile_px / max(frame.shape[:2])
    size = max(1, round(frame.shape[1] * scale)), max(1, round(frame.shape[0] * scale))
    picture = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    tile = np.full((tile_px + _LABEL_PX + _BORDER_PX, tile_px + _BORDER_PX, 3), 255, np.uint8)
    top, left = (tile_px - size[1]) // 2, (tile_px - size[0]) // 2
    tile[top : top + size[1], left : left + size[0]] = picture
    place = (4, tile_px + _LABEL_PX - 7)
    cv2.putText(tile, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.55, (20, 20, 20), 1, cv2.LINE_AA)
    return tile
