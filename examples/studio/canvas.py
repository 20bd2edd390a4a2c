"""A canvas painted at twice its size, and the brushes on it: closed splines, tapered strokes, soft spots, relief light.

Knows nothing about people. Coordinates are pixels of the finished picture relative to `ORIGIN`, x right, y down;
colours are RGB 0..1. Legend: H height, W width (both doubled), N points.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
Points = Sequence[tuple[float, float]]
Colour = tuple[float, float, float]

WIDTH, HEIGHT = 768, 960
ORIGIN = (384.0, 330.0)
"""Where (0, 0) lies: the middle between the eyes."""
OVERSAMPLING = 2
_SHIFT = 4
_LEVELS = 2048
_LIGHT_SHAPE = (HEIGHT * OVERSAMPLING, WIDTH * OVERSAMPLING)


def rgb(code: str) -> Colour:
    """`'c08a6b'` -> colour 0..1."""
    red, green, blue = (int(code[i : i + 2], 16) / 255.0 for i in (0, 2, 4))
    return red, green, blue


def mirrored(points: Points) -> list[tuple[float, float]]:
    """The same points on the other side of the middle."""
    return [(-x, y) for x, y in points]


def symmetric(half: Points) -> list[tuple[float, float]]:
    """Closed outline from its right half, listed from top to bottom."""
    left = [(x, y) for x, y in reversed(mirrored(half)) if abs(x) > 1e-6]
    return [*half, *left]


def spline(points: Points, closed: bool = True, density: int = 16) -> Array:
    """Catmull-Rom curve through the points, `N 2`."""
    knots = np.asarray(points, np.float64)
    ring = np.vstack([knots[-1:], knots, knots[:2]] if closed else [knots[:1], knots, knots[-1:]])
    u = np.linspace(0.0, 1.0, density, endpoint=False)[:, None]
    pieces = []
    for a, b, c, d in zip(ring, ring[1:], ring[2:], ring[3:], strict=False):
        pieces.append(0.5 * (2 * b + (c - a) * u + (2 * a - 5 * b + 4 * c - d) * u**2 + (3 * (b - c) + d - a) * u**3))
    if not closed:
        pieces.append(knots[-1:])
    return np.concatenate(pieces).astype(np.float32)


@cache
def grid() -> tuple[Array, Array]:
    """Coordinates of every canvas pixel, two arrays `H W`."""
    rows, columns = _LIGHT_SHAPE
    x = (np.arange(columns, dtype=np.float32) + 0.5) / OVERSAMPLING - ORIGIN[0]
    y = (np.arange(rows, dtype=np.float32) + 0.5) / OVERSAMPLING - ORIGIN[1]
    xx, yy = np.meshgrid(x, y)
    return xx, yy


def to_pixels(points: Array) -> NDArray[np.int32]:
    """Curve -> fixed-point canvas pixels as OpenCV wants them."""
    pixels = (np.asarray(points) + np.asarray(ORIGIN)) * OVERSAMPLING - 0.5
    return np.round(pixels * (1 << _SHIFT)).astype(np.int32)


def filled(curve: Array, blur: float = 0.0) -> Array:
    """Mask `H W` 0..1 of the area inside a closed curve; `blur` is a Gaussian sigma in pixels."""
    window = window_of(curve.min(0) - 4 * blur - 2, curve.max(0) + 4 * blur + 2)
    mask = np.zeros(_LIGHT_SHAPE, np.float32)
    if mask[window].size:
        part = np.zeros(mask[window].shape, np.uint8)
        corner = np.array([window[1].start, window[0].start]) << _SHIFT
        cv2.fillPoly(part, [(to_pixels(curve) - corner).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
        mask[window] = soften(part.astype(np.float32) / 255.0, blur)
    return mask


def window_of(low: Array, high: Array) -> tuple[slice, slice]:
    """Rows and columns of the canvas that hold a box; a multiple of eight, so that a smaller copy keeps its place."""
    x0, y0 = (np.floor((np.asarray(low) + ORIGIN) * OVERSAMPLING).astype(int) // 8 * 8).clip(0)
    x1, y1 = (-(np.floor(-(np.asarray(high) + ORIGIN) * OVERSAMPLING).astype(int) // 8) * 8).clip(0)
    return slice(y0, min(y1, _LIGHT_SHAPE[0])), slice(x0, min(x1, _LIGHT_SHAPE[1]))


def area(points: Points, blur: float = 0.0) -> Array:
    """Mask of the area inside a smooth closed outline through the points."""
    return filled(spline(points), blur)


def stroke(points: Points, widths: Sequence[float], blur: float = 0.0) -> Array:
    """Mask of a brush stroke along a smooth curve; `widths` in pixels are spread evenly over its length."""
    return filled(ribbon(spline(points, closed=False), widths), blur)


def ribbon(curve: Array, widths: Sequence[float]) -> Array:
    """Outline `N 2` of a band around a curve."""
    tangent = np.gradient(curve.astype(np.float64), axis=0)
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], 1)
    along = np.interp(np.linspace(0, 1, len(curve)), np.linspace(0, 1, len(widths)), widths)[:, None]
    return np.concatenate([curve + normal * along / 2, (curve - normal * along / 2)[::-1]]).astype(np.float32)


def soften(mask: Array, sigma: float) -> Array:
    """Gaussian blur with sigma in pixels of the finished picture; wide ones run on a smaller copy."""
    if sigma <= 0:
        return mask
    if sigma < 3:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma * OVERSAMPLING), np.float32)
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma * OVERSAMPLING / 4, borderType=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(small, mask.shape[::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def spot(x: float, y: float, sigma_x: float, sigma_y: float, turn_deg: float = 0.0) -> Array:
    """Gaussian `H W` with peak 1, cut off where it is invisible."""
    field = np.zeros(_LIGHT_SHAPE, np.float32)
    reach = 4.6 * max(sigma_x, sigma_y)
    window = window_of(np.array([x - reach, y - reach]), np.array([x + reach, y + reach]))
    xx, yy = (axis[window] for axis in grid())
    c, s = np.cos(np.radians(turn_deg)), np.sin(np.radians(turn_deg))
    u, v = (xx - x) * c + (yy - y) * s, (yy - y) * c - (xx - x) * s
    field[window] = np.exp(-0.5 * ((u / sigma_x) ** 2 + (v / sigma_y) ** 2))
    return field


def dome(mask: Array, radius: float, height: float) -> Array:
    """Relief `H W` that rises from the edge of a mask like a cushion and is flat `radius` pixels inside."""
    inside = cv2.distanceTransform((mask > 0.5).astype(np.uint8), cv2.DIST_L2, 5) / OVERSAMPLING
    edge = 1.0 - np.clip(inside / radius, 0.0, 1.0)
    return soften((height * np.sqrt(1.0 - edge**2)).astype(np.float32), radius * 0.12)


def lit(relief: Array, light: tuple[float, float, float]) -> Array:
    """Cosine between the relief's normals and the light, `H W`, -1..1."""
    dy, dx = np.gradient(relief * OVERSAMPLING)
    x, y, z = np.asarray(light) / np.linalg.norm(light)
    return np.asarray((z - dx * x - dy * y) / np.sqrt(1.0 + dx**2 + dy**2), np.float32)


