"""What is compared between posed geometry and rendered frames, by one set of formulas. No pictures, no networks.

Legend: points `468 3` or more, pixels, x right, y down; lengths in IOD, the 3-D distance of the outer eye corners.
"""

from __future__ import annotations

import numpy as np

from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap, iod_px
from omnihuman.perception.mesh_topology import (
    BROW_LEFT_LOWER,
    BROW_LEFT_UPPER,
    BROW_RIGHT_LOWER,
    BROW_RIGHT_UPPER,
    EYE_INNER_LEFT,
    EYE_INNER_RIGHT,
    EYE_OUTER_LEFT,
    EYE_OUTER_RIGHT,
    LIP_CORNER_LEFT,
    LIP_CORNER_RIGHT,
    NOSE_RIDGE,
)
from omnihuman.types import Float

QUANTITIES = (
    "lip_gap", "mouth_width", "eye_l", "eye_r", "brow_l", "brow_r",
    "yaw", "pitch", "roll", "shift_x", "shift_y", "scale", "gaze_x", "gaze_y",
)  # fmt: skip
"""Everything that is asked for and read again, in the order of the report."""

_BROWS = {"l": (*BROW_LEFT_UPPER, *BROW_LEFT_LOWER), "r": (*BROW_RIGHT_UPPER, *BROW_RIGHT_LOWER)}
_EYES = {"l": (EYE_INNER_LEFT, EYE_OUTER_LEFT), "r": (EYE_OUTER_RIGHT, EYE_INNER_RIGHT)}
_CENTRE = (EYE_OUTER_RIGHT, EYE_OUTER_LEFT, EYE_INNER_RIGHT, EYE_INNER_LEFT, *NOSE_RIDGE)


def expression_of(points: Float) -> dict[str, float]:
    """Lips, lids and brows."""
    unit = iod_px(points)
    right, left = eye_aperture(points)
    return {
        "lip_gap": inner_lip_gap(points),
        "mouth_width": float(np.linalg.norm(points[LIP_CORNER_LEFT] - points[LIP_CORNER_RIGHT])) / unit,
        "eye_l": left,
        "eye_r": right,
        "brow_l": _brow_height(points, "l"),
        "brow_r": _brow_height(points, "r"),
    }


def angles_of(points: Float) -> dict[str, float]:
    """Yaw, pitch and roll in degrees."""
    return dict(zip(("yaw", "pitch", "roll"), head_pose_deg(points), strict=True))


def place_of(points: Float, unit_px: float) -> dict[str, float]:
    """Where the face is and how large, against a fixed unit."""
    centre = points[list(_CENTRE), :2].mean(0) / unit_px
    return {"shift_x": float(centre[0]), "shift_y": float(centre[1]), "scale": iod_px(points) / unit_px}


def gaze_of(points: Float, irises: dict[str, Float]) -> dict[str, float]:
    """Mean place of the irises' middles (`2`, by side) between the corners of their eyes, along and across them."""
    places = []
    for side, (first, last) in _EYES.items():
        right = points[last, :2] - points[first, :2]
        right = right / np.linalg.norm(right)
        offset = (irises[side] - points[[first, last], :2].mean(0)) / iod_px(points)
        places.append([offset @ right, offset @ np.array([-right[1], right[0]])])
    along, across = np.mean(places, 0)
    return {"gaze_x": float(along), "gaze_y": float(across)}


def _brow_height(points: Float, side: str) -> float:
    """Height of a brow over the line through the eye's corners."""
    first, last = (points[number, :2] for number in _EYES[side])
    right = (last - first) / np.linalg.norm(last - first)
    brow = points[list(_BROWS[side]), :2].mean(0)
    return float((first - brow) @ np.array([-right[1], right[0]])) / iod_px(points)
