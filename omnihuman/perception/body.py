"""The body of the pictured person as 33 points with visibility. Finding, following and judging; moves nothing.

The detector often misses cut-off bodies and likes legs, so squares guessed from the face compete with its own, and the
one whose head lies on the known face wins. Legend: points in pixels of the picture; L and R are the person's own.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.face_geometry import head_pose_deg
from omnihuman.perception.mesh_topology import LIP_CORNER_LEFT, LIP_CORNER_RIGHT, NOSE_TIP
from omnihuman.perception.pose_model import NUM_POINTS, BodyPoseModel, RawPose
from omnihuman.perception.roi import Silhouette, SquareROI
from omnihuman.types import Float, Handle, Image

__all__ = ["BodyFollower", "BodyLandmarks", "BodyPerception", "BodyPoseModel"]

NOSE, MOUTH_LEFT, MOUTH_RIGHT = 0, 9, 10
EYE_INNER_LEFT, EYE_OUTER_LEFT, EYE_INNER_RIGHT, EYE_OUTER_RIGHT = 1, 3, 4, 6
SHOULDER_LEFT, SHOULDER_RIGHT = 11, 12
ELBOW_LEFT, ELBOW_RIGHT = 13, 14
WRIST_LEFT, WRIST_RIGHT = 15, 16
PINKY_LEFT, PINKY_RIGHT, INDEX_LEFT, INDEX_RIGHT, THUMB_LEFT, THUMB_RIGHT = 17, 18, 19, 20, 21, 22
HIP_LEFT, HIP_RIGHT = 23, 24
KNEE_LEFT, KNEE_RIGHT, ANKLE_LEFT, ANKLE_RIGHT = 25, 26, 27, 28

_ARM_CHAINS = (
    (SHOULDER_LEFT, ELBOW_LEFT, WRIST_LEFT, (PINKY_LEFT, INDEX_LEFT, THUMB_LEFT)),
    (SHOULDER_RIGHT, ELBOW_RIGHT, WRIST_RIGHT, (PINKY_RIGHT, INDEX_RIGHT, THUMB_RIGHT)),
)
_FACE_PAIRS = (
    (NOSE, NOSE_TIP), (EYE_OUTER_LEFT, 263), (EYE_OUTER_RIGHT, 33),
    (MOUTH_LEFT, LIP_CORNER_LEFT), (MOUTH_RIGHT, LIP_CORNER_RIGHT),
)  # fmt: skip

_MIRRORED = (0, 4, 5, 6, 1, 2, 3, 8, 7, 10, 9, *(k + 1 if k % 2 else k - 1 for k in range(11, NUM_POINTS)))
"""For each point the number of its counterpart on the other side."""

_MIN_SCORE = 0.5
_SURE_SCORE = 0.9
_MAX_FACE_MISS = 0.35
_SURE_FACE_MISS = 0.12
_SHOULDER_FACE_RANGE = (0.25, 5.0)
_MAX_BONE_SHOULDERS = 2.0
_AGREEING_SHOULDERS = (0.25, 0.6)
_MIN_SHOULDER_VISIBILITY = 0.2
_MAX_TURN_DEG = 40.0
_RETRY_FRAMES = 10
_MIRROR_LOOKS = 5
_GUESS_DOWN_FACES = 3.4
_GUESS_SIDES_FACES = (11.0, 8.0, 15.0)


@dataclass(frozen=True)
class BodyLandmarks:
    """One body.

    Attributes:
        points: `33 3` float32, z towards the viewer; order of the constants of this module.
        visibility: `33` float32 in 0..1; 0 outside the picture, on limbs of impossible length and where a
            second look in the mirror disagrees.
        score: Confidence 0..1 of the network that there is a body.
        silhouette: Its outline, or None.
    """

    points: Float
    visibility: Float
    score: float
    silhouette: Silhouette | None = None


class BodyPerception:
    """Finds the body that belongs to a face.

    Args:
        pose: Handle of a `BodyPoseModel`.
    """

    def __init__(self, pose: Handle) -> None:
        self._pose = pose

    def detect(self, image: Image, face: FaceLandmarks | None) -> BodyLandmarks | None:
        """The body in a picture `H W 3`.

        Args:
            image: `H W 3`.
            face: The face of the person meant; without it the most certain body is taken.

        Returns:
            The body, or None when no result is possible as the body of this face.
        """
        with self._pose() as model:
            best = _found(model, image, face)
            return None if best is None else _averaged(best, _mirror_look(model, image, best), image)

    def follower(self) -> BodyFollower:
        """Something that follows the body of one person through a video."""
        return BodyFollower(self._pose)


class BodyFollower:
    """Follows one body from frame to frame: one look where it was last seen, a search only when it is lost.

    Args:
        pose: Handle of a `BodyPoseModel`.
    """

    def __init__(self, pose: Handle) -> None:
        self._pose = pose
        self._roi: SquareROI | None = None
        self._agreed = np.ones(NUM_POINTS, np.float32)
        self._looks = 0
        self._rest_frames = 0

    def step(self, image: Image, face: FaceLandmarks | None) -> BodyLandmarks | None:
        """The body in the next frame `H W 3`, or None; `face` is the person's in this frame, where it is seen."""
        with self._pose() as model:
            pose = self._seen_again(model, image, face)
            self._rest_frames = max(0, self._rest_frames - 1)
            if pose is None and self._rest_frames == 0:
                # A body that is lost again at once must not cost a search in every frame.
                pose, self._looks, self._rest_frames = _found(model, image, face), 0, _RETRY_FRAMES
            self._roi = None if pose is None else pose.next_roi
            if pose is None:
                return None
            if self._looks % _MIRROR_LOOKS == 0:
                self._agreed = _agreement(pose, _mirror_look(model, image, pose))
            self._looks += 1
        # The mirror only judges here: averaging on some frames alone would make the points tremble.
        return _judged(pose, self._agreed, image)

    def _seen_again(self, model: BodyPoseModel, image: Image, face: FaceLandmarks | None) -> RawPose | None:
        if self._roi is None:
            return None
        pose = model.landmarks(image, self._roi)
        return pose if _possible(pose, face, 0.0 if face is None else _face_miss(pose, face)) else None


