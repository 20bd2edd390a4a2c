"""Hair as families of strands between two guide curves, coloured by the light on the lock they belong to."""

from __future__ import annotations

import numpy as np

from studio.canvas import (
    Array,
    Canvas,
    area,
    dome,
    filled,
    lit,
    ramp,
    sampled,
    soften,
    spline,
    symmetric,
)
from studio.head import LIGHT
from studio.look import Look

_STEPS = 28

# fmt: off
BOB_OUTER = [
    (-28, -214), (16, -222), (76, -208), (128, -166), (156, -100), (163, -24), (161, 40), (170, 104),
    (171, 164), (150, 212), (112, 232),
]
BOB_INNER = [
    (-26, -141), (18, -142), (66, -126), (101, -88), (118, -38), (122, 20), (127, 72), (119, 120),
    (121, 168), (108, 206), (84, 222),
]
BOB_OUTER_LEFT = [
    (-28, -214), (-66, -210), (-118, -178), (-150, -112), (-162, -34), (-160, 36), (-168, 100),
    (-169, 160), (-149, 210), (-112, 231),
]
BOB_INNER_LEFT = [
    (-26, -141), (-58, -134), (-94, -101), (-114, -50), (-121, 14), (-126, 70), (-118, 118), (-120, 166),
    (-107, 204), (-84, 221),
]
# fmt: on
BOB_BACK = [(0, -190), (120, -150), (156, -60), (160, 60), (164, 150), (150, 214), (118, 232), (60, 222), (0, 216)]

_SILHOUETTE = [*BOB_OUTER, *BOB_OUTER_LEFT[::-1]]


def paint_bob_back(canvas: Canvas, look: Look) -> None:
    """The far side of chin-length hair, behind neck and shoulders."""
    mask = area(symmetric(BOB_BACK), 1)
    canvas.paint(look.hair[0][1], mask)
    rng = np.random.default_rng(look.seed + 1)
    left, right = (
        spline([(-150, 0), (-156, 120), (-120, 228)], False),
        spline([(150, 0), (156, 120), (120, 228)], False),
    )
    _lock(canvas, look, mask, (left, right), rng, 160, -0.34)


def paint_bob(canvas: Canvas, look: Look, face: Array) -> None:
    """Side-parted chin-length hair that frames the face."""
    rng = np.random.default_rng(look.seed)
    for outer, inner in ((BOB_OUTER_LEFT, BOB_INNER_LEFT), (BOB_OUTER, BOB_INNER)):
        guides = spline(outer, False), spline(inner, False)
        mask = filled(np.concatenate([guides[0], guides[1][::-1]]), 0.7)
        shadow = np.roll(soften(mask, 7), (12, 8), (0, 1))
        canvas.shade(look.skin[1][1], shadow * face, 0.62)
        _lock(canvas, look, mask, guides, rng, 420, 0.0)
        _fly_away(canvas, look, guides[0], rng)
    parting = area([(-30, -207), (-26, -207), (-22, -170), (-23, -138), (-29, -138), (-29, -170)], 1.6)
    canvas.shade(look.hair[0][1], parting, 0.35)


def _lock(
    canvas: Canvas,
    look: Look,
    mask: Array,
    guides: tuple[Array, Array],
    rng: np.random.Generator,
    count: int,
    shade: float,
) -> None:
    light = lit(soften(dome(area(_SILHOUETTE), 150, 120), 10), LIGHT)
    canvas.paint_lit(light * 0.55 + shade, look.hair, mask)
    clumps = rng.normal(0.0, 0.08, 24)
    curves, tones = [], []
    u = np.linspace(0.0, 1.0, _STEPS)
    a, b = (_resampled(guide) for guide in guides)
    for at in rng.permutation(np.linspace(0.0, 1.0, count)):
        drift = at + 0.06 * np.sin(u * rng.uniform(2, 5) + rng.uniform(0, 6)) * rng.uniform(0, 1) * u
        weight = np.clip(drift, -0.01, 1.01)[:, None]
        last = rng.integers(_STEPS - 3, _STEPS + 1)
        curve = a * (1 - weight) + b * weight
        volume = 0.16 * np.sin(np.pi * np.clip(at * 0.92 + 0.06, 0, 1)) - 0.10
        ring = (
            0.20 * np.exp(-0.5 * ((u - 0.24 - 0.05 * at) / 0.085) ** 2)
            + 0.10 * np.exp(-0.5 * ((u - 0.72) / 0.12) ** 2)
            - 0.12 * u**6
        )
        tone = (
            sampled(light, curve) * 0.66
            + volume
            + ring
            + np.interp(at * 23, np.arange(24), clumps)
            + rng.normal(0, 0.085)
        )
        curves.append(curve[:last].astype(np.float32))
        tones.append(tone + shade - 0.10)
    canvas.strands(curves, list(ramp(np.array(tones), look.hair)), 1.0, mask)


def _resampled(guide: Array) -> Array:
    length = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(guide, axis=0), axis=1))])
    at = np.linspace(0.0, length[-1], _STEPS)
    return np.stack([np.interp(at, length, guide[:, i]) for i in range(2)], 1).astype(np.float32)


def _fly_away(canvas: Canvas, look: Look, outer: Array, rng: np.random.Generator) -> None:
    curves, colours = [], []
    for _ in range(12):
        start = rng.integers(len(outer) // 6, len(outer) - 40)
        piece = outer[start : start + 36] + rng.normal(0, 0.8, 2)
        away = np.linspace(0, rng.uniform(1, 4.5), len(piece))[:, None] ** 1.2
        direction = piece / np.linalg.norm(piece, axis=1, keepdims=True)
        curves.append((piece + direction * away)[::3].astype(np.float32))
        colours.append(ramp(np.full(12, rng.uniform(0.2, 0.6), np.float32), look.hair))
    everywhere = np.full(canvas.pixels.shape[:2], 0.28, np.float32)
    canvas.strands(curves, colours, 0.5, everywhere)
