"""Shoulders and what covers them: a sweater with a ribbed collar, with or without a shirt under it."""

from __future__ import annotations

import numpy as np

from studio.canvas import Array, Canvas, area, dome, grid, lit, mirrored, ramp, rgb, soften, spline, spot, stroke, symmetric
from studio.head import LIGHT
from studio.look import Look

_BOTTOM = 660


def paint_sweater(canvas: Canvas, look: Look, neckline: float) -> None:
    """Knitted sweater; `neckline` is the height of the collar's lowest point below the eyes, pixels."""
    n, s = look.neck, look.shoulder
    half = [(n + 22, 240), (n + 62, 262), (n + 118, 281), (s - 40, 306), (s + 2, 346), (s + 30, 420), (s + 52, 530), (s + 62, _BOTTOM), (0, _BOTTOM + 40)]
    turn = np.linspace(0.0, np.pi, 9)
    ring = [(float((n + 27) * np.cos(a)), float(244 + (neckline - 244) * np.sin(a) ** 0.8)) for a in turn]
    whole = area(symmetric([(0, 236), *half]))
    opening = area([*ring, (-n - 20, 190), (n + 20, 190)])
    mask = np.clip(whole - opening, 0, 1)
    relief = dome(whole, 150, 96) + _folds(s, neckline)
    light = lit(relief, LIGHT)
    canvas.paint(ramp(light, look.cloth), mask)
    canvas.shade(look.cloth[0][1], mask * stroke(ring, [20, 34, 34, 20], 9), 0.32)
    _paint_collar(canvas, look, ring, n)


def paint_shirt_collar(canvas: Canvas, look: Look) -> None:
    """Two points of a light shirt collar over the sweater's neckline."""
    n = look.neck
    for side in (1, -1):
        flap = [(n - 1, 202), (n + 12, 222), (n + 18, 262), (n - 2, 300), (26, 330), (22, 312), (n * 0.55, 272), (n - 12, 234)]
        points = flap if side > 0 else mirrored(flap)
        mask = area(points, 0.5)
        canvas.shade(rgb("4a4640"), np.roll(soften(mask, 4), 8, 0) * (1.0 - mask), 0.45)
        light = lit(dome(mask, 16, 7), LIGHT)
        canvas.paint(ramp(light, ((0.2, rgb("8d8f95")), (0.6, rgb("cfcfd0")), (0.9, rgb("f3f0ea")))), mask)


def _paint_collar(canvas: Canvas, look: Look, ring: list[tuple[float, float]], neck: float) -> None:
    band = stroke(ring, [16, 22, 24, 22, 16])
    light = lit(dome(band, 11, 11), LIGHT)
    xx, yy = grid()
    ribs = 1.0 + 0.055 * np.sin(np.arctan2(xx, np.maximum(yy - 205, 5)) * 92)
    canvas.paint(ramp(light * ribs + 0.03, look.cloth), band)
    inner = [(x * 0.86, y - 9) for x, y in ring]
    canvas.shade(look.skin[1][1], soften(stroke(inner, [6, 9, 9, 6], 4) * (1 - band), 1), 0.55)


def _folds(shoulder: float, neckline: float) -> Array:
    relief = 7.0 * spot(-96, 450, 90, 70) + 7.0 * spot(96, 450, 90, 70)
    for side in (-1, 1):
        arm = shoulder - 52
        relief -= 15.0 * stroke([(side * (arm + 4), 430), (side * (arm - 8), 510), (side * (arm - 10), 660)], [2, 14, 24], 11)
        relief -= 4.5 * stroke([(side * (arm - 4), 440), (side * (arm - 50), 486), (side * (arm - 100), 498)], [10, 10, 2], 8)
        relief += 4.0 * stroke([(side * (arm + 6), 396), (side * (arm - 46), 430), (side * (arm - 96), 440)], [3, 12, 3], 9)
        relief -= 3.0 * stroke([(side * (shoulder + 18), 440), (side * (shoulder - 6), 480), (side * (shoulder - 18), 540)], [3, 12, 2], 8)
        relief -= 2.5 * stroke([(side * 66, neckline - 6), (side * 104, neckline + 40), (side * 112, neckline + 100)], [3, 10, 3], 9)
    return relief


_ = spline
