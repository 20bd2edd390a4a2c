from contextlib import nullcontext

import numpy as np
import pytest

from omnihuman.perception import body
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.hand_model import RawHand, hand_roi, hand_roi_from_body
from omnihuman.perception.hands import FINGERS, HandPerception
from omnihuman.perception.roi import SquareROI

PICTURE = np.zeros((600, 400, 3), np.uint8)
LEFT, RIGHT = (300, 400), (100, 400)
"""Where the wrists of the fakes are: the person's left hand is on the picture's right."""


def hand_points(wrist, palm_px=40.0):
    """An open hand with its fingers up."""
    points = np.zeros((21, 3), np.float32)
    points[0, :2] = wrist
    for k, chain in enumerate(FINGERS.values()):
        for step, joint in enumerate(chain):
            points[joint, :2] = wrist + np.array([(k - 2) * 0.3, -1 - 0.3 * step]) * palm_px
    return points


def two_armed_body(left=LEFT, right=RIGHT, seen=(1.0, 1.0)):
    points = np.full((33, 3), (200, 300, 0), np.float32)
    points[body.SHOULDER_LEFT], points[body.SHOULDER_RIGHT] = (260, 180, 0), (140, 180, 0)
    for wrist, numbers in ((left, (15, 17, 19)), (right, (16, 18, 20))):
        for number, up in zip(numbers, (0, 30, 32), strict=True):
            points[number] = (wrist[0], wrist[1] - up, 0)
    visibility = np.ones(33, np.float32)
    visibility[[15, 17, 19]], visibility[[16, 18, 20]] = seen
    return BodyLandmarks(points, visibility, 0.9)


class Hands:
    """A model whose picture shows `shown`: (wrist, right) of each hand; palms are found where `palms` says."""

    def __init__(self, shown, palms=(), score=0.9, ghosts=()):
        self.shown, self.palms, self.score, self.ghosts, self.looks = shown, palms, score, ghosts, 0

    def find(self, image, view):
        return [SquareROI(*wrist, 150.0) for wrist in self.palms]

    def landmarks(self, image, roi, mirrored=False):
        self.looks += 1
        wrist, right = min(self.shown, key=lambda h: np.hypot(h[0][0] - roi.x, h[0][1] - roi.y))
        if np.hypot(wrist[0] - roi.x, wrist[1] - roi.y) > roi.side_px / 2:
            return RawHand(hand_points((roi.x, roi.y)), 0.01, 0.5)
        points = hand_points(wrist)
        if mirrored and wrist in self.ghosts:
            points[:, 1] += 30
        return RawHand(points, self.score, right)


def perception(model):
    return HandPerception(lambda: nullcontext(model))


def test_wrists_of_the_body_lead_to_the_hands():
    found = perception(Hands([(LEFT, 0.1), (RIGHT, 0.9)])).detect(PICTURE, two_armed_body())
    assert set(found) == {"l", "r"}
    assert found["l"].points[0, 0] == LEFT[0] and found["r"].points[0, 0] == RIGHT[0]
    assert found["r"].side == "r" and found["r"].points.shape == (21, 3)


def test_the_palm_detector_finds_what_the_body_hides():
    hidden = two_armed_body(seen=(0.0, 0.0))
    assert perception(Hands([(RIGHT, 0.9)])).detect(PICTURE, hidden) == {}
    assert set(perception(Hands([(RIGHT, 0.9)], palms=[RIGHT])).detect(PICTURE, hidden)) == {"r"}


def test_without_a_body_the_looks_decide_the_side():
    found = perception(Hands([(LEFT, 0.95), (RIGHT, 0.05)], palms=[LEFT, RIGHT])).detect(PICTURE, None)
    assert found["r"].points[0, 0] == LEFT[0] and found["l"].points[0, 0] == RIGHT[0]


def test_the_body_outvotes_mistaken_looks():
    found = perception(Hands([(LEFT, 0.6), (RIGHT, 0.4)])).detect(PICTURE, two_armed_body())
    assert found["l"].points[0, 0] == LEFT[0] and found["r"].points[0, 0] == RIGHT[0]


def test_one_hand_that_both_arms_point_at_is_one_hand():
    both = two_armed_body(left=(120, 400))
    found = perception(Hands([(RIGHT, 0.95)])).detect(PICTURE, both)
    assert set(found) == {"r"}


@pytest.mark.parametrize(
    "model", [Hands([(RIGHT, 0.9)], score=0.4), Hands([(RIGHT, 0.9)], ghosts=[RIGHT])], ids=["doubtful", "ghost"]
)
def test_imagined_hands_are_not_reported(model):
    assert perception(model).detect(PICTURE, two_armed_body()) == {}


def test_hands_out_of_reach_belong_to_someone_else():
    far = (100, 590)
    near_body = two_armed_body(seen=(0.0, 0.0))
    near_body.points[[body.SHOULDER_LEFT, body.SHOULDER_RIGHT], :2] = [[390, 60], [350, 60]]
    assert perception(Hands([(far, 0.9)], palms=[far])).detect(PICTURE, near_body) == {}


def test_a_hand_far_from_an_unseen_wrist_belongs_to_someone_else():
    hidden = two_armed_body(right=(40, 420), seen=(1.0, 0.0))
    assert set(perception(Hands([((70, 400), 0.9)], palms=[(70, 400)])).detect(PICTURE, hidden)) == {"r"}
    assert perception(Hands([((150, 330), 0.9)], palms=[(150, 330)])).detect(PICTURE, hidden) == {}


def test_following_looks_once_per_hand():
    model = Hands([(LEFT, 0.1), (RIGHT, 0.9)])
    finder = perception(model)
    found = finder.detect(PICTURE, two_armed_body())
    model.looks, model.shown = 0, [((305, 395), 0.1), ((95, 405), 0.9)]
    followed = finder.follow(PICTURE, two_armed_body(), found)
    assert model.looks == 2
    assert followed["l"].points[0, 0] == 305 and followed["r"].points[0, 0] == 95


def test_following_keeps_the_side_when_the_looks_flip():
    model = Hands([(LEFT, 0.1), (RIGHT, 0.9)])
    finder = perception(model)
    found = finder.detect(PICTURE, None) or finder.detect(PICTURE, two_armed_body())
    model.shown = [(LEFT, 0.9), (RIGHT, 0.1)]
    assert finder.follow(PICTURE, None, found)["l"].points[0, 0] == LEFT[0]


def test_a_hand_that_comes_up_is_found_while_following():
    model = Hands([(RIGHT, 0.9)])
    assert set(perception(model).follow(PICTURE, two_armed_body(seen=(0.0, 1.0)), {})) == {"r"}


def test_squares_turn_the_fingers_up():
    points = hand_points((100.0, 300.0))
    assert abs(hand_roi(points).roll_rad) < 0.05 and hand_roi(points).y < 300
    lying = points[:, [1, 0, 2]]
    assert abs(abs(hand_roi(lying).roll_rad) - np.pi / 2) < 0.05
    guess = hand_roi_from_body(np.array([100, 300]), np.array([98, 270]), np.array([104, 272]))
    assert abs(guess.roll_rad) < 0.1 and 100 < guess.side_px < 200


def test_the_networks_see_no_hand_in_a_drawn_face(model_handle):
    from tests.unit.perception.drawn_face import draw_face

    assert HandPerception(model_handle("hands")).detect(draw_face(), None) == {}
