"""Shoulders and what covers them: a sweater with a ribbed collar, with or without a shirt under it."""

from __future__ import annotations

import numpy as np

from studio.canvas import (
    Array,
    Canvas,
    area,
    dome,
    filled,
    grid,
    lit,
    rgb,
    soften,
    spline,
    spot,
    stroke,
    symmetric,
)
from studio.head import LIGHT
from studio.look import Look

_BOTTOM = 660


def paint_sweater(canvas: Canvas, look: Look, neckline: float) -> None:
    """Knitted sweater; `neckline` is the height of the collar's lowest point below the eyes, pixels."""
    n, s = look.neck, look.shoulder
    slope = [(n + 20 + at * (s - n - 20), y) for at, y in ((0, 240), (0.26, 257), (0.55, 271), (0.82, 291), (1.0, 326))]
    half = [
        *slope,
        (s + 19, 386),
        (s + 34, 476),
        (s + 46, 580),
        (s + 54, _BOTTOM + 20),
        (s + 56, _BOTTOM + 90),
        (0, _BOTTOM + 100),
    ]
    turn = np.linspace(0.0, np.pi, 9)
    ring = [(float((n + 27) * np.cos(a)), float(244 + (neckline - 244) * np.sin(a) ** 0.8)) for a in turn]
    whole = area(symmetric([(0, 236), *half]))
    opening = area([*ring, (-n - 20, 190), (n + 20, 190)])
    mask = np.clip(whole - opening, 0, 1)
    relief = dome(whole, 150, 96) + _folds(s, neckline)
    light = lit(relief, LIGHT)
    canvas.paint_lit(light, look.cloth, mask)
    canvas.shade(look.cloth[0][1], mask * stroke(ring, [20, 34, 34, 20], 9), 0.32)
    _paint_collar(canvas, look, ring, n)


def paint_collar_back(canvas: Canvas, look: Look) -> None:
    """The part of the collar that is seen behind the neck."""
    n = look.neck
    band = stroke([(-n - 27, 250), (-n - 14, 236), (0, 232), (n + 14, 236), (n + 27, 250)], [16, 18, 18, 18, 16])
    canvas.paint_lit(0.42 + 0.0 * band, look.cloth, band)


def paint_shirt_collar(canvas: Canvas, look: Look) -> None:
    """Two points of a light shirt collar over the sweater's neckline."""
    n = look.neck
    inner = spline([(n - 6, 196), (n - 6, 232), (n * 0.62, 268), (4, 306)], closed=False)
    outer = spline([(34, 342), (n * 0.72, 318), (n + 12, 272), (n + 17, 232), (n - 2, 196)], closed=False)
    for side in (1, -1):
        leaf = np.concatenate([inner, outer]) * np.array([side, 1], np.float32)
        mask = filled(leaf, 0.4)
        canvas.shade(rgb("4a4640"), np.roll(soften(mask, 5), 10, 0) * (1.0 - mask), 0.5)
        light = lit(dome(mask, 9, 4), LIGHT) - 0.10 * soften(1 - mask, 8) - (0.10 if side > 0 else 0.0)
        canvas.paint_lit(light, ((0.2, rgb("8d8f95")), (0.6, rgb("d2d1d0")), (0.9, rgb("f5f2ec"))), mask)


def _paint_collar(canvas: Canvas, look: Look, ring: list[tuple[float, float]], neck: float) -> None:
    band = stroke(ring, [16, 22, 24, 22, 16])
    light = lit(dome(band, 11, 11), LIGHT)
    xx, yy = grid()
    ribs = 1.0 + 0.055 * np.sin(np.arctan2(xx, np.maximum(yy - 205, 5)) * 92)
    canvas.paint_lit(light * ribs + 0.03, look.cloth, band)
    inner = [(x * 0.86, y - 9) for x, y in ring]
    canvas.shade(look.skin[1][1], soften(stroke(inner, [6, 9, 9, 6], 4) * (1 - band), 1), 0.55)


def _folds(shoulder: float, neckline: float) -> Array:
    relief = 7.0 * spot(-96, 450, 90, 70) + 7.0 * spot(96, 450, 90, 70)
    for side in (-1, 1):
        arm = shoulder - 52
        relief -= 15.0 * stroke(
            [(side * (arm + 4), 430), (side * (arm - 8), 510), (side * (arm - 10), 660)], [2, 14, 24], 11
        )
        relief -= 4.5 * stroke(
            [(side * (arm - 4), 440), (side * (arm - 50), 486), (side * (arm - 100), 498)], [10, 10, 2], 8
        )
        relief += 4.0 * stroke(
            [(side * (arm + 6), 396), (side * (arm - 46), 430), (side * (arm - 96), 440)], [3, 12, 3], 9
        )
        relief -= 3.0 * stroke(
            [(side * (shoulder + 18), 440), (side * (shoulder - 6), 480), (side * (shoulder - 18), 540)], [3, 12, 2], 8
        )
        relief -= 2.5 * stroke(
            [(side * 66, neckline - 6), (side * 104, neckline + 40), (side * 112, neckline + 100)], [3, 10, 3], 9
        )
    return relief
