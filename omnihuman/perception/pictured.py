"""Which person of a picture is meant, and what can be said of them when no detector helps. Judges, draws nothing.

In this order: landmarks given by hand; a face that the detector finds; one that the mesh network sees where a body has
its head; a template face on the body's head, which stays still; else a coded error that tells the way out.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from omnihuman.errors import InputError
from omnihuman.perception import body as joints
from omnihuman.perception.body import BodyLandmarks, BodyPerception
from omnihuman.perception.face import FaceLandmarks, FacePerception
from omnihuman.perception.face_template import lay_template, mean_mesh
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Float, Image, PersonChoice

_HEAD_POINTS = tuple(range(11))
_HEAD_PLACES = {
    joints.NOSE: 1,
    joints.EYE_INNER_LEFT: 362,
    joints.EYE_OUTER_LEFT: 263,
    joints.EYE_INNER_RIGHT: 133,
    joints.EYE_OUTER_RIGHT: 33,
    joints.MOUTH_LEFT: 291,
    joints.MOUTH_RIGHT: 61,
}
"""Head points of the body -> the landmark that each is."""
_LOOK_SIDES_FACES, _LOOK_TURNS_DEG = (1.4, 2.0, 2.8), (0.0, -25.0, 25.0)
_MAX_HEAD_MISS_FACES = 0.6
_FACE_SHOULDERS = 0.55
"""Height of a face over the distance of the shoulders."""
_LEAST_FACE_SHOULDERS = 0.45
_MIN_EYES_SHOULDERS = 0.12
"""Under this the head is seen from the side or from behind, and its points say nothing of a face's form."""


@dataclass(frozen=True)
class PicturedPerson:
    """The person meant.

    Attributes:
        face: Landmarks: given, found, or a template where `face_seen` is False.
        body: The body of this face, or None.
        face_seen: Whether the face may move; a template only tells where the head is.
        num_faces: Faces that were found in the picture.
    """

    face: FaceLandmarks
    body: BodyLandmarks | None
    face_seen: bool = True
    num_faces: int = 1


class PersonFinder:
    """Finds the person meant in a picture.

    Args:
        face: Finds faces.
        body: Finds bodies; None leaves bodies out.
    """

    def __init__(self, face: FacePerception, body: BodyPerception | None = None) -> None:
        self._face = face
        self._body = body

    def find(self, image: Image, choice: PersonChoice) -> PicturedPerson:
        """The person meant in a picture `H W 3`.

        Raises:
            InputError: face_not_found, or face_number_invalid where there are fewer faces than the number says.
        """
        if choice.landmarks is not None:
            face = FaceLandmarks.from_points(choice.landmarks, 1.0)
            return PicturedPerson(face, self._body_of(image, face))
        faces = self._face.detect(image)
        if choice.face > max(1, len(faces)):
            raise _no_such_face(choice.face, len(faces))
        if faces:
            face = faces[choice.face - 1]
            return PicturedPerson(face, self._body_of(image, face), num_faces=len(faces))
        return self._without_detector(image)

    def _body_of(self, image: Image, face: FaceLandmarks | None) -> BodyLandmarks | None:
        return None if self._body is None else self._body.detect(image, face)

    def _without_detector(self, image: Image) -> PicturedPerson:
        body = self._body_of(image, None)
        if body is None:
            way_out = (
                "Give the places of eyes and mouth with --landmarks, or use a picture with a visible face or body."
            )
            raise InputError("face_not_found", "neither a face nor a body was found in the picture", way_out)
        face = self._face.look(image, _head_squares(body))
        if face is not None and _head_miss(face, body) <= _MAX_HEAD_MISS_FACES:
            return PicturedPerson(face, body)
        return PicturedPerson(FaceLandmarks.from_points(_template_face(body), 0.0), body, face_seen=False, num_faces=0)


def _no_such_face(number: int, num_faces: int) -> InputError:
    cause = f"face {number} was asked for; faces found in the picture: {num_faces}"
    way_out = f"Give a number from 1 to {num_faces}; 1 is the largest face." if num_faces > 1 else "Leave --face out."
    return InputError("face_number_invalid", cause, way_out)


def _head_squares(body: BodyLandmarks) -> Iterator[SquareROI]:
    """Squares in which the mesh network may see the face of this body."""
    x, y = body.points[list(_HEAD_POINTS), :2].mean(axis=0)
    for side_faces in _LOOK_SIDES_FACES:
        for turn_deg in _LOOK_TURNS_DEG:
            roll = _head_roll(body) + math.radians(turn_deg)
            yield SquareROI(float(x), float(y), side_faces * _face_px(body), roll)


def _face_px(body: BodyLandmarks) -> float:
    """Height of the face as the head points or, in a head seen from the side, the shoulders tell it."""
    head = float(np.ptp(body.points[list(_HEAD_POINTS), :2], axis=0).max())
    return max(head, _LEAST_FACE_SHOULDERS * _shoulders_px(body), 8.0)


def _shoulders_px(body: BodyLandmarks) -> float:
    return float(np.linalg.norm(body.points[joints.SHOULDER_LEFT, :2] - body.points[joints.SHOULDER_RIGHT, :2]))


def _head_roll(body: BodyLandmarks) -> float:
    """Tilt of the head: across the line from the shoulders' middle, which holds from every side."""
    neck = body.points[[joints.SHOULDER_LEFT, joints.SHOULDER_RIGHT], :2].mean(axis=0)
    up = body.points[list(_HEAD_POINTS), :2].mean(axis=0) - neck
    return math.atan2(float(up[0]), float(-up[1]))


def _head_miss(face: FaceLandmarks, body: BodyLandmarks) -> float:
    """Distance between the middle of a face and the body's head points, in faces."""
    apart = face.points[:, :2].mean(axis=0) - body.points[list(_HEAD_POINTS), :2].mean(axis=0)
    return float(np.linalg.norm(apart)) / face.size_px


def _template_face(body: BodyLandmarks) -> Float:
    """A mean face `478 3` where the body has its head; it carries head motion and nothing else."""
    numbers = list(_HEAD_PLACES)
    known = body.points[numbers, :2]
    eyes = body.points[joints.EYE_OUTER_LEFT, 0] - body.points[joints.EYE_OUTER_RIGHT, 0]
    if float(eyes) >= _MIN_EYES_SHOULDERS * _shoulders_px(body):
        return lay_template([(_HEAD_PLACES[number],) for number in numbers], known)
    mesh, roll = mean_mesh(), _head_roll(body)
    scale = _FACE_SHOULDERS * max(_shoulders_px(body), 8.0) / float(np.ptp(mesh[:, 1]))
    turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]])
    placed = (mesh - mesh.mean(axis=0)) * scale
    placed[:, :2] = placed[:, :2] @ turn.T + body.points[list(_HEAD_POINTS), :2].mean(axis=0)
    return np.asarray(placed, np.float32)
