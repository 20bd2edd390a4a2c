"""The drawn face as a prepared reference: stored landmarks and an analytic matte, so no model file is needed."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from omnihuman.latents.motion.reference import MotionReference, build_reference
from omnihuman.perception.body import BodyLandmarks
from tests.unit.perception.drawn_face import draw_face

POINTS = np.load(Path(__file__).parents[2] / "assets" / "drawn_face_points.npy")


def drawn_matte(softness_px=3.0):
    """`512 512` the drawn person: hair, neck and shoulders."""
    mask = np.zeros((512, 512), np.float32)
    for centre, axes in (((256, 250), (150, 180)), ((256, 520), (210, 110))):
        cv2.ellipse(mask, centre, axes, 0, 0, 360, 1.0, -1, cv2.LINE_8)
    cv2.rectangle(mask, (206, 360), (306, 450), 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), softness_px)


def busy_picture():
    """The drawn face before a busy background with noise, so that a misplaced pixel cannot hide."""
    noise = np.random.default_rng(7).integers(-12, 13, (512, 512, 3))
    return np.clip(draw_face().astype(int) + noise, 0, 255).astype(np.uint8)


def standing_body():
    """Shoulders of the drawn person; nothing else of the body is seen."""
    points = np.zeros((33, 3), np.float32)
    points[[11, 12], :2] = [[380, 450], [132, 450]]
    visibility = np.zeros(33, np.float32)
    visibility[[11, 12]] = 0.9
    return BodyLandmarks(points, visibility, 0.9)


@cache
def drawn_reference() -> MotionReference:
    """Prepared once for all tests; never changed by them."""
    return build_reference(busy_picture(), POINTS, drawn_matte(), None)


@cache
def drawn_with_body() -> MotionReference:
    """The same with its shoulders found."""
    return build_reference(busy_picture(), POINTS, drawn_matte(), standing_body())