def ramp(values: Array, stops: Sequence[tuple[float, Colour]]) -> Array:
    """Colours `... 3` from brightness values 0..1 through colour stops."""
    at = [position for position, _ in stops]
    table = np.stack([np.interp(np.linspace(0.0, 1.0, _LEVELS), at, [c[i] for _, c in stops]) for i in range(3)], -1)
    level = np.clip(np.asarray(values) * (_LEVELS - 1) + 0.5, 0, _LEVELS - 1).astype(np.int32)
    return table.astype(np.float32)[level]


def sampled(field: Array, curve: Array) -> Array:
    """Values `N` of a canvas-sized field at points `N 2`."""
    pixels = to_pixels(curve) >> _SHIFT
    rows = np.clip(pixels[:, 1], 0, field.shape[0] - 1)
    return field[rows, np.clip(pixels[:, 0], 0, field.shape[1] - 1)]


class Canvas:
    """Float RGB picture `H W 3` at double size; later paint covers earlier paint."""

    def __init__(self) -> None:
        self.pixels: Array = np.zeros((*_LIGHT_SHAPE, 3), np.float32)

    def paint(self, colour: Array | Colour, mask: Array, opacity: float = 1.0) -> None:
        """Covers with a colour, or a picture of colours, where the mask is set."""
        rows, columns = _window(mask)
        layer = np.asarray(colour, np.float32)
        layer = layer[rows, columns] if layer.ndim == 3 else layer
        under = self.pixels[rows, columns]
        under += (layer - under) * (mask[rows, columns, None] * np.float32(opacity))

    def paint_lit(
        self, brightness: Array, stops: Sequence[tuple[float, Colour]], mask: Array, opacity: float = 1.0
    ) -> None:
        """Covers with colours by brightness, `H W`, where the mask is set."""
        window = _window(mask)
        under = self.pixels[window]
        under += (ramp(brightness[window], stops) - under) * (mask[window][..., None] * np.float32(opacity))

    def shade(self, colour: Colour, mask: Array, opacity: float = 1.0) -> None:
        """Darkens: multiplies by a colour where the mask is set."""
        rows, columns = _window(mask)
        factor = 1.0 - (1.0 - np.asarray(colour, np.float32)) * (mask[rows, columns, None] * np.float32(opacity))
        self.pixels[rows, columns] *= factor

    def glow(self, colour: Colour, mask: Array, opacity: float = 1.0) -> None:
        """Lightens: the photographic screen of a colour where the mask is set."""
        rows, columns = _window(mask)
        light = np.asarray(colour, np.float32) * (mask[rows, columns, None] * np.float32(opacity))
        under = self.pixels[rows, columns]
        under += light * (1.0 - under)

    def strands(self, curves: Sequence[Array], colours: Sequence[Array], width: float, clip: Array) -> None:
        """Draws thin lines inside `clip`; every curve `N 2` has its own colours `N 3` along the way."""
        layer = np.clip(self.pixels * 255.0 + 0.5, 0, 255).astype(np.uint8)
        pixels_wide = max(1, round(width * OVERSAMPLING))
        for curve, shades in zip(curves, colours, strict=True):
            fixed, levels = to_pixels(curve), np.clip(shades * 255.0, 0, 255)
            for a, b, level in zip(fixed[:-1], fixed[1:], levels[: len(fixed)], strict=False):
                cv2.line(layer, a.tolist(), b.tolist(), level.tolist(), pixels_wide, cv2.LINE_AA, _SHIFT)
        self.paint(layer.astype(np.float32) / 255.0, clip)

    def finish(self) -> NDArray[np.uint8]:
        """The picture at its final size, `HEIGHT WIDTH 3` uint8."""
        small = cv2.resize(np.clip(self.pixels, 0.0, 1.0), (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
        return np.round(small * 255.0).astype(np.uint8)


def _window(mask: Array) -> tuple[slice, slice]:
    touched = mask > 0.002
    rows, columns = np.flatnonzero(touched.any(1)), np.flatnonzero(touched.any(0))
    if rows.size == 0:
        return slice(0, 0), slice(0, 0)
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
