from contextlib import nullcontext

import numpy as np

from omnihuman.perception.body import BodyFollower, BodyPerception
from omnihuman.perception.hands import HandLandmarks
from omnihuman.perception.pose_model import RawPose
from omnihuman.perception.roi import SquareROI
from omnihuman.perception.tracker import PersonTracker
from tests.unit.perception.test_body import PICTURE, Poses, standing_body, standing_face


class Script:
    """A follower that hands out what the script says, frame by frame."""

    def __init__(self, script):
        self.script = list(script)

    def follower(self, first=1):
        return self

    def step(self, image, face=None):
        return self.script.pop(0)


class HandScript:
    def __init__(self, script):
        self.script, self.searches = list(script), 0

    def detect(self, image, body):
        self.searches += 1
        return self.follow(image, body, {})

    def follow(self, image, body, last):
        return {side: HandLandmarks(np.full((21, 3), x, np.float32), 0.8, side) for side, x in self.script.pop(0)}


def body_of(pose):
    return BodyPerception(lambda: nullcontext(Poses([SquareROI(200, 350, 500)], pose))).detect(PICTURE, None)


def track(faces, bodies=None, hands=None):
    tracker = PersonTracker(Script(faces), None if bodies is None else Script(bodies), hands)
    return tracker.track(iter([PICTURE] * len(faces)), 20.0)


def test_every_frame_has_its_row():
    face = standing_face()
    found = body_of(standing_body(face))
    track_ = track([face, None, face], [found, found, None], HandScript([[("l", 3.0)], []]))
    assert track_.face_seen.tolist() == [True, False, True]
    assert np.allclose(track_.times_s, [0.025, 0.075, 0.125])
    assert (track_.width, track_.height) == (PICTURE.shape[1], PICTURE.shape[0])
    assert track_.body_visibility[:, 11].tolist() == [1.0, 1.0, 0.0]
    assert np.allclose(track_.hand_score, [[0.8, 0], [0, 0], [0, 0]])
    assert np.array_equal(track_.body[2], track_.body[1]) and np.array_equal(track_.face[1], face.points)
    assert np.all(track_.hands[:, 0] == 3.0)


def test_rows_before_the_first_sight_hold_it():
    face = standing_face()
    assert np.array_equal(track([None, None, face]).face[0], face.points)


def test_nobody_seen_is_a_track_of_zeros():
    nobody = track([None, None])
    assert not nobody.face_seen.any() and not nobody.face.any() and not nobody.body_visibility.any()


def test_frames_are_not_kept():
    seen = []

    class Frame(np.ndarray):
        def __del__(self):
            seen.append(1)

    frames = (np.zeros((4, 4, 3), np.uint8).view(Frame) for _ in range(50))
    alive = []

    class Watcher(Script):
        def step(self, image, face=None):
            alive.append(len(seen))
            return

    PersonTracker(Watcher([])).track(frames, 25.0)
    assert alive[-1] >= 47


def follower_on(model):
    return BodyFollower(lambda: nullcontext(model))


def test_a_body_is_searched_once_and_then_followed():
    face = standing_face()
    model = Poses([SquareROI(200, 350, 500)], standing_body(face))
    follower = follower_on(model)
    assert follower.step(PICTURE, face).visibility.min() == 1.0
    first = len(model.looked_at)
    for _ in range(4):
        assert follower.step(PICTURE, face) is not None
    assert len(model.looked_at) == first + 4
    follower.step(PICTURE, face)
    assert len(model.looked_at) == first + 4 + 2, "a look into the mirror now and then"


def test_a_lost_body_is_not_searched_in_every_frame():
    face = standing_face()
    pose = standing_body(face)
    model = Poses([], RawPose(pose.points, pose.visibility, 0.1, pose.next_roi))
    follower = follower_on(model)
    for _ in range(10):
        assert follower.step(PICTURE, face) is None
    once = len(model.looked_at)
    follower.step(PICTURE, face)
    assert len(model.looked_at) == 2 * once


def test_a_body_that_leaves_its_face_is_dropped():
    face = standing_face()
    model = Poses([SquareROI(200, 350, 500)], standing_body(face))
    follower = follower_on(model)
    follower.step(PICTURE, face)
    moved = standing_body(face)
    model.pose = model.reflection = RawPose(moved.points + [0, 150, 0], moved.visibility, 0.95, moved.next_roi)
    assert follower.step(PICTURE, face) is None
