from contextlib import nullcontext

import numpy as np
import pytest

from omnihuman.perception import body
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.face_geometry import _mean_face
from omnihuman.perception.pose_model import RawPose
from omnihuman.perception.roi import SquareROI

PICTURE = np.zeros((600, 400, 3), np.uint8)
PICTURE[:, -1] = 1  # tells the picture from its mirror image


def standing_face():
    numbers, mean_face = _mean_face()
    points = np.full((478, 3), (200, 100, 0), np.float32)
    points[numbers] = mean_face * 40 + [200, 90, 0]
    points[61], points[291] = (190, 125, 0), (210, 125, 0)
    return FaceLandmarks.from_points(points, 1.0)


def standing_body(face, score=0.95):
    points = np.full((33, 3), (200, 300, 0), np.float32)
    for number, landmark in body._FACE_PAIRS:
        points[number] = face.points[landmark]
    points[body.SHOULDER_LEFT], points[body.SHOULDER_RIGHT] = (260, 180, 0), (140, 180, 0)
    points[body.ELBOW_LEFT], points[body.ELBOW_RIGHT] = (270, 280, 0), (130, 280, 0)
    points[body.WRIST_LEFT], points[body.WRIST_RIGHT] = (275, 370, 0), (125, 370, 0)
    return RawPose(points, np.ones(33, np.float32), score, SquareROI(200, 350, 500))


def in_the_mirror(pose):
    points = pose.points[list(body._MIRRORED)].copy()
    points[:, 0] = PICTURE.shape[1] - 1 - points[:, 0]
    return RawPose(points, pose.visibility[list(body._MIRRORED)], pose.score, pose.next_roi)


class Poses:
    """A model that sees `pose` in every square, and in the mirror image `reflection` (or `pose`) mirrored."""

    def __init__(self, found, pose, reflection=None):
        self.found, self.pose, self.reflection, self.looked_at = found, pose, reflection or pose, []

    def find(self, image, view):
        return self.found

    def landmarks(self, image, roi):
        self.looked_at.append(roi)
        return self.pose if image[0, 0, 0] == 0 else in_the_mirror(self.reflection)


def detect(model, face):
    return body.BodyPerception(lambda: nullcontext(model)).detect(PICTURE, face)


def test_a_fitting_body_is_found_at_once():
    face = standing_face()
    model = Poses([SquareROI(200, 350, 500)], standing_body(face))
    found = detect(model, face)
    assert found.points.shape == (33, 3)
    assert found.visibility.min() == 1.0
    assert len(model.looked_at) == 2 + 1


def test_squares_are_guessed_from_the_face():
    face = standing_face()
    model = Poses([], standing_body(face))
    assert detect(model, face) is not None
    first = model.looked_at[0]
    assert first.x == pytest.approx(face.roi.x, abs=5)
    assert first.y > face.box[3]


def test_nothing_without_face_and_find():
    assert detect(Poses([], standing_body(standing_face())), None) is None


def moved(points, **places):
    changed = points.copy()
    for name, place in places.items():
        changed[getattr(body, name)] = place
    return changed


@pytest.mark.parametrize(
    "places",
    [
        {"SHOULDER_LEFT": (140, 180, 0), "SHOULDER_RIGHT": (260, 180, 0)},
        {"SHOULDER_LEFT": (203, 180, 0), "SHOULDER_RIGHT": (200, 180, 0)},
        {"NOSE": (200, 500, 0), "MOUTH_LEFT": (200, 510, 0), "EYE_OUTER_LEFT": (200, 490, 0)},
    ],
    ids=["sides swapped", "no width", "head elsewhere"],
)
def test_impossible_bodies_are_refused(places):
    face = standing_face()
    pose = standing_body(face)
    broken = RawPose(moved(pose.points, **places), pose.visibility, pose.score, pose.next_roi)
    assert detect(Poses([SquareROI(200, 350, 500)], broken), face) is None


def test_unseen_shoulders_are_refused():
    face = standing_face()
    pose = standing_body(face)
    hidden = pose.visibility.copy()
    hidden[[body.SHOULDER_LEFT, body.SHOULDER_RIGHT]] = 0.05
    assert detect(Poses([], RawPose(pose.points, hidden, 0.95, pose.next_roi)), face) is None


def test_points_outside_the_picture_are_not_visible():
    face = standing_face()
    pose = standing_body(face)
    outside = moved(pose.points, WRIST_LEFT=(275, 605, 0), ELBOW_LEFT=(272, 400, 0))
    found = detect(Poses([], RawPose(outside, pose.visibility, 0.95, pose.next_roi)), face)
    assert found.visibility[body.WRIST_LEFT] == 0.0
    assert found.visibility[body.ELBOW_LEFT] == 1.0


def test_limbs_too_long_for_the_shoulders_are_not_visible():
    face = standing_face()
    pose = standing_body(face)
    stretched = moved(pose.points, ELBOW_RIGHT=(20, 590, 0), WRIST_RIGHT=(30, 560, 0))
    found = detect(Poses([], RawPose(stretched, pose.visibility, 0.95, pose.next_roi)), face)
    assert found.visibility[[body.ELBOW_RIGHT, body.WRIST_RIGHT, body.THUMB_RIGHT]].max() == 0.0
    assert found.visibility[[body.ELBOW_LEFT, body.WRIST_LEFT]].min() == 1.0


def test_points_that_the_mirror_image_puts_elsewhere_are_not_visible():
    face = standing_face()
    pose = standing_body(face)
    imagined = RawPose(moved(pose.points, WRIST_LEFT=(60, 60, 0)), pose.visibility, 0.95, pose.next_roi)
    found = detect(Poses([], pose, reflection=imagined), face)
    assert found.visibility[body.WRIST_LEFT] == 0.0
    assert found.visibility[body.WRIST_RIGHT] == 1.0


def test_mirrored_numbers_swap_the_sides():
    assert body._MIRRORED[body.WRIST_LEFT] == body.WRIST_RIGHT
    assert [body._MIRRORED[k] for k in body._MIRRORED] == list(range(33))
