"""Key points -> a drawn skeleton in the usual colours of OpenPose and DWPose. Reading one back is `skeleton_reader.py`.

18 joints (the neck lies between the shoulders), 17 limbs dimmed to 60 %, hands in a rainbow, the face as white dots
(Cao et al. 2019, arXiv 1812.08008; the colours are facts of that format). Legend: H height, W width, RGB.
"""

from __future__ import annotations

import colorsys

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.perception.keypoints import FACE, HANDS
from omnihuman.types import Float, Image

JOINT_FROM_COCO = (0, None, 6, 8, 10, 5, 7, 9, 12, 14, 16, 11, 13, 15, 2, 1, 4, 3)
"""COCO's number of each of the 18 joints; the neck is made."""
NECK = 1
LIMBS = (
    (1, 2), (1, 5), (2, 3), (3, 4), (5, 6), (6, 7), (1, 8), (8, 9), (9, 10), (1, 11), (11, 12), (12, 13),
    (1, 0), (0, 14), (14, 16), (0, 15), (15, 17),
)  # fmt: skip
"""Joints of each limb, the nearer to the neck first; the limb's number is the number of its colour."""
COLOURS = tuple(tuple(round(255 * part) for part in colorsys.hsv_to_rgb(step / 18, 1.0, 1.0)) for step in range(18))
"""Colour of each joint, and, dimmed, of each limb: 18 hues, 20 degrees apart."""
LIMB_LIGHT = 0.6
HAND_EDGES = tuple((0 if k % 4 == 0 else k, k + 1) for k in range(20))
_SHIFT_BITS = 4
_SEEN = 0.3


def joints_of(points: Float, confidence: Float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The 18 joints `18 2` and their confidence `18` from key points `133 2`."""
    joints = np.zeros((18, 2))
    sure = np.zeros(18)
    for joint, number in enumerate(JOINT_FROM_COCO):
        if number is not None:
            joints[joint], sure[joint] = points[number], confidence[number]
    joints[NECK] = (joints[2] + joints[5]) / 2
    sure[NECK] = min(sure[2], sure[5])
    return joints, sure


def draw_skeleton(canvas: Image, points: Float, confidence: Float) -> Image:
    """The canvas `H W 3` with one person drawn over it; points known by less than 0.3 are left out.

    Args:
        canvas: Black for a skeleton alone; never changed.
        points: `133 2` pixels of the canvas.
        confidence: `133`.
    """
    drawn = canvas.copy()
    unit = max(1.0, min(canvas.shape[:2]) / 512.0)
    joints, sure = joints_of(points, confidence)
    for number, (start, end) in enumerate(LIMBS):
        if min(sure[start], sure[end]) > _SEEN:
            colour = tuple(int(LIMB_LIGHT * part) for part in COLOURS[number])
            _limb(drawn, joints[start], joints[end], 4.0 * unit, colour)
    for number in range(18):
        if sure[number] > _SEEN:
            _dot(drawn, joints[number], 4.0 * unit, COLOURS[number])
    for side in "lr":
        _hand(drawn, points[HANDS[side]], confidence[HANDS[side]], unit)
    for point, known in zip(points[FACE], confidence[FACE], strict=True):
        if known > _SEEN:
            _dot(drawn, point, 2.0 * unit, (255, 255, 255))
    return drawn


def _hand(drawn: Image, points: Float, confidence: Float, unit: float) -> None:
    for number, (start, end) in enumerate(HAND_EDGES):
        if min(confidence[start], confidence[end]) > _SEEN:
            colour = tuple(round(255 * part) for part in colorsys.hsv_to_rgb(number / len(HAND_EDGES), 1.0, 1.0))
            ends = (_fixed(points[start]), _fixed(points[end]))
            cv2.line(drawn, *ends, colour, max(1, round(2 * unit)), cv2.LINE_AA, _SHIFT_BITS)
    for point, known in zip(points, confidence, strict=True):
        if known > _SEEN:
            _dot(drawn, point, 3.0 * unit, (0, 0, 255))


def _limb(drawn: Image, start: Float, end: Float, half_px: float, colour: tuple[int, ...]) -> None:
    """A slim ellipse from joint to joint."""
    along = (end - start) / 2
    length = float(np.linalg.norm(along))
    if length < 1e-6:
        return
    across = np.array([-along[1], along[0]]) / length * half_px
    t = np.linspace(0, 2 * np.pi, 49)[:, None]
    outline = (start + end) / 2 + np.cos(t) * along + np.sin(t) * across
    cv2.fillPoly(drawn, [np.round(outline * (1 << _SHIFT_BITS)).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT_BITS)


def _dot(drawn: Image, point: Float, radius_px: float, colour: tuple[int, ...]) -> None:
    cv2.circle(drawn, _fixed(point), round(radius_px * (1 << _SHIFT_BITS)), colour, -1, cv2.LINE_AA, _SHIFT_BITS)


def _fixed(point: Float) -> tuple[int, int]:
    return round(float(point[0]) * (1 << _SHIFT_BITS)), round(float(point[1]) * (1 << _SHIFT_BITS))
