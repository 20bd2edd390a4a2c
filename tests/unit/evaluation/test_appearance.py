"""A face that keeps its look does not drift; one that yellows or blurs towards the end does."""

import cv2
import numpy as np

from omnihuman.evaluation.appearance import measure_appearance
from tests.tiny import TinyFace
from tests.unit.perception.drawn_face import draw_face

FACE = draw_face()


def film(change):
    """Forty frames; `change` is applied with a share that grows from 0 to 1."""
    return lambda: (change(FACE, k / 39) for k in range(40))


def measured(change):
    return {name: value.value for name, value in measure_appearance(film(change), 40, TinyFace()).items()}


def test_the_same_face_does_not_drift():
    same = measured(lambda face, _: face)
    assert same == {"colour_drift": 0.0, "sharpness_ratio": 1.0}


def test_yellowing_and_blurring_show():
    tint = np.array([20, 10, 0])
    yellow = measured(lambda face, share: np.clip(face + share * tint, 0, 255).astype(np.uint8))
    assert 8 < yellow["colour_drift"] < 25
    soft = measured(lambda face, share: cv2.GaussianBlur(face, (0, 0), 0.1 + 6 * share))
    assert soft["sharpness_ratio"] < 0.8


def test_a_video_without_pairs_of_faces_has_none():
    assert measure_appearance(lambda: iter([np.full_like(FACE, 9)] * 8), 8, TinyFace()) == {}
    assert measure_appearance(lambda: iter([FACE]), 1, TinyFace()) == {}
