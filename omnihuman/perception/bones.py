"""How far from a person's head and bones a place is, so that a flag, a chair or a door is not taken for the person.

Geometry on landmarks only; looks at no pixel. Reach is wide: coats, bags on a strap and things held in a hand stay.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.perception import body as joints
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.mesh_topology import FACE_OVAL
from omnihuman.types import Float

_SEEN = 0.3
_BODY_REACH_SW = (0.55, 0.95)
"""Distance from the bones, in shoulder widths, up to which all stays, and from which nothing does."""
_HEAD_REACH_FACES = (0.9, 1.6)
"""The same for the head, in face sizes: hair, hats and crowns."""
_LEAST_SHOULDERS_FACES = 1.5
"""Shoulders seen from the side look narrow: the face gives the least width."""
_BONES = (
    (joints.SHOULDER_LEFT, joints.ELBOW_LEFT), (joints.ELBOW_LEFT, joints.WRIST_LEFT),
    (joints.WRIST_LEFT, joints.INDEX_LEFT), (joints.SHOULDER_RIGHT, joints.ELBOW_RIGHT),
    (joints.ELBOW_RIGHT, joints.WRIST_RIGHT), (joints.WRIST_RIGHT, joints.INDEX_RIGHT),
    (joints.HIP_LEFT, joints.KNEE_LEFT), (joints.KNEE_LEFT, joints.ANKLE_LEFT),
    (joints.HIP_RIGHT, joints.KNEE_RIGHT), (joints.KNEE_RIGHT, joints.ANKLE_RIGHT),
)  # fmt: skip


def strangeness(body: BodyLandmarks, face: FaceLandmarks, width: int, height: int, scale: float) -> Float:
    """0 where a pixel may belong to this person, rising to 1 out of reach.

    Args:
        body: Of the person, in pixels of the full picture.
        face: Of the same person.
        width: Of the map.
        height: Of the map.
        scale: Pixels of the map per pixel of the picture.

    Returns:
        `height width` float32; all 0 where the shoulders are not seen, because then nothing is known of the body.
    """
    shoulders = body.points[[joints.SHOULDER_LEFT, joints.SHOULDER_RIGHT], :2] * scale
    if body.visibility[[joints.SHOULDER_LEFT, joints.SHOULDER_RIGHT]].min() < _SEEN:
        return np.zeros((height, width), np.float32)
    face_px = face.size_px * scale
    ruler = max(float(np.linalg.norm(shoulders[0] - shoulders[1])), _LEAST_SHOULDERS_FACES * face_px)
    head = np.zeros((height, width), np.uint8)
    oval = face.points[list(FACE_OVAL), :2] * scale
    _fill(head, cv2.convexHull(oval.astype(np.float32))[:, 0])
    from_head = _distance(head) / face_px
    from_bones = _distance(_skeleton(body, oval, shoulders, head.shape, scale)) / ruler
    near_body, far_body = _BODY_REACH_SW
    near_head, far_head = _HEAD_REACH_FACES
    off_body = np.clip((from_bones - near_body) / (far_body - near_body), 0.0, 1.0)
    off_head = np.clip((from_head - near_head) / (far_head - near_head), 0.0, 1.0)
    return np.minimum(off_body, off_head).astype(np.float32)


def _skeleton(
    body: BodyLandmarks, oval: Float, shoulders: Float, shape: tuple[int, int], scale: float
) -> NDArray[np.uint8]:
    """`height width` 1 on the torso and along the bones that are seen; what is cut off goes on straight down."""
    mask = np.zeros(shape, np.uint8)
    hips = body.points[[joints.HIP_LEFT, joints.HIP_RIGHT], :2] * scale
    if body.visibility[[joints.HIP_LEFT, joints.HIP_RIGHT]].min() < _SEEN:
        hips = shoulders + [0.0, float(shape[0])]
    knees = body.visibility[[joints.KNEE_LEFT, joints.KNEE_RIGHT]]
    feet = hips if knees.min() >= _SEEN else hips + [0.0, float(shape[0])]
    _fill(mask, np.concatenate([shoulders, hips[::-1]]))
    _fill(mask, np.concatenate([hips, feet[::-1]]))
    _line(mask, shoulders.mean(0), oval.mean(0))
    for first, second in _BONES:
        if min(body.visibility[first], body.visibility[second]) >= _SEEN:
            _line(mask, body.points[first, :2] * scale, body.points[second, :2] * scale)
    return mask


def _fill(mask: NDArray[np.uint8], corners: Float) -> None:
    cv2.fillPoly(mask, [np.round(corners).astype(np.int32)], 1)


def _line(mask: NDArray[np.uint8], first: Float, second: Float) -> None:
    (x0, y0), (x1, y1) = np.round(first).astype(int).tolist(), np.round(second).astype(int).tolist()
    cv2.line(mask, (x0, y0), (x1, y1), 1, 2)


def _distance(mask: NDArray[np.uint8]) -> Float:
    """Pixels to the nearest marked one; far away everywhere when nothing inside the map is marked."""
    return np.asarray(cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3), np.float32)
