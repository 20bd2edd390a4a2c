"""A driver's face from the 68 points of a pose file: two dimensions, so the depth is borrowed from the picture's face.

Without a face the head's turn is guessed from nose, eyes and ears of the body points. The signal itself is
`face_signal.py`. Legend: N frames, K = 68 points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.drive.face_signal import PITCH_PER_GAP_DEG, FaceSignal, calm_frames, landmark_weights
from omnihuman.latents.motion.face.depth import head_frame
from omnihuman.perception.keypoints import EAR_L, EAR_R, EYE_L, EYE_R, FACE_FROM_MESH, NOSE
from omnihuman.types import Float

_RIGID = (0, 1, 2, 14, 15, 16, *range(27, 36), 36, 39, 42, 45)
"""Upper jaw line, nose and eye corners: they hardly move with expression."""
_EYE_OUTER = (36, 45)
_LIP_PAIRS = ((61, 67), (62, 66), (63, 65))
_LID_PAIRS = (((43, 47), (44, 46)), ((37, 41), (38, 40)))
"""Left eye first."""
_DEPTH_GAIN = 1.0
_EARS_IOD, _NOSE_AHEAD_IOD = 1.5, 1.0
"""Distance between the ears, and how far the tip of the nose lies before them."""


def points_signal(points: Float, landmarks: Float) -> FaceSignal:
    """The signal of the 68 points `N 68 2` in pixels; every row shows a face.

    Args:
        points: Of the driver.
        landmarks: `478 3` of the picture that will move: whose depth is borrowed.
    """
    points = points.astype(np.float64)
    frame = head_frame(landmarks)
    model = (landmarks[list(FACE_FROM_MESH)].astype(np.float64) - frame.centre) @ frame.axes / frame.iod_px
    model[:, 2] *= _DEPTH_GAIN
    poses = [weak_perspective(model[list(_RIGID)], now[list(_RIGID)]) for now in points]
    flat = np.array([_unturned(now, model[:, 2], *pose) for now, pose in zip(points, poses, strict=True)])
    iod = np.linalg.norm(flat[:, _EYE_OUTER[1]] - flat[:, _EYE_OUTER[0]], axis=1)
    gap = _apart(flat, _LIP_PAIRS) / iod
    lids = np.stack([_apart(flat, pairs) / iod for pairs in _LID_PAIRS], 1)
    calm = calm_frames(gap, lids)
    neutral = flat[calm].mean(0)
    angles = np.array([angles_deg(rotation) for _, rotation, _ in poses])
    angles[:, 1] += PITCH_PER_GAP_DEG * gap
    scale = np.array([scale for scale, _, _ in poses])
    usual = float(np.median(scale))
    neck = (frame.pivot - frame.centre).astype(np.float64) @ frame.axes / frame.iod_px
    carried = np.array([size * rotation[:2] @ neck + shift for size, rotation, shift in poses])
    place = np.column_stack([carried / usual, np.log(scale)])
    moved = np.zeros((len(points), len(FACE_FROM_MESH), 3))
    moved[..., :2] = flat - neutral
    return FaceSignal(
        numbers=FACE_FROM_MESH,
        moved=moved,
        weight=landmark_weights()[list(FACE_FROM_MESH)] * [1.0, 1.0, 0.0],
        angles_deg=angles,
        place=place,
        gap=gap,
        opened=np.maximum(0.0, gap - float(gap[calm].mean())),
        lids=lids,
        gaze=None,
        iod_px=usual,
    )


def weak_perspective(model: Float, points: Float) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Scale, rotation `3 3` and shift `2` that lay a model `M 3` onto points `M 2`, by least squares."""
    centre = model.mean(0)
    design = np.column_stack([model - centre, np.ones(len(model))])
    solved = np.linalg.lstsq(design, points, rcond=None)[0]
    left, sizes, right = np.linalg.svd(solved[:3].T, full_matrices=False)
    rows = left @ right
    rotation = np.stack([rows[0], rows[1], np.cross(rows[0], rows[1])])
    scale = float(sizes.mean())
    return scale, rotation, solved[3] - scale * rotation[:2] @ centre


def angles_deg(rotation: Float) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a rotation, with the signs of `face_geometry.head_pose_deg`."""
    yaw = np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0))
    pitch = np.arctan2(-rotation[2, 1], rotation[2, 2])
    roll = np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(np.degrees(yaw)), float(np.degrees(pitch)), float(np.degrees(roll))


def head_only(points: Float, seen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Head from the body points `N 133 2` alone, seen in the frames `seen`, at least one.

    Returns:
        Angles `N 3` and place `N 3` as in `FaceSignal`, meaningless where it is not seen, and IOD in pixels.
    """
    ears = points[:, EAR_L].astype(np.float64) - points[:, EAR_R]
    eyes = points[:, EYE_L].astype(np.float64) - points[:, EYE_R]
    right = ears + eyes
    roll = np.arctan2(right[:, 1], right[:, 0])
    axes = np.stack([np.cos(roll), np.sin(roll)], 1), np.stack([-np.sin(roll), np.cos(roll)], 1)
    ahead = points[:, NOSE] - (points[:, EAR_L] + points[:, EAR_R]) / 2
    usual = max(1.0, float(np.median(np.linalg.norm(ears[seen], axis=1))) / _EARS_IOD)
    turned = [np.arcsin(np.clip((ahead * axis).sum(1) / (usual * _NOSE_AHEAD_IOD), -0.95, 0.95)) for axis in axes]
    angles = np.degrees(np.column_stack([turned[0], turned[1], roll]))
    middle = points[:, [EAR_L, EAR_R]].mean(1)
    size = np.linalg.norm(eyes, axis=1) / np.maximum(np.cos(turned[0]), 0.3)
    return angles, np.column_stack([middle / usual, np.log(np.maximum(size, 1e-6))]), usual


def _unturned(points: Float, depth: Float, scale: float, rotation: Float, shift: Float) -> NDArray[np.float64]:
    """Points `K 2` of the picture in the axes of the face, with the model's depth, IOD."""
    flat = (points - shift) / scale - depth[:, None] * rotation[:2, 2]
    return np.asarray(np.linalg.solve(rotation[:2, :2], flat.T).T)


def _apart(flat: Float, pairs: tuple[tuple[int, int], ...]) -> NDArray[np.float64]:
    upper, lower = (list(numbers) for numbers in zip(*pairs, strict=True))
    return np.asarray(np.linalg.norm(flat[:, upper] - flat[:, lower], axis=2).mean(1))
