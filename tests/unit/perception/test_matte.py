from contextlib import nullcontext

import cv2
import numpy as np
import pytest

from omnihuman.perception.body import SHOULDER_LEFT, SHOULDER_RIGHT, BodyLandmarks
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.matte import PersonMatte, guided_filter
from omnihuman.perception.mesh_topology import FACE_OVAL
from omnihuman.perception.roi import Silhouette, SquareROI

PERSON, BACKDROP = (180, 60, 60), (40, 120, 160)


class BlurredColour:
    """A segmenter that calls red a person, as vaguely as a small network does."""

    size = 64

    def __init__(self, likes=True):
        self.likes = likes

    def person(self, crop):
        red = (crop[..., 0].astype(int) > crop[..., 2]).astype(np.float32) * self.likes
        return cv2.GaussianBlur(red, (0, 0), 2.0)


def two_people(height=300, width=400):
    picture = np.full((height, width, 3), BACKDROP, np.uint8)
    cv2.ellipse(picture, (120, 150), (60, 100), 0, 0, 360, PERSON, -1)
    cv2.ellipse(picture, (310, 150), (70, 110), 0, 0, 360, PERSON, -1)
    return picture


def face_at(x, y, radius=25):
    points = np.full((478, 3), (x, y, 0), np.float32)
    angles = np.linspace(0, 2 * np.pi, len(FACE_OVAL), endpoint=False)
    points[list(FACE_OVAL), :2] += np.stack([np.sin(angles), -np.cos(angles)], axis=-1).astype(np.float32) * radius
    points[33, 0], points[263, 0] = x - radius, x + radius
    return FaceLandmarks.from_points(points, 1.0)


def matte_of(picture, face, segmenter=None):
    return PersonMatte(lambda: nullcontext(segmenter or BlurredColour())).estimate(picture, face)


def test_keeps_the_person_of_the_face():
    matte = matte_of(two_people(), face_at(120, 120))
    assert matte.dtype == np.float32
    assert matte.shape == (300, 400)
    assert matte[150, 120] == 1.0
    assert matte[:, 240:].max() == 0.0


def test_keeps_the_largest_without_a_face():
    matte = matte_of(two_people(), None)
    assert matte[150, 310] == 1.0
    assert matte[150, 120] == 0.0


def test_is_pure_away_from_the_edge():
    matte = matte_of(two_people(), face_at(120, 120))
    assert matte.min() == 0.0
    assert matte.max() == 1.0
    assert (matte[:, :40] == 0.0).all()
    assert ((matte == 0) | (matte == 1)).mean() > 0.9


def test_edge_follows_the_picture():
    """The vague network alone is off by several pixels; filtered, the edge lies on the drawn one."""
    picture = two_people()
    truth = (picture[..., 0] == PERSON[0]) & (np.arange(400) < 220)
    wrong = ((matte_of(picture, face_at(120, 120)) > 0.5) != truth).sum()
    assert wrong < 0.02 * truth.sum()


def test_the_face_belongs_to_the_person_even_when_the_network_fails():
    matte = matte_of(two_people(), face_at(120, 150), BlurredColour(likes=False))
    assert matte[150, 120] == 1.0
    assert matte[20, 380] == 0.0


def test_nothing_found_is_all_zero():
    assert matte_of(two_people(), None, BlurredColour(likes=False)).max() == 0.0


def test_person_at_the_border_stays_solid():
    picture = np.full((200, 120, 3), BACKDROP, np.uint8)
    picture[60:, 20:100] = PERSON
    assert matte_of(picture, face_at(60, 100))[-1, 60] == 1.0


@pytest.mark.parametrize("shape", [(64, 48), (3000, 400)])
def test_any_size(shape):
    picture = np.full((*shape, 3), PERSON, np.uint8)
    assert matte_of(picture, None).shape == shape


def test_guided_filter_leaves_a_constant_alone():
    picture = np.random.default_rng(0).integers(0, 256, (60, 80, 3), np.uint8)
    filtered = guided_filter(picture, picture, np.full((60, 80), 0.7, np.float32), 4)
    np.testing.assert_allclose(filtered, 0.7, atol=1e-3)


def test_guided_filter_moves_an_edge_onto_the_picture():
    picture = np.full((60, 80, 3), BACKDROP, np.uint8)
    picture[:, 40:] = PERSON
    vague = np.tile(np.clip((np.arange(80) - 30) / 20, 0, 1).astype(np.float32), (60, 1))
    filtered = guided_filter(picture, picture, vague, 12)
    assert filtered[30, 41] - filtered[30, 38] > 3 * (vague[30, 41] - vague[30, 38])


def body_of(picture, outline, shoulders=((180, 260), (60, 260))):
    """A body whose network saw `outline` `H W` (bool) in the whole picture."""
    height, width = picture.shape[:2]
    roi = SquareROI(width / 2, height / 2, float(max(height, width)))
    seen = roi.crop(outline.astype(np.uint8) * 255, 256, cv2.BORDER_CONSTANT)
    logits = np.where(seen > 127, 9.0, -9.0).astype(np.float32)
    points, visibility = np.zeros((33, 3), np.float32), np.zeros(33, np.float32)
    points[[SHOULDER_LEFT, SHOULDER_RIGHT], :2], visibility[[SHOULDER_LEFT, SHOULDER_RIGHT]] = shoulders, 0.9
    return BodyLandmarks(points, visibility, 0.95, Silhouette(logits, roi))


def person_with_curtain():
    """A person at the left; a curtain of the same colour touches and goes on to the right, near and far."""
    picture = np.full((420, 640, 3), BACKDROP, np.uint8)
    cv2.ellipse(picture, (120, 120), (45, 60), 0, 0, 360, PERSON, -1)
    cv2.rectangle(picture, (60, 170), (180, 419), PERSON, -1)
    truth = picture[..., 0] == PERSON[0]
    cv2.rectangle(picture, (170, 300), (639, 419), PERSON, -1)
    return picture, truth


def matte_with_body(picture, body):
    return PersonMatte(lambda: nullcontext(BlurredColour())).estimate(picture, face_at(120, 120), body)


def test_a_second_opinion_keeps_a_curtain_out():
    picture, truth = person_with_curtain()
    assert matte_of(picture, face_at(120, 120))[350:410, 230:600].mean() > 0.95
    matte = matte_with_body(picture, body_of(picture, truth))
    assert matte[350:410, 560:].max() == 0.0 and matte[380, 120] == 1.0 and matte[120, 120] == 1.0
    assert matte[350:410, 230:600].mean() < 0.5


def test_what_is_far_from_the_bones_stays_with_the_background():
    picture, _ = person_with_curtain()
    matte = matte_with_body(picture, body_of(picture, np.ones(picture.shape[:2], bool)))
    assert matte[350:410, 560:].max() == 0.0 and matte[380, 120] == 1.0


def test_the_ends_stay_pure_with_a_body():
    picture, truth = person_with_curtain()
    matte = matte_with_body(picture, body_of(picture, truth))
    assert ((matte == 0) | (matte == 1)).mean() > 0.85
