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
    points[:11] = (200, 95, 0)
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


class Crowd(Poses):
    """Sees the pose whose hips are nearest to a square."""

    def __init__(self, *poses):
        super().__init__([], poses[0])
        self.poses = poses

    def landmarks(self, image, roi):
        mirrored = image[0, 0, 0] != 0
        x = PICTURE.shape[1] - 1 - roi.x if mirrored else roi.x
        pose = min(self.poses, key=lambda p: np.hypot(p.next_roi.x - x, p.next_roi.y - roi.y))
        return in_the_mirror(pose) if mirrored else pose


def shrunk(pose, factor, centre, score=0.99):
    points = (pose.points - [200, 300, 0]) * factor + [*centre, 0]
    return RawPose(points.astype(np.float32), pose.visibility, score, SquareROI(*centre, 500 * factor))


def test_without_a_face_the_largest_upright_body_counts():
    large = standing_body(standing_face(), score=0.8)
    bag = shrunk(large, 0.3, (100, 500))
    found = body.BodyPerception(lambda: nullcontext(Crowd(bag, large))).detect_faceless(PICTURE)
    assert np.allclose(found.points, large.points)


@pytest.mark.parametrize("change", ["hanging", "tiny", "doubtful"])
def test_without_a_face_doubtful_bodies_are_refused(change):
    pose = standing_body(standing_face())
    if change == "hanging":
        pose = RawPose(pose.points * [1, -1, 1] + [0, 500, 0], pose.visibility, pose.score, pose.next_roi)
    pose = {"tiny": shrunk(pose, 0.2, (200, 300)), "doubtful": shrunk(pose, 1, (200, 300), 0.4)}.get(change, pose)
    assert body.BodyPerception(lambda: nullcontext(Poses([], pose))).detect_faceless(PICTURE) is None
