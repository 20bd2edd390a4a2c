"""Measures of a face from its landmarks: sizes, openings, pose of the head. Pure functions, no pictures, no networks.

Legend: points are `478 3` (or the `468 3` of the mesh), pixels, x right, y down, z towards the viewer; IOD is the 3-D
distance between the outer eye corners.
"""

from __future__ import annotations

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
)
from omnihuman.types import Float


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
    raise AssertionError
