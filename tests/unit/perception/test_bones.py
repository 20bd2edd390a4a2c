"""What is out of reach of head and bones is strange; hair, sleeves and what a hand holds are not."""

import numpy as np

from omnihuman.perception.body import (
    ELBOW_LEFT,
    HIP_LEFT,
    HIP_RIGHT,
    INDEX_LEFT,
    SHOULDER_LEFT,
    SHOULDER_RIGHT,
    WRIST_LEFT,
    BodyLandmarks,
)
from omnihuman.perception.bones import strangeness
from tests.unit.perception.test_matte import face_at

PLACES = {SHOULDER_LEFT: (250, 200), SHOULDER_RIGHT: (150, 200), HIP_LEFT: (230, 350), HIP_RIGHT: (170, 350),
          ELBOW_LEFT: (330, 220), WRIST_LEFT: (400, 150), INDEX_LEFT: (410, 130)}  # fmt: skip


def standing(hidden=()):
    points, visibility = np.zeros((33, 3), np.float32), np.zeros(33, np.float32)
    for joint, place in PLACES.items():
        points[joint, :2], visibility[joint] = place, 0.9
    visibility[list(hidden)] = 0.0
    return BodyLandmarks(points, visibility, 0.95)


def strange_at(hidden, *places):
    strange = strangeness(standing(hidden), face_at(200, 120), 640, 480, 1.0)
    assert strange.shape == (480, 640) and strange.dtype == np.float32
    return [float(strange[y, x]) for x, y in places]


def test_head_hair_sleeves_and_the_hand_are_in_reach():
    near = ((200, 120), (200, 60), (140, 220), (200, 300), (330, 240), (430, 130), (200, 470))
    assert strange_at((), *near) == [0.0] * len(near)


def test_what_stands_far_away_is_not():
    assert strange_at((), (600, 400), (30, 60), (560, 150), (20, 460)) == [1.0] * 4


def test_an_arm_that_is_not_seen_reaches_nothing():
    assert strange_at((ELBOW_LEFT, WRIST_LEFT, INDEX_LEFT), (430, 130)) == [1.0]


def test_without_hips_the_body_goes_down_to_the_frame():
    assert strange_at((HIP_LEFT, HIP_RIGHT), (200, 475), (20, 475)) == [0.0, 1.0]


def test_without_shoulders_nothing_is_strange():
    assert strange_at((SHOULDER_LEFT,), (600, 400), (200, 120)) == [0.0, 0.0]


def test_scale_does_not_matter():
    full = strangeness(standing(), face_at(200, 120), 640, 480, 1.0)
    half = strangeness(standing(), face_at(200, 120), 320, 240, 0.5)
    assert np.abs(full[::2, ::2] - half).mean() < 0.03