def _found(model: BodyPoseModel, image: Image, face: FaceLandmarks | None) -> RawPose | None:
    """The best of all candidates that can be the body of this face."""
    best: RawPose | None = None
    best_rank = -math.inf
    for roi in _candidates(model, image, face):
        pose = _looked_at_twice(model, image, roi)
        miss = 0.0 if face is None else _face_miss(pose, face)
        if not _possible(pose, face, miss):
            continue
        rank = pose.score - miss
        if rank > best_rank:
            best, best_rank = pose, rank
        if pose.score >= _SURE_SCORE and miss <= _SURE_FACE_MISS:
            break
    return best


def _candidates(model: BodyPoseModel, image: Image, face: FaceLandmarks | None) -> Iterator[SquareROI]:
    """Squares to try, likeliest first: the detector's on the whole picture and inside a border, then guesses."""
    height, width = image.shape[:2]
    whole = SquareROI(width / 2, height / 2, float(max(width, height)))
    views = [whole, whole.scaled(1.6)]
    guesses = [] if face is None else list(_guesses(face))
    views += guesses[:1]
    for view in views:
        found = model.find(image, view)
        if face is not None:
            found.sort(key=lambda roi: _distance_to_neck(roi, face))
        yield from found[:2]
    yield from guesses


def _guesses(face: FaceLandmarks) -> Iterator[SquareROI]:
    """Squares of an upright body under the face, for grown-up, big-headed and small-headed figures."""
    roll = face.roi.roll_rad if abs(face.roi.roll_rad) > math.pi / 4 else 0.0
    for side_faces in _GUESS_SIDES_FACES:
        down = _GUESS_DOWN_FACES * face.size_px * side_faces / _GUESS_SIDES_FACES[0]
        yield SquareROI(
            face.roi.x - math.sin(roll) * down, face.roi.y + math.cos(roll) * down, side_faces * face.size_px, roll
        )


def _distance_to_neck(roi: SquareROI, face: FaceLandmarks) -> float:
    """How far the point where `roi` expects the head is from the face, in sides of `roi`."""
    up = roi.side_px / 4
    x, y = roi.x + math.sin(roi.roll_rad) * up, roi.y - math.cos(roi.roll_rad) * up
    return math.hypot(x - face.roi.x, y - face.roi.y) / roi.side_px


