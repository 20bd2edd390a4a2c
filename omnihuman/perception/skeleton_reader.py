"""A drawn skeleton -> key points: limbs are found by their colours and joined where they meet. One person, body only.

Hands and face are too fine for compressed video and are not read back. Programs write the colours in either order of
red and blue; the order whose limbs meet is taken. Legend: H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.errors import InputError
from omnihuman.perception.keypoints import NUM_KEYPOINTS, KeypointTrack
from omnihuman.perception.skeleton import JOINT_FROM_COCO, LIMBS, NECK
from omnihuman.types import Float, Image

_LIMB_LIGHT = (0.30, 0.80)
_DOT_LIGHT = 0.80
_MIN_SATURATION = 0.5
_HUE_STEP_DEG, _HUE_SLACK_DEG = 20.0, 9.5
_MIN_AREA_PX, _MIN_LENGTH_PX = 10, 5.0
_PIECE_SHARE = 0.2
"""A crossed limb is in pieces; what is smaller against the largest one is the blurred rim of a neighbour."""
_ROOT_LIMBS = (0, 1, 6, 9, 12)
"""Limbs that begin at the neck."""
_MEET_SHARE, _MEET_PX = 0.25, 8.0
"""Limbs meet when their ends are no further apart than this share of the longer one, or this many pixels."""
_READ_CONFIDENCE = 0.9
_TRIAL_FRAMES, _MIN_LIMBS, _MIN_READ_SHARE = 12, 4, 0.3

Segments = dict[int, NDArray[np.float64]]
"""Limb number -> its two ends `2 2`, in no order."""


@dataclass(frozen=True)
class Skeleton:
    """What one frame shows.

    Attributes:
        joints: Number of the joint -> `2` pixels.
        limbs: How many limbs hang together.
        strays: How many do not.
    """

    joints: dict[int, NDArray[np.float64]]
    limbs: int
    strays: int


def read_skeletons(frames: Iterable[Image], times_s: Sequence[float], name: str) -> KeypointTrack:
    """The drawn person of a video.

    Args:
        frames: Pictures `H W 3` of one size.
        times_s: `N` seconds; may still be growing while the frames go by.
        name: Of the file, for the error.

    Raises:
        InputError: pose_unreadable, when hardly a frame shows limbs in the usual colours.
    """
    both: tuple[list[Skeleton], list[Skeleton]] = ([], [])
    reversed_colours: bool | None = None
    height = width = 0
    for number, frame in enumerate(frames):
        height, width = frame.shape[:2]
        for order in (0, 1):
            if reversed_colours is None or reversed_colours == bool(order):
                both[order].append(read_skeleton(frame[..., ::-1] if order else frame))
        if number + 1 == _TRIAL_FRAMES:
            reversed_colours = _fits_better(both[1], both[0])
    found = both[int(_fits_better(both[1], both[0]) if reversed_colours is None else reversed_colours)]
    read = sum(skeleton.limbs >= _MIN_LIMBS for skeleton in found)
    if not found or read < _MIN_READ_SHARE * len(found):
        cause = f"{name!r} shows a skeleton in the usual colours in {read} of {len(found)} frames"
        raise InputError("pose_unreadable", cause, "Give a pose track (JSON), or a person's video as --drive.")
    rows = [_keypoints(skeleton) for skeleton in found]
    points, confidence = (np.stack(column).astype(np.float32) for column in zip(*rows, strict=True))
    return KeypointTrack(np.asarray(times_s, np.float32)[: len(found)], width, height, points, confidence)


def read_skeleton(image: Image) -> Skeleton:
    """Joints of the drawn person in a picture `H W 3`."""
    lit = np.argwhere(image.max(2) >= _LIMB_LIGHT[0] * 255)
    if not len(lit):
        return Skeleton({}, 0, 0)
    (top, left), (bottom, right) = lit.min(0), lit.max(0) + 1
    part = _read_part(image[top:bottom, left:right])
    corner = np.array([left, top])
    return replace(part, joints={joint: point + corner for joint, point in part.joints.items()})


def _read_part(image: Image) -> Skeleton:
    """As `read_skeleton`, for a picture without a black margin."""
    hsv = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2HSV)
    hue_deg, saturation, light = 2.0 * hsv[..., 0], hsv[..., 1] / 255.0, hsv[..., 2] / 255.0
    colour = np.round(hue_deg / _HUE_STEP_DEG).astype(int)
    pure = (np.abs(hue_deg - _HUE_STEP_DEG * colour) <= _HUE_SLACK_DEG) & (saturation >= _MIN_SATURATION)
    number = np.where(pure, colour % 18, -1)
    low, high = _LIMB_LIGHT
    limb_number = np.where((light >= low) & (light < high), number, -1)
    segments: Segments = {}
    for limb in range(len(LIMBS)):
        ends = _segment(limb_number == limb)
        if ends is not None:
            segments[limb] = ends
    return _joined(segments, np.where(light >= _DOT_LIGHT, number, -1))


def _segment(mask: NDArray[np.bool_]) -> NDArray[np.float64] | None:
    """The two ends of the longest streak of a mask `H W`; pieces on its line belong to it."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    if count < 2 or stats[1:, cv2.CC_STAT_AREA].max() < _MIN_AREA_PX:
        return None
    main = 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())
    rows, columns = np.nonzero(labels)
    points = np.column_stack([columns, rows]).astype(np.float64)
    owner = labels[rows, columns]
    body = points[owner == main]
    centre = body.mean(0)
    axis = np.linalg.svd(body - centre, full_matrices=False)[2][0]
    aside = np.abs((points - centre) @ np.array([-axis[1], axis[0]]))
    thick = max(2.0, float(np.percentile(aside[owner == main], 95)))
    least = max(_MIN_AREA_PX, _PIECE_SHARE * len(body))
    big = np.isin(owner, 1 + np.flatnonzero(stats[1:, cv2.CC_STAT_AREA] >= least))
    along = (points[big & (aside <= 1.5 * thick)] - centre) @ axis
    first, last = float(along.min()), float(along.max())
    return np.stack([centre + first * axis, centre + last * axis]) if last - first >= _MIN_LENGTH_PX else None


