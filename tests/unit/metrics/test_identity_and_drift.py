import math

import numpy as np
import pytest

from omnihuman.metrics.drift import geometry_drift, texture_drift
from omnihuman.metrics.identity import identity_similarity

SHAPE = np.random.default_rng(0).normal(0, 0.5, (12, 3))


def turned(shape, angle):
    c, s = np.cos(angle), np.sin(angle)
    return shape @ np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]]).T


def test_similarity_is_the_cosine_whatever_the_length():
    reference = np.array([1.0, 0.0])
    rows = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0], [math.nan, 0.0]])
    found = identity_similarity(rows, reference)
    assert found["identity_mean"].value == pytest.approx((1 + 0 + math.sqrt(0.5)) / 3)
    assert found["identity_worst"].value == pytest.approx(0.0)


def test_a_person_who_becomes_another_drifts_and_one_bad_frame_is_the_worst_not_the_mean():
    turn = np.linspace(0, 1, 40)
    becoming = np.stack([np.cos(turn), np.sin(turn)], 1)
    found = identity_similarity(becoming, np.array([1.0, 0.0]))
    assert found["identity_drift"].value < -0.2
    steady = np.tile([1.0, 0.0], (40, 1))
    steady[7] = [0.0, 1.0]
    once = identity_similarity(steady, np.array([1.0, 0.0]))
    assert once["identity_worst"].value == 0.0 and once["identity_low"].value == 1.0
    assert identity_similarity(np.ones((40, 2)), np.ones(2))["identity_drift"].value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("rows", [np.zeros((0, 4)), np.full((3, 4), math.nan), np.zeros((2, 4))])
def test_similarity_without_a_face_is_undefined(rows):
    assert math.isnan(identity_similarity(rows, np.ones(4))["identity_mean"].value)


def test_moving_turning_and_nearing_is_no_drift_but_a_new_shape_is():
    moving = np.stack([1.1 ** (i / 20) * turned(SHAPE, 0.01 * i) + 0.02 * i for i in range(60)])
    assert geometry_drift(moving, 10).value == pytest.approx(0.0, abs=1e-9)
    changed = moving.copy()
    changed[30:, 0] += 0.2
    assert 0.02 < geometry_drift(changed, 10).value < 0.2


def test_drift_is_undefined_without_two_ends():
    assert math.isnan(geometry_drift(np.full((30, 12, 3), math.nan), 5).value)
    assert math.isnan(geometry_drift(SHAPE[None], 5).value)


def test_texture_drift_sees_colour_and_blur():
    rng = np.random.default_rng(1)
    early = rng.integers(60, 180, (40, 40, 3)).astype(np.uint8)
    same = texture_drift(early, early)
    assert (same["colour_drift"].value, same["sharpness_ratio"].value) == (0.0, 1.0)
    assert texture_drift(early, early + 10)["colour_drift"].value == pytest.approx(10 * math.sqrt(3))
    blurred = (early.astype(float) + np.roll(early, 1, 0) + np.roll(early, 1, 1)) / 3
    assert texture_drift(early, blurred.astype(np.uint8))["sharpness_ratio"].value < 0.7
    assert math.isnan(texture_drift(np.zeros((5, 5, 3), np.uint8), early[:5, :5])["sharpness_ratio"].value)
