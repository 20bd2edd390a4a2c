"""How far from a person's head and bones a place is, so that a flag, a chair or a door is not taken for the person.

Geometry on landmarks only; looks at no pixel. Reach is wide: coats, bags on a strap and things held in a hand stay.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.perception import body as joints
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.mesh_topology import FACE_OVAL
from omnihuman.types import Float

_SEEN = 0.3
_LEAST_SHOULDERS_FACES = 1.5
"""Shoulders seen from the side look narrow: the face gives the least width."""
_CHIN, _FOREHEAD = 152, 10
_CHIN_RAMP_FACES = 0.4
_BONES = (
    (joints.SHOULDER_LEFT, joints.ELBOW_LEFT), (joints.ELBOW_LEFT, joints.WRIST_LEFT),
    (joints.WRIST_LEFT, joints.INDEX_LEFT), (joints.SHOULDER_RIGHT, joints.ELBOW_RIGHT),
    (joints.ELBOW_RIGHT, joints.WRIST_RIGHT), (joints.WRIST_RIGHT, joints.INDEX_RIGHT),
    (joints.HIP_LEFT, joints.KNEE_LEFT), (joints.KNEE_LEFT, joints.ANKLE_LEFT),
    (joints.HIP_RIGHT, joints.KNEE_RIGHT), (joints.KNEE_RIGHT, joints.ANKLE_RIGHT),
)  # fmt: skip


@dataclass(frozen=True)
class Reach:
    """Distances of every pixel of a map from one person.

    Attributes:
        from_bones: `H W` shoulder widths from torso and limbs.
        from_head: `H W` face sizes from the outline of the face.
        below_chin: `H W` 0 beside and above the face, 1 from some way under the chin.
    """

    from_bones: Float
    from_head: Float
    below_chin: Float

    def beyond(self, body_sw: tuple[float, float], head_faces: tuple[float, float]) -> Float:
        """0 up to the first of each pair of limits, rising to 1 at the second; near the head or the body is near."""
        off_body = np.clip((self.from_bones - body_sw[0]) / (body_sw[1] - body_sw[0]), 0.0, 1.0)
        off_head = np.clip((self.from_head - head_faces[0]) / (head_faces[1] - head_faces[0]), 0.0, 1.0)
        return np.minimum(off_body, off_head).astype(np.float32)


def measure_reach(body: BodyLandmarks, face: FaceLandmarks, width: int, height: int, scale: float) -> Reach | None:
    """Distances from a person.

    Args:
        body: Of the person, in pixels of the full picture.
        face: Of the same person.
        width: Of the map.
        height: Of the map.
        scale: Pixels of the map per pixel of the picture.

    Returns:
        Maps of `height width`; None where the shoulders are not seen, because then nothing is known of the body.
    """
    shoulders = body.points[[joints.SHOULDER_LEFT, joints.SHOULDER_RIGHT], :2] * scale
    if body.visibility[[joints.SHOULDER_LEFT, joints.SHOULDER_RIGHT]].min() < _SEEN:
        return None
    face_px = face.size_px * scale
    ruler = max(float(np.linalg.norm(shoulders[0] - shoulders[1])), _LEAST_SHOULDERS_FACES * face_px)
    head = np.zeros((height, width), np.uint8)
    oval = face.points[list(FACE_OVAL), :2] * scale
    _fill(head, cv2.convexHull(oval.astype(np.float32))[:, 0])
    bones = _skeleton(body, oval, shoulders, head.shape, scale)
    below = _below(face.points[_CHIN, :2] * scale, face.points[_FOREHEAD, :2] * scale, head.shape)
    return Reach(
        _distance(bones) / np.float32(ruler),
        _distance(head) / np.float32(face_px),
        np.clip(below / (_CHIN_RAMP_FACES * face_px), 0.0, 1.0).astype(np.float32),
    )


def _below(chin: Float, forehead: Float, shape: tuple[int, int]) -> Float:
    """Pixels that each place lies below the chin, along the face, `height width`."""
    down = (chin - forehead) / max(float(np.linalg.norm(chin - forehead)), 1e-6)
    columns, rows = np.arange(shape[1], dtype=np.float32), np.arange(shape[0], dtype=np.float32)
    return np.asarray((columns[None] - chin[0]) * down[0] + (rows[:, None] - chin[1]) * down[1])


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