def _joined(segments: Segments, dots: NDArray[np.int64]) -> Skeleton:
    """Names the ends of the limbs, from the neck outwards."""
    joints: dict[int, NDArray[np.float64]] = {}
    neck = _neck(segments)
    if neck is None:
        return Skeleton({}, 0, len(segments))
    joints[NECK] = neck
    limbs = 0
    for limb, (inner, outer) in enumerate(LIMBS):
        ends = segments.get(limb)
        if ends is None or inner not in joints:
            continue
        apart = np.linalg.norm(ends - joints[inner], axis=1)
        near = int(apart.argmin())
        if apart[near] > max(_MEET_PX, _MEET_SHARE * float(np.linalg.norm(ends[0] - ends[1]))):
            continue
        joints[outer] = _refined(ends[1 - near], dots == outer)
        limbs += 1
    return Skeleton(joints, limbs, len(segments) - limbs)


def _neck(segments: Segments) -> NDArray[np.float64] | None:
    """Where the limbs that begin at the neck meet; at least two are needed."""
    roots = [segments[limb] for limb in _ROOT_LIMBS if limb in segments]
    if len(roots) < 2:
        return None
    best: tuple[float, NDArray[np.float64]] | None = None
    for guess in np.concatenate(roots):
        nearest = np.stack([ends[int(np.linalg.norm(ends - guess, axis=1).argmin())] for ends in roots])
        apart = float(np.median(np.linalg.norm(nearest - guess, axis=1)))
        if best is None or apart < best[0]:
            best = apart, np.asarray(np.median(nearest, 0))
    assert best is not None
    longest = max(float(np.linalg.norm(ends[0] - ends[1])) for ends in roots)
    return best[1] if best[0] <= max(_MEET_PX, _MEET_SHARE * longest) else None


def _refined(end: NDArray[np.float64], dots: NDArray[np.bool_], reach_px: int = 7) -> NDArray[np.float64]:
    """The middle of the joint's own dot, where one lies at the end of its limb."""
    height, width = dots.shape
    x, y = (int(round(v)) for v in end)
    left, top = max(0, x - reach_px), max(0, y - reach_px)
    rows, columns = np.nonzero(dots[top : min(height, y + reach_px + 1), left : min(width, x + reach_px + 1)])
    return end if len(rows) < 3 else np.array([left + columns.mean(), top + rows.mean()])


def _fits_better(one: list[Skeleton], other: list[Skeleton]) -> bool:
    def score(found: list[Skeleton]) -> float:
        return float(sum(skeleton.limbs - 0.5 * skeleton.strays for skeleton in found))

    return score(one) > score(other)


def _keypoints(skeleton: Skeleton) -> tuple[Float, Float]:
    points, confidence = np.zeros((NUM_KEYPOINTS, 2)), np.zeros(NUM_KEYPOINTS)
    for joint, number in enumerate(JOINT_FROM_COCO):
        if number is not None and joint in skeleton.joints:
            points[number], confidence[number] = skeleton.joints[joint], _READ_CONFIDENCE
    return points, confidence
