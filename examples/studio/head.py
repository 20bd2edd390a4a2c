"""Skin: face, ears and neck as a lit relief with warm shadows. Eyes, lips and hair come later."""

from __future__ import annotations

import numpy as np

from studio.canvas import Array, Canvas, area, dome, lit, mirrored, rgb, soften, spot, stroke, symmetric
from studio.look import Look

LIGHT = (-0.34, -0.44, 0.86)
"""From the upper left, towards the viewer."""

EAR = [(122, -22), (136, -34), (149, -24), (151, 0), (146, 26), (139, 50), (130, 62), (121, 50)]


def face_mask(look: Look) -> Array:
    """The face without ears and neck."""
    return area(symmetric(look.face))


def paint_neck(canvas: Canvas, look: Look) -> None:
    """Neck and the skin above the neckline, in the shadow of the chin."""
    n = look.neck
    half = [(n, 120), (n - 2, 180), (n + 2, 218), (n + 20, 250), (n + 34, 284), (n + 30, 390), (0, 400)]
    mask = area(symmetric([(0, 110), *half]))
    relief = dome(mask, n * 0.95, n * 0.62)
    for side in (-1, 1):
        relief += (
            3.6 * look.jaw * stroke([(side * n * 0.80, 165), (side * n * 0.52, 235), (side * 12, 288)], [10, 14, 9], 5)
        )
        relief += 5.0 * stroke([(side * 18, 296), (side * 80, 284), (side * 150, 280)], [9, 13, 9], 5)
    relief -= 5.0 * spot(0, 298, 15, 11)
    light = lit(relief, LIGHT)
    chin_shadow = area(
        [(-n - 30, 120), (n + 30, 120), (n + 12, 200), (n * 0.4, 238), (-n * 0.5, 226), (-n - 4, 196)], 9
    )
    canvas.paint_lit(light * (1.0 - 0.36 * chin_shadow), look.skin, mask)
    canvas.glow(look.blush, mask * chin_shadow, 0.10)


def paint_ears(canvas: Canvas, look: Look) -> None:
    """Both ears with helix and hollow."""
    for side in (1, -1):
        outline = EAR if side > 0 else mirrored(EAR)
        mask = area(outline)
        relief = dome(mask, 12, 9)
        relief -= 7.0 * stroke([(side * 142, -14), (side * 143, 6), (side * 136, 32)], [5, 6, 4], 1.5)
        relief += 4.0 * stroke([(side * 130, -12), (side * 134, 8), (side * 128, 28)], [4, 5, 4], 2)
        canvas.paint_lit(0.96 * lit(relief, LIGHT), look.skin, mask)
        canvas.shade(
            rgb("a8604c"), mask * stroke([(side * 127, -4), (side * 130, 12), (side * 126, 26)], [5, 9, 5], 3), 0.6
        )
        canvas.glow(look.blush, mask, 0.10)


def paint_face(canvas: Canvas, look: Look) -> None:
    """Lit skin with blush; no features yet."""
    mask = face_mask(look)
    light = lit(_relief(look, mask), LIGHT)
    light = light * (1.0 - 0.10 * spot(70, 120, 70, 120)) + 0.02 * spot(-40, -110, 70, 40)
    canvas.paint_lit(light, look.skin, mask)
    strength = 0.22 - 0.08 * look.age
    for side in (-1, 1):
        canvas.paint(look.blush, mask * spot(side * 76, 66, 30, 24), strength)
        canvas.paint(look.blush, mask * spot(side * 60, -12, 44, 22), 0.06)
    canvas.paint(look.blush, mask * spot(0, 82, 19, 15), strength * 0.8)
    canvas.paint(look.blush, mask * spot(0, 184, 30, 14), strength * 0.4)
    rim = mask * soften(1.0 - mask, 7)
    canvas.shade(rgb("9a5f50"), rim * (np.arange(mask.shape[1]) > mask.shape[1] // 2), 0.35)


def _relief(look: Look, mask: Array) -> Array:
    relief = dome(mask, 118, 66)
    w = look.nose_width
    relief += _nose(w)
    for side in (-1, 1):
        relief -= 8.0 * spot(side * 60, -14, 34, 16, side * -4)
        relief += 7.5 * spot(side * 60, -2, 24, 13)
        relief -= 3.0 * spot(side * 44, 22, 24, 6, side * 18)
        relief += 5.0 * spot(side * 62, -44, 36, 8, side * 6)
        relief += 9.0 * look.jaw * spot(side * 80, 52, 30, 24, side * -28)
        relief -= 4.0 * look.jaw * spot(side * 78, 112, 20, 34, side * 20)
        relief -= (1.2 + 3.6 * look.age) * stroke(
            [(side * 28 * w, 86), (side * 49, 108), (side * 60, 134)], [3, 6, 2], 5
        )
        relief -= 2.2 * spot(side * 53, 127, 8, 9)
    relief += 5.0 * spot(0, 124, 46, 24) - 1.6 * spot(0, 108, 4.5, 9)
    relief -= 3.6 * spot(0, 158, 30, 8)
    relief += (2.0 + 5.0 * look.jaw) * spot(0, 176, 27, 13)
    relief += 5.0 * spot(0, -96, 76, 34)
    if look.age > 0:
        relief += _lines(look.age)
    return relief


def _nose(w: float) -> Array:
    bridge = stroke([(0, -40), (0, 4), (0, 46), (0, 78)], [20 * w, 15 * w, 18 * w, 25 * w], 8)
    relief = 9.5 * bridge + 1.4 * stroke([(0, -14), (0, 74)], [6 * w, 10 * w], 4.5)
    relief += 7.5 * spot(0, 78, 13 * w, 13)
    for side in (-1, 1):
        relief += 7.0 * spot(side * 18 * w, 84, 7.5 * w, 8, side * 20)
        relief -= 2.5 * spot(side * 15 * w, 62, 5 * w, 14, side * 12)
    return relief - 5.5 * spot(0, 97, 24 * w, 6)


def _lines(age: float) -> Array:
    relief = np.zeros_like(spot(0, 0, 1, 1))
    for y, reach in ((-96, 62), (-114, 70), (-132, 58)):
        relief -= (
            1.3 * age * stroke([(-reach, y + 5), (-20, y - 1), (22, y + 1), (reach, y + 4)], [0.5, 2.4, 2.4, 0.5], 1.3)
        )
    for side in (-1, 1):
        for dy in (-9, 0, 9):
            relief -= 0.9 * age * stroke([(side * 98, dy * 0.6), (side * 114, dy * 1.5 + 3)], [1.8, 0.5], 1.1)
        relief -= 2.2 * age * stroke([(side * 34, 20), (side * 58, 31), (side * 82, 24)], [1, 4, 1], 2.5)
        relief -= 0.9 * age * stroke([(side * 8, -52), (side * 7, -36)], [1.5, 1], 1.2)
    return relief
