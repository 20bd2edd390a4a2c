"""Eyes, brows, nostrils and the closed mouth, painted over lit skin."""

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
    mirrored,
    ramp,
    rgb,
    soften,
    spline,
    spot,
    stroke,
)
from studio.head import LIGHT
from studio.look import Look

UPPER_LID = [(30, 5), (36, -4), (47, -12.5), (60, -15.5), (74, -12), (85, -5), (91, 0)]
LOWER_LID = [(91, 0), (83, 7), (71, 11.5), (58, 12), (45, 10), (35, 8), (30, 5)]
WHITE = ((0.4, rgb("b99b90")), (0.8, rgb("e6dcd6")), (1.0, rgb("f6f1ec")))
IRIS = (60.5, -2.0)
IRIS_RADIUS = 13.2

# fmt: off
UPPER_LIP = [
    (-47, 124.5), (-33, 120), (-19, 115.5), (-8.5, 112.5), (0, 115), (8.5, 112.5), (19, 115.5), (33, 120),
    (47, 124.5),
]
# fmt: on
LIP_LINE = [(-47, 124.5), (-30, 127.5), (-13, 127.5), (0, 129.5), (13, 127.5), (30, 127.5), (47, 124.5)]
LOWER_LIP = [(47, 124.5), (32, 137), (16, 145), (0, 147), (-16, 145), (-32, 137), (-47, 124.5)]


def paint_nostrils(canvas: Canvas, look: Look) -> None:
    """Nostrils, wings and the shadow under the nose."""
    w = look.nose_width
    dark = tuple(0.55 * c for c in look.skin[0][1])
    canvas.shade(rgb("9c6152"), area([(-22 * w, 90), (0, 99), (22 * w, 90), (14, 108), (-10, 107)], 5), 0.40)
    for side in (-1, 1):
        hole = [
            (side * 6 * w, 93),
            (side * 11 * w, 89.5),
            (side * 17 * w, 90),
            (side * 15 * w, 94),
            (side * 10 * w, 95.5),
        ]
        canvas.paint(dark, area(hole, 1.1), 0.82)
        wing = stroke(
            [(side * 18 * w, 73), (side * 25 * w, 81), (side * 24 * w, 91), (side * 18 * w, 94)],
            [0.6, 2.4, 2.8, 0.8],
            1.1,
        )
        canvas.shade(look.skin[1][1], wing, 0.62)
    canvas.shade(look.skin[1][1], stroke([(-7 * w, 95), (0, 98.5), (7 * w, 95)], [1, 2.6, 1], 1.2), 0.5)
    canvas.glow((1.0, 0.96, 0.9), spot(-3.5, 73, 4.6 * w, 5.5), 0.34)
    canvas.glow((1.0, 0.96, 0.9), stroke([(-2, 8), (-2, 56)], [2.5, 4.5], 3), 0.16)


def paint_eyes(canvas: Canvas, look: Look) -> None:
    """Both eyes looking at the viewer, with lids, lashes and catch lights."""
    for side in (1, -1):
        _paint_eye(canvas, look, side)


def _side(points: list[tuple[float, float]], side: int, size: float = 1.0) -> list[tuple[float, float]]:
    grown = [(60 + (x - 60) * size, y * size) for x, y in points]
    return grown if side > 0 else mirrored(grown)


