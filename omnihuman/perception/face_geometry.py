"""Measures of a face from its landmarks: sizes, openings, pose of the head. Pure functions, no pictures, no networks.

Legend: points are `478 3` (or the `468 3` of the mesh), pixels, x right, y down, z towards the viewer; IOD is the 3-D
distance between the outer eye corners.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from omnihuman.perception.mesh_topology import (
    EYE_LEFT_LOWER,
    EYE_LEFT_UPPER,
    EYE_OUTER_LEFT,
    EYE_OUTER_RIGHT,
    EYE_RIGHT_LOWER,
    EYE_RIGHT_UPPER,
    LIPS_INNER_LOWER,
    LIPS_INNER_UPPER,
    mirror,
)
from omnihuman.types import Float

_MEAN_FACE = {
    10: (0.000, -0.601, 0.208),
    151: (0.000, -0.424, 0.244),
    168: (0.000, -0.051, 0.242),
    6: (0.000, 0.042, 0.287),
    197: (0.000, 0.122, 0.342),
    195: (0.000, 0.195, 0.400),
    5: (0.000, 0.273, 0.460),
    4: (0.000, 0.368, 0.485),
    1: (0.000, 0.440, 0.460),
    2: (0.000, 0.507, 0.286),
    33: (-0.500, 0.000, 0.000),
    133: (-0.191, 0.022, 0.061),
    127: (-0.765, 0.035, -0.555),
    234: (-0.754, 0.192, -0.611),
    67: (-0.394, -0.564, 0.118),
    103: (-0.557, -0.497, -0.007),
    54: (-0.661, -0.395, -0.151),
    21: (-0.723, -0.267, -0.290),
    117: (-0.587, 0.187, -0.006),
    116: (-0.695, 0.185, -0.144),
    98: (-0.183, 0.485, 0.199),
    209: (-0.190, 0.322, 0.224),
}
"""Points that hardly move with expression, of the middle line and of the right side, in IOD from the mid-point between
the outer eye corners: mean of fourteen people (Procrustes), made symmetric; upright where their median pitch is zero.
"""


def iod_px(points: Float) -> float:
    """3-D distance between the outer eye corners, pixels: the face's unit of length, whatever way it is turned."""
    return float(np.linalg.norm(points[EYE_OUTER_RIGHT] - points[EYE_OUTER_LEFT]))


def inner_lip_gap(points: Float) -> float:
    """Mean distance between the facing points of the inner lips without the corners, over IOD; 0 = closed."""
    return _opening(points, LIPS_INNER_UPPER, LIPS_INNER_LOWER)


def eye_aperture(points: Float) -> tuple[float, float]:
    """Mean lid distance of the right and the left eye without the corners, over IOD."""
    return (
        _opening(points, EYE_RIGHT_UPPER, EYE_RIGHT_LOWER),
        _opening(points, EYE_LEFT_UPPER, EYE_LEFT_LOWER),
    )


def _opening(points: Float, upper: tuple[int, ...], lower: tuple[int, ...]) -> float:
    apart = points[list(upper[1:-1])] - points[list(lower[1:-1])]
    return float(np.linalg.norm(apart, axis=1).mean()) / iod_px(points)


def head_pose_deg(points: Float) -> tuple[float, float, float]:
    """Yaw, pitch and roll of the head, degrees, by a rigid fit of a mean face to points that expression hardly moves.

    Yaw is + towards the image right, pitch + down, roll + clockwise in the image. The network flattens depth, so a
    large yaw reads smaller than it is.
    """
    rotation = head_similarity(points)[1]
    yaw = np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0))
    pitch = np.arctan2(-rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def head_rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Float:
    """`3 3` rotation of column vectors (x right, y down, z to the viewer): nod first, then turn, then tilt.

    The inverse of `head_pose_deg`: turning the picture changes roll alone.
    """
    return exact_head_rotation(yaw_deg, pitch_deg, roll_deg).astype(np.float32)


def exact_head_rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Float:
    """`head_rotation` in float64, for fits that need its slope."""
    yaw, pitch, roll = np.radians([yaw_deg, pitch_deg, roll_deg])
    nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
    return np.asarray(tilt @ turn @ nod, np.float64)


def head_similarity(points: Float) -> tuple[float, Float, Float]:
    """Scale (pixels per IOD), rotation `3 3` and shift `3` (pixels) that carry the mean face onto `points`."""
    numbers, mean_face = _mean_face()
    return similarity(mean_face, points[numbers])


def similarity(source: Float, target: Float) -> tuple[float, Float, Float]:
    """Least-squares scale, rotation `3 3` and shift `3` from points `N 3` to points `N 3` (Umeyama 1991)."""
    centre_s, centre_t = source.mean(axis=0, dtype=np.float64), target.mean(axis=0, dtype=np.float64)
    from_s, from_t = source - centre_s, target - centre_t
    left, spread, right = np.linalg.svd(from_t.T @ from_s)
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(left @ right))])
    rotation = (left * signs) @ right
    scale = float((spread * signs).sum() / max(float((from_s**2).sum()), 1e-12))
    shift = centre_t - scale * rotation @ centre_s
    return scale, rotation.astype(np.float32), shift.astype(np.float32)


@cache
def _mean_face() -> tuple[list[int], Float]:
    """Numbers and positions of the mean face's points on both sides."""
    numbers, positions = list(_MEAN_FACE), [np.array(p) for p in _MEAN_FACE.values()]
    for number, position in zip(list(numbers), list(positions), strict=True):
        if position[0] != 0.0:
            numbers.append(int(mirror()[number]))
            positions.append(position * [-1.0, 1.0, 1.0])
    return numbers, np.array(positions, np.float32)
