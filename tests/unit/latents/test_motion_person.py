"""Which person the motion space prepares, and what of that person may move."""

import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.latents.motion.parameters import INDEX, LOW, group_indices, vector
from omnihuman.latents.motion.posing import clip_parameters
from omnihuman.latents.motion.space import MotionSpace
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.face import FaceLandmarks
from omnihuman.types import PersonChoice
from tests.tiny import POINTS, TinyFace, TinyMatte, draw_face
from tests.unit.latents.drawn_reference import drawn_reference

FACE_GROUPS = ("mouth", "brows", "eyes", "gaze")


class TwoFaces(TinyFace):
    def detect(self, image, max_faces=8):
        (large,) = super().detect(image)
        return [large, FaceLandmarks.from_points(large.points * 0.5 + [10, 10, 0], 0.9)]


class Hidden(TinyFace):
    """Nobody is found."""

    def detect(self, image, max_faces=8):
        return []

    def look(self, image, squares):
        return None


class Torso:
    def detect(self, image, face):
        return None

    def detect_faceless(self, image):
        real = np.load(POINTS)
        points = np.zeros((33, 3), np.float32)
        points[:11, :2] = real[:, :2].mean(axis=0)
        for number, landmark in ((0, 1), (1, 362), (3, 263), (4, 133), (6, 33), (9, 291), (10, 61)):
            points[number, :2] = real[landmark, :2]
        points[[11, 12], :2] = [[380, 450], [132, 450]]
        return BodyLandmarks(points, (np.arange(33) <= 12).astype(np.float32), 0.9)


def test_several_faces_are_told_and_one_can_be_chosen():
    space = MotionSpace(TwoFaces(), TinyMatte())
    first, second = (space.prepare(draw_face(), PersonChoice(number)) for number in (1, 2))
    assert "2 faces" in first.facts.warnings[0] and "--face 2" in first.facts.warnings[0]
    assert second.facts.warnings == () and second.facts.iod_px < 0.6 * first.facts.iod_px
    with pytest.raises(InputError, match="face_number_invalid"):
        space.prepare(draw_face(), PersonChoice(3))


def test_given_landmarks_are_prepared_as_found_ones():
    found = MotionSpace(TinyFace(), TinyMatte()).prepare(draw_face())
    given = MotionSpace(Hidden(), TinyMatte()).prepare(draw_face(), PersonChoice(1, np.load(POINTS)))
    assert np.array_equal(found.landmarks, given.landmarks) and given.facts.warnings == ()
    assert given.rig.face_gain == 1.0


def test_without_a_face_head_and_body_move_and_the_face_does_not():
    space = MotionSpace(Hidden(), TinyMatte(), Torso())
    picture = draw_face()
    reference = space.express(space.prepare(picture), "absolute")
    assert "--landmarks" in reference.facts.warnings[0]
    face = {name: 0.8 for name, i in INDEX.items() if any(i in group_indices(group) for group in FACE_GROUPS)}
    rest, talking, turning, swaying = space.render(
        np.stack([vector(), vector(**face), vector(head_yaw_deg=10), vector(sway_x=0.05)]), reference
    )
    assert np.array_equal(rest, picture) and np.array_equal(talking, picture)
    for moved in (turning, swaying):
        assert np.abs(moved.astype(int) - picture).mean() > 0.5


def test_a_head_that_is_no_top_is_refused():
    class Everywhere:
        def estimate(self, image, face, body=None):
            return np.ones(image.shape[:2], np.float32)

    class Low(Torso):
        def detect_faceless(self, image):
            body = super().detect_faceless(image)
            body.points[:, 1] = body.points[:, 1] * 0.3 + 340
            body.points[:, 0] = body.points[:, 0] * 0.3 + 180
            return body

    with pytest.raises(InputError, match="face_not_found"):
        MotionSpace(Hidden(), Everywhere(), Low()).prepare(draw_face())


def test_profile_faces_open_less_but_close_fully():
    frame = drawn_reference().rig.frame
    side = type(frame)(**{**frame.__dict__, "yaw_deg": 65.0})
    wild = np.full(len(LOW), 1.0, np.float32)
    front, profile = clip_parameters(wild, frame), clip_parameters(wild, side)
    assert profile[INDEX["jaw_open"]] < 0.7 * front[INDEX["jaw_open"]]
    assert profile[INDEX["seal"]] == front[INDEX["seal"]] == 1.0
    assert profile[INDEX["blink_l"]] == front[INDEX["blink_l"]]