def _paint_eye(canvas: Canvas, look: Look, side: int) -> None:
    def here(*points: tuple[float, float]) -> list[tuple[float, float]]:
        return _side(list(points), side, look.eye)

    upper, lower = here(*UPPER_LID), here(*LOWER_LID)
    opening = filled(np.concatenate([spline(upper, closed=False), spline(lower, closed=False)]))
    cx, cy = here(IRIS)[0]
    socket = stroke(here((28, 4), (44, -17), (62, -22), (80, -17), (95, -3)), [3, 8, 9, 8, 3], 4)
    canvas.shade(look.skin[1][1], socket, 0.32)
    white = ramp(0.98 - 0.35 * np.abs((grid()[0] - cx) / 36) ** 2, WHITE)
    canvas.paint(white, opening)
    corner = here((32, 5.5))[0]
    canvas.paint(rgb("d08d80"), opening * spot(*corner, 4.2, 3.6), 0.85)
    _paint_iris(canvas, look, opening, cx, cy)
    lid_shadow = stroke([(x, y + 4.5) for x, y in upper], [4, 9, 10, 9, 4], 2.2)
    canvas.shade(rgb("5e4540"), opening * lid_shadow, 0.60)
    catch = [(cx - 8, cy - 6), (cx - 5, cy - 9), (cx - 1, cy - 7), (cx - 3, cy - 3), (cx - 7, cy - 2.5)]
    canvas.glow((1.0, 1.0, 1.0), opening * area(catch, 0.5), 0.95)
    canvas.glow((1.0, 1.0, 1.0), opening * spot(cx + 5.5, cy + 5.5, 2.0, 1.6), 0.55)
    canvas.glow((1.0, 0.93, 0.9), stroke([(x, y + 1.2) for x, y in lower[1:-1]], [1, 2, 1], 0.6), 0.30)
    crease = here((33, -5), (45, -19.5), (61, -24), (78, -20), (92, -8))
    canvas.paint(look.skin[0][1], stroke(crease, [0.5, 1.9, 2.1, 2.0, 0.6], 0.8), 0.58)
    canvas.glow((1.0, 0.93, 0.86), stroke(here((44, -28), (62, -32), (80, -29)), [2, 6, 2], 3), 0.22)
    canvas.shade(look.skin[1][1], stroke(here((38, 15), (58, 19), (80, 15)), [1, 3, 1], 1.8), 0.16 + 0.2 * look.age)
    _paint_lashes(canvas, look, side, upper, lower)


def _paint_iris(canvas: Canvas, look: Look, opening: Array, cx: float, cy: float) -> None:
    xx, yy = grid()
    size = IRIS_RADIUS * look.eye
    radius = np.hypot(xx - cx, yy - cy)
    angle = np.arctan2(yy - cy, xx - cx)
    fibres = 0.5 + 0.28 * np.sin(angle * 23 + 2.0 * np.sin(angle * 5)) + 0.22 * np.sin(angle * 41 + 1.0)
    outer, middle, inner = look.iris
    glow = np.clip(1.0 - radius / size, 0, 1) * 0.9 + 0.20 * fibres + 0.018 * (yy - cy)
    disc = np.clip((size - radius) * 1.4 + 0.5, 0, 1)
    canvas.paint_lit(glow, ((0.05, outer), (0.35, middle), (0.75, inner)), opening * disc)
    limbus = np.exp(-0.5 * ((radius - size + 0.8) / 1.5) ** 2)
    canvas.paint(outer, opening * limbus * (disc > 0), 0.75)
    canvas.paint((0.03, 0.02, 0.02), opening * np.clip((0.41 * size - radius) * 1.2 + 0.5, 0, 1))


def _paint_lashes(
    canvas: Canvas, look: Look, side: int, upper: list[tuple[float, float]], lower: list[tuple[float, float]]
) -> None:
    young = look.age < 0.5
    wing = _side([(96.0, -4.5) if young else (93.0, 1.0)], side, look.eye)
    line = stroke([*((x, y - 0.8) for x, y in upper), *wing], [1.2, 2.6, 3.8, 4.2, 4.6, 4.0, 1.0], 0.5)
    canvas.paint(look.lash, line, 0.92)
    canvas.paint(look.lash, stroke([(x, y + 0.6) for x, y in lower[:-1]], [2.2, 1.5, 1.1, 0.8, 0.4], 0.6), 0.45)
    if not young:
        return
    rng = np.random.default_rng(look.seed + side)
    curve = spline(upper, closed=False)
    lashes = []
    for at in np.linspace(0.25, 0.98, 26):
        x, y = curve[int(at * (len(curve) - 1))]
        length = (2.5 + 6.5 * at) * rng.uniform(0.85, 1.1)
        bend = np.linspace(0, 1, 5)
        lean = side * (at - 0.35) * 10.5
        lashes.append(np.stack([x + lean * bend**0.8, y - length * bend**1.5], 1).astype(np.float32))
    clip = stroke([(x, y - 4) for x, y in upper], [16, 18, 20, 22, 24, 24, 26], 0.4)
    canvas.strands(lashes, [np.tile(np.asarray(look.lash), (5, 1))] * len(lashes), 0.5, clip * 0.75)


