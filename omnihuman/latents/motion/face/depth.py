"""Depth of every mesh vertex and the frame of the pictured head, from the detector's shallow landmarks.

Depth is Lipschitz-limited: it falls off from the face at a fixed slope, so hair and ears turn with the head instead
of a mask sliding over them. z is in pixels, towards the viewer. No motion here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.mesh import Index
from omnihuman.perception.face_geometry import head_pose_deg
from omnihuman.types import Float

_DEPTH_GAIN = 1.45
"""The detector's heads are flatter than heads are. More makes a turn read larger and costs the lips; see DECISIONS."""
_SLOPE = 1.35
_SMOOTHING_ROUNDS = 6
_LIP_SLOPE, _LIP_STEP_IOD, _LEVEL_SHARES = 0.2, 0.01, (0.5, 1.0)
"""Facing inner lips differ in depth by this share of their gap and this step at most; the rows before them by more."""


@dataclass(frozen=True)
class HeadFrame:
    """Where the pictured head is and how it is turned.

    Attributes:
        axes: `3 3`, columns = face right (image x), down, towards the viewer, as unit vectors of the picture.
        iod_px: 3-D distance between the outer eye corners.
        centre: `3` point between the eyes, lips and cheeks.
        pivot: `3` where the neck carries the head.
        yaw_deg: Turn, + towards the image right.
        pitch_deg: Nod, + down.
        roll_deg: Tilt, + clockwise in the image.
    """

    axes: Float
    iod_px: float
    centre: Float
    pivot: Float
    yaw_deg: float
    pitch_deg: float
    roll_deg: float


def head_frame(landmarks: Float) -> HeadFrame:
    """Frame of the head from landmarks `468 3` or more."""
    points = landmarks.astype(np.float64)
    across = points[topo.EYE_OUTER_L] - points[topo.EYE_OUTER_R]
    iod = float(np.linalg.norm(across))
    right = across / iod
    down = points[topo.CHIN] - points[topo.FOREHEAD]
    down -= right * (down @ right)
    down /= np.linalg.norm(down)
    front = np.cross(right, down)
    axes = np.stack([right, down, front], 1)
    centre = points[[topo.EYE_OUTER_R, topo.EYE_OUTER_L, 13, 14, 50, 280]].mean(0)
    pivot = (points[topo.EAR_R] + points[topo.EAR_L]) / 2 + iod * (0.55 * down - 0.25 * front)
    yaw, pitch, roll = head_pose_deg(landmarks)
    return HeadFrame(
        axes=axes.astype(np.float32),
        iod_px=iod,
        centre=centre.astype(np.float32),
        pivot=pivot.astype(np.float32),
        yaw_deg=yaw,
        pitch_deg=pitch,
        roll_deg=roll,
    )


def vertex_depth(points: Float, triangles: Index, landmarks: Float, frame: HeadFrame) -> Float:
    """Depth `V` of all vertices.

    Args:
        points: `V 2` mesh vertices, landmarks first.
        triangles: `F 3`.
        landmarks: `468 3` with the detector's z.
        frame: Of the same landmarks.
    """
    known = landmarks[: topo.NUM_LANDMARKS, :2].astype(np.float64)
    pivot_z = float(frame.pivot[2])
    z = (landmarks[: topo.NUM_LANDMARKS, 2].astype(np.float64) - pivot_z) * _DEPTH_GAIN
    depth = np.zeros(len(points))
    for start in range(0, len(points), 1024):
        block = points[start : start + 1024].astype(np.float64)
        distance = np.linalg.norm(block[:, None] - known[None], axis=2)
        depth[start : start + 1024] = np.maximum(0.0, (z[None] - _SLOPE * distance).max(1))
    depth = _smoothed(depth, triangles)
    _level_lips(depth, points, frame)
    return (depth + pivot_z).astype(np.float32)


def _level_lips(depth: NDArray[np.float64], points: Float, frame: HeadFrame) -> None:
    """Brings facing lips nearer to one depth, in place: the nose's slope lifts the upper one, most in a smile.

    Lips at different depths would open and close on the screen when the head nods.
    """
    for upper, lower, share in zip(topo.UPPER_LIP_ROWS[2:], topo.LOWER_LIP_ROWS[2:], _LEVEL_SHARES, strict=True):
        above, below = list(upper[1:-1]), list(lower[1:-1])
        apart = depth[above] - depth[below]
        allowed = _LIP_SLOPE * np.abs(points[below, 1] - points[above, 1]) + _LIP_STEP_IOD * frame.iod_px
        excess = share * (apart - np.clip(apart, -allowed, allowed)) / 2
        depth[above] -= excess
        depth[below] += excess


def _smoothed(values: NDArray[np.float64], triangles: Index) -> NDArray[np.float64]:
    """Averages with the neighbours, outside the face only: the face keeps its relief."""
    first = np.concatenate([triangles[:, i] for i in (0, 1, 2, 1, 2, 0)])
    second = np.concatenate([triangles[:, i] for i in (1, 2, 0, 0, 1, 2)])
    degree = np.maximum(np.bincount(first, minlength=len(values)), 1)
    free = np.arange(len(values)) >= topo.NUM_LANDMARKS
    free[list(topo.OVAL)] = True
    for _ in range(_SMOOTHING_ROUNDS):
        mean = np.bincount(first, weights=values[second], minlength=len(values)) / degree
        values = np.where(free, 0.5 * values + 0.5 * mean, values)
    return values