def _looked_at_twice(model: BodyPoseModel, image: Image, roi: SquareROI) -> RawPose:
    """The better of a first look and a second one at the square that the first one proposes."""
    first = model.landmarks(image, roi)
    if first.score < _MIN_SCORE:
        return first
    second = model.landmarks(image, first.next_roi)
    return second if second.score >= first.score - 0.05 else first


def _face_miss(pose: RawPose, face: FaceLandmarks) -> float:
    """Mean distance between the body's head points and the face's own, in face sizes."""
    body, mesh = (list(numbers) for numbers in zip(*_FACE_PAIRS, strict=True))
    apart = pose.points[body, :2] - face.points[mesh, :2]
    return float(np.linalg.norm(apart, axis=1).mean()) / face.size_px


def _possible(pose: RawPose, face: FaceLandmarks | None, miss: float) -> bool:
    """Whether this can be the body of this face: head on the face, shoulders seen, of sane width, on their sides."""
    seen = pose.visibility[[SHOULDER_LEFT, SHOULDER_RIGHT]].max()
    if pose.score < _MIN_SCORE or miss > _MAX_FACE_MISS or seen < _MIN_SHOULDER_VISIBILITY:
        return False
    if face is None:
        return True
    across = pose.points[SHOULDER_LEFT, :2] - pose.points[SHOULDER_RIGHT, :2]
    low, high = (limit * face.size_px for limit in _SHOULDER_FACE_RANGE)
    yaw_deg, _, _ = head_pose_deg(face.points)
    eyes = face.points[263, :2] - face.points[33, :2]
    same_side = float(across @ eyes) > 0 or abs(yaw_deg) > _MAX_TURN_DEG
    return low <= float(np.linalg.norm(across)) <= high and same_side


def _mirror_look(model: BodyPoseModel, image: Image, pose: RawPose) -> RawPose:
    """The same body seen in the mirror image, carried back: what the network only imagines ends up elsewhere."""
    last = image.shape[1] - 1
    roi = pose.next_roi
    mirrored_roi = SquareROI(last - roi.x, roi.y, roi.side_px, -roi.roll_rad)
    seen = model.landmarks(np.ascontiguousarray(image[:, ::-1]), mirrored_roi)
    points = seen.points[list(_MIRRORED)]
    points[:, 0] = last - points[:, 0]
    return RawPose(points, seen.visibility[list(_MIRRORED)], seen.score, roi)


def _agreement(pose: RawPose, mirrored: RawPose) -> Float:
    """How far two looks put each point in one place, `33` in 0..1."""
    apart = np.linalg.norm(pose.points[:, :2] - mirrored.points[:, :2], axis=1) / _shoulders_px(pose.points)
    return np.interp(apart, _AGREEING_SHOULDERS, (1.0, 0.0)).astype(np.float32)


def _shoulders_px(points: Float) -> float:
    """Distance of the shoulders; depth keeps it wide when they are seen from the side."""
    return max(1.0, float(np.linalg.norm(points[SHOULDER_LEFT] - points[SHOULDER_RIGHT])))


def _averaged(pose: RawPose, mirrored: RawPose, image: Image) -> BodyLandmarks:
    """The mean of both looks where they agree, judged."""
    agreed = _agreement(pose, mirrored)
    points = pose.points + (mirrored.points - pose.points) * agreed[:, None] / 2
    return _judged(replace(pose, points=points), agreed, image)


def _judged(pose: RawPose, agreed: Float, image: Image) -> BodyLandmarks:
    """Takes visibility away from points that two looks put apart, outside the picture, or on limbs too long."""
    points = pose.points
    shoulders = _shoulders_px(points)
    height, width = image.shape[:2]
    inside = (points[:, 0] >= 0) & (points[:, 0] < width) & (points[:, 1] >= 0) & (points[:, 1] < height)
    visibility = pose.visibility * agreed * inside
    for shoulder, elbow, wrist, fingers in _ARM_CHAINS:
        upper, fore = (
            float(np.linalg.norm(points[a, :2] - points[b, :2])) for a, b in ((shoulder, elbow), (elbow, wrist))
        )
        if upper > _MAX_BONE_SHOULDERS * shoulders:
            visibility[elbow] = 0.0
        if max(upper, fore) > _MAX_BONE_SHOULDERS * shoulders:
            visibility[[wrist, *fingers]] = 0.0
    return BodyLandmarks(points.astype(np.float32), visibility.astype(np.float32), pose.score, pose.silhouette)