def paint_brows(canvas: Canvas, look: Look) -> None:
    """Brows: a soft shape and single hairs that follow it."""
    rng = np.random.default_rng(look.seed)
    lift = look.brow_lift
    for side in (1, -1):
        spine = spline(
            _side([(26, -45), (44, -49 - lift * 0.5), (68, -53 - lift), (88, -48 - lift * 0.6), (106, -35)], side),
            closed=False,
        )
        canvas.paint(
            look.brow[0],
            stroke(
                [tuple(p) for p in spine[::8]],
                [6.0 * look.brow_weight, 9 * look.brow_weight, 8 * look.brow_weight, 5, 1.5],
                1.6,
            ),
            0.50,
        )
        _paint_brow_hairs(canvas, look, spine, side, rng)


def _paint_brow_hairs(canvas: Canvas, look: Look, spine: Array, side: int, rng: np.random.Generator) -> None:
    curves, colours = [], []
    for _ in range(int(150 * look.brow_weight)):
        at = rng.uniform(0.0, 0.97)
        x, y = spine[int(at * (len(spine) - 1))]
        y += rng.uniform(-0.5, 0.5) * np.interp(at, [0, 0.35, 0.7, 1.0], [6.5, 9, 6, 1.5]) * look.brow_weight
        length = rng.uniform(8, 12) * (1.0 - 0.3 * at)
        rise = np.interp(at, [0, 0.3, 0.7, 1.0], [-0.6, -0.4, 0.1, 0.5]) + rng.normal(0, 0.08)
        bend = np.linspace(0, 1, 5)
        hair = np.stack([x + side * length * bend * np.cos(rise), y + length * bend * np.sin(rise) + 1.2 * bend**2], 1)
        mix = rng.uniform(0, 1)
        curves.append(hair.astype(np.float32))
        colours.append(np.tile(np.asarray(look.brow[0]) * (1 - mix) + np.asarray(look.brow[1]) * mix, (5, 1)))
    clip = soften(stroke([tuple(p) for p in spine[::8]], [14.0 * look.brow_weight] * 3 + [9, 4], 1.0), 0.8)
    canvas.strands(curves, colours, 0.6, clip * 0.75)


def paint_mouth(canvas: Canvas, look: Look) -> None:
    """Closed lips with a hint of a smile."""

    def smiling(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(x, y - look.smile * (abs(x) / 47.0) ** 2.2) for x, y in points]

    top, line, bottom = (spline(smiling(part), closed=False) for part in (UPPER_LIP, LIP_LINE, LOWER_LIP))
    whole = filled(np.concatenate([top, bottom]))
    upper = filled(np.concatenate([top, line[::-1]]))
    lower = np.clip(whole - upper, 0, 1)
    relief = dome(lower, 10, 10) + dome(upper, 8, 5) + 3.0 * spot(0, 136, 16, 6) + 2.0 * spot(0, 121, 5, 5)
    light = lit(soften(relief, 1.4), LIGHT) - 0.16 * upper
    canvas.paint_lit(light, look.lips, soften(whole, 0.9), 0.88 - 0.1 * look.age)
    at = (-24, -16, -8, -1, 6, 13, 21)
    creases = sum(stroke([(x * 0.9, 131.5), (x, 137), (x * 1.04, 142)], [0.3, 1.0, 0.3], 0.5) for x in at)
    canvas.shade(look.lips[0][1], lower * creases, 0.14)
    canvas.paint(look.lip_line, stroke(smiling(LIP_LINE), [1.0, 2.2, 2.5, 2.3, 2.5, 2.2, 1.0], 0.6), 0.88)
    for side in (-1, 1):
        canvas.shade(look.skin[0][1], spot(side * 48, 124.5 - look.smile, 3.0, 2.4), 0.45)
        canvas.glow(
            (1.0, 0.94, 0.9), stroke([(side * 3, 113), (side * 9, 110.5), (side * 18, 113.5)], [1, 2, 1], 1.2), 0.22
        )
    canvas.glow((1.0, 0.95, 0.92), lower * spot(-7, 137, 9, 3.0), 0.36)
    canvas.shade(look.skin[1][1], stroke([(-20, 151), (0, 153.5), (20, 151)], [2, 6, 2], 3), 0.28)
