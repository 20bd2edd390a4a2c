"""Short hair and beards: thousands of single hairs along a direction field, coloured by the light on the mass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from studio.canvas import (
    Array,
    Canvas,
    Points,
    area,
    dome,
    lit,
    mirrored,
    ramp,
    sampled,
    soften,
    symmetric,
)
from studio.head import LIGHT
from studio.look import Look

Flow = Callable[[Array, Array], Array]
"""Where a hair rooted at x, y points: `N 2`."""

# fmt: off
CROP = [
    (0, -206), (62, -199), (112, -168), (139, -112), (145, -58), (142, -24), (134, -2), (129, 24),
    (123, 22), (121, -14), (117, -52), (106, -86), (84, -104), (70, -128), (40, -138), (0, -133),
]
BEARD = [
    (131, -2), (130, 50), (125, 96), (114, 138), (92, 176), (62, 199), (30, 210), (0, 212), (0, 159),
    (20, 158), (40, 151), (54, 138), (57, 122), (66, 116), (88, 108), (108, 76), (119, 30), (122, -2),
]
MOUSTACHE = [
    (0, 104), (16, 103), (34, 109), (50, 121), (57, 138), (52, 140), (43, 127), (28, 116.5), (14, 110),
    (0, 110),
]
# fmt: on


def paint_crop(canvas: Canvas, look: Look, face: Array) -> None:
    """Short hair with a receding hairline."""
    rng = np.random.default_rng(look.seed)
    mask = area(symmetric(CROP), 2.2)
    canvas.shade(look.skin[1][1], np.roll(soften(mask, 5), 6, 0) * face, 0.45)
    _stubble(canvas, look, mask, rng, 26000, _up_and_out, 1.0)


def paint_beard(canvas: Canvas, look: Look) -> None:
    """A trimmed beard and moustache that leave the lips free."""
    rng = np.random.default_rng(look.seed + 2)
    beard = _sides(BEARD, 3.2)
    lips = area(symmetric([(0, 112), (24, 116), (48, 127), (27, 141), (0, 151)]), 2.0)
    mask = np.clip(np.maximum(beard, _sides(MOUSTACHE, 2.2)) * (1.0 - lips), 0, 1) * 0.9
    _stubble(canvas, look, mask, rng, 26000, _down_and_in, 0.8)


def _sides(half: Points, blur: float) -> Array:
    return np.maximum(area(half, blur), area(mirrored(half), blur))


def _up_and_out(x: Array, y: Array) -> Array:
    return np.stack([x * 0.9 + 8, y + 40], 1)


def _down_and_in(x: Array, y: Array) -> Array:
    return np.stack([x * 0.30, 60.0 + 0 * y], 1)


def _stubble(
    canvas: Canvas, look: Look, mask: Array, rng: np.random.Generator, count: int, flow: Flow, size: float
) -> None:
    light = lit(dome(mask, 60, 46), LIGHT)
    canvas.paint_lit(light * 0.72 - 0.05, look.hair, mask, 0.86)
    roots = np.stack([rng.uniform(-160, 160, count), rng.uniform(-220, 225, count)], 1)
    turns, lengths, shades = rng.normal(0, 0.32, count), rng.uniform(5, 10, count) * size, rng.normal(0, 0.17, count)
    # Drawn before the choice: a root that is chosen elsewhere by a rounding error then changes no other hair.
    chosen = sampled(mask, roots) > 0.3
    roots, turns, lengths, shades = roots[chosen], turns[chosen], lengths[chosen], shades[chosen]
    directions = flow(roots[:, 0], roots[:, 1])
    directions = directions / np.linalg.norm(directions, axis=1, keepdims=True)
    c, s = np.cos(turns)[:, None], np.sin(turns)[:, None]
    directions = directions * c + np.stack([-directions[:, 1], directions[:, 0]], 1) * s
    steps = (lengths[:, None] * np.linspace(0, 1, 3))[..., None]
    curves = list((roots[:, None] + directions[:, None] * steps).astype(np.float32))
    tones = sampled(light, roots) * 0.8 + shades - 0.02
    colours = list(ramp(np.repeat(tones[:, None], 3, 1), look.hair))
    canvas.strands(curves, colours, 0.7, np.clip(soften(mask, 1.5) * 1.2, 0, 1))
