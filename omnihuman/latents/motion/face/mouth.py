"""What lies behind the lips, built once per picture: upper and lower teeth as sprites, colours of tongue and cavity.

Teeth of the picture itself are kept where it shows them; the rest is drawn from the proportions of a dental arch, in
the picture's light and at its sharpness. Drawing into a frame is `mouth_draw.py`.
Legend: h, w of a patch round the mouth; a, b = position right and down of the middle of the lips, in IOD.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.face.light import Light, measure_light, softness_px
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float, Image

_HALF_WIDTH_IOD, _ABOVE_IOD, _BELOW_IOD = 0.46, 0.34, 0.46
_UPPER_WIDTHS = (0.094, 0.072, 0.066, 0.044, 0.030)
"""Visible widths from the middle outwards: incisors, canine, premolars; an IOD is about 90 mm."""
_LOWER_WIDTHS = (0.060, 0.062, 0.062, 0.046, 0.030)
_UPPER_SHOWN_IOD, _LOWER_SHOWN_IOD = 0.036, 0.008
_UPPER_CURVE, _LOWER_CURVE = 0.45, 0.35
_UPPER_LENGTH_IOD, _LOWER_LENGTH_IOD = 0.105, 0.085
_OWN_TEETH_GAP_IOD = 0.02
_ARCH_HALF_IOD = 0.27
_ROW_GAP_STEPS = 12
"""How far below the upper teeth, in steps of the profile, the lower ones are looked for."""


@dataclass(frozen=True)
class MouthInterior:
    """Sprites in the coordinates of the picture at rest.

    Attributes:
        origin: `2` x, y of the patch's first pixel in the picture.
        upper: `h w 4` upper teeth and gum, premultiplied RGB 0..255 and alpha; moves with the skull.
        lower: `h w 4` lower teeth, moves with the jaw.
        cavity: `3` RGB of the dark behind.
        tongue: `3` RGB of the tongue in full light.
        seam: `3` RGB between closed lips.
        centre: `2` middle of the lips at rest, pixels.
        axes: `2 2` columns = right and down of the face in the picture, pixels per IOD.
        upper_edge: b of the biting edge of the upper teeth.
        lower_lip: b of the inner edge of the lower lip at rest.
        iod_px: Size of the face.
        rest_gap_px: Widest gap between the pictured lips.
    """

    origin: Float
    upper: Float
    lower: Float
    cavity: Float
    tongue: Float
    seam: Float
    centre: Float
    axes: Float
    upper_edge: float
    lower_lip: float
    iod_px: float
    rest_gap_px: float


@dataclass(frozen=True)
class OwnTeeth:
    """Teeth cut from the picture: `upper` and `lower` premultiplied `h w 4`, b of the upper biting edge, `3` colour."""

    upper: Float
    lower: Float
    upper_edge: float
    colour: Float


def build_interior(image: Image, points: Float, frame: HeadFrame) -> MouthInterior:
    """Builds the interior of one picture.

    Args:
        image: `H W 3`.
        points: `V 3` vertices at rest, landmarks first.
        frame: Frame of the pictured head.
    """
    centre = points[[13, 14], :2].mean(0)
    gaps = (points[list(topo.LOWER_INNER)] - points[list(topo.UPPER_INNER)]) @ frame.axes[:, 1]
    axes = frame.axes[:2, :2] * frame.iod_px
    light = measure_light(image, points, frame)
    origin, a, b = _patch(centre, axes, frame.iod_px)
    inverse = np.linalg.inv(axes)
    upper_lip = float(((points[13, :2] - centre) @ inverse.T)[1])
    lower_lip = float(((points[14, :2] - centre) @ inverse.T)[1])
    own = _own_teeth(image, points, origin, a, b, frame)
    upper_edge = upper_lip + _UPPER_SHOWN_IOD if own is None else own.upper_edge
    if own is not None:
        light = replace(light, teeth=own.colour)
    upper = _upper_sprite(a, b, upper_edge, light)
    lower = _lower_sprite(a, b, lower_lip - _LOWER_SHOWN_IOD, light)
    blur = max(0.45, 0.55 * softness_px(image, points, frame))
    upper, lower = (cv2.GaussianBlur(sprite, (0, 0), blur) for sprite in (upper, lower))
    if own is not None:
        upper = own.upper + (1 - own.upper[..., 3:]) * upper
        lower = own.lower + (1 - own.lower[..., 3:]) * lower
    return MouthInterior(
        origin=origin,
        upper=np.ascontiguousarray(upper, np.float32),
        lower=np.ascontiguousarray(lower, np.float32),
        cavity=(np.array([58.0, 22.0, 21.0]) * light.tint * light.level).astype(np.float32),
        tongue=light.tongue,
        seam=0.45 * light.lips,
        centre=centre.astype(np.float32),
        axes=axes.astype(np.float32),
        upper_edge=upper_edge,
        lower_lip=lower_lip,
        iod_px=frame.iod_px,
        rest_gap_px=float(gaps.max()),
    )


def _patch(centre: Float, axes: Float, iod_px: float) -> tuple[Float, Float, Float]:
    """First pixel of the patch and the face coordinates a, b of its pixels."""
    half, above, below = (np.ceil(v * iod_px) for v in (_HALF_WIDTH_IOD, _ABOVE_IOD, _BELOW_IOD))
    origin = np.floor(centre) - [half, above]
    y, x = np.mgrid[0 : int(above + below), 0 : int(2 * half)].astype(np.float32)
    inverse = np.linalg.inv(axes)
    dx, dy = x + origin[0] - centre[0], y + origin[1] - centre[1]
    a = inverse[0, 0] * dx + inverse[0, 1] * dy
    b = inverse[1, 0] * dx + inverse[1, 1] * dy
    return origin.astype(np.float32), a.astype(np.float32), b.astype(np.float32)


def _row(a: Float, b: Float, widths: tuple[float, ...], edge: Float, side: float) -> tuple[Float, Float]:
    """One row of teeth: coverage `h w` and shade `h w`; `side` +1 = biting edge below the row."""
    cover, shade = np.zeros_like(a), np.ones_like(a)
    start = 0.0
    for number, tooth_width in enumerate(widths):
        middle, half = start + tooth_width / 2, tooth_width / 2
        start += tooth_width
        t = (np.abs(a) - middle) / half
        inside = np.abs(t) <= 1.0
        # Rounded corners; laterals are a little shorter than their neighbours.
        rounded = 0.16 * tooth_width * np.abs(t) ** 4 + (0.006 if number == 1 and side > 0 else 0.0)
        depth = side * (edge - b) - rounded
        cover = np.where(inside, smoothstep(depth / 0.006 + 0.5), cover)
        seam = 1.0 - 0.28 * smoothstep((np.abs(t) - 0.80) / 0.2)
        belly = 1.0 - 0.06 * t**2
        shade = np.where(inside, seam * belly, shade)
    return cover.astype(np.float32), shade.astype(np.float32)


def _upper_sprite(a: Float, b: Float, edge_b: float, light: Light) -> Float:
    edge = edge_b - _UPPER_CURVE * a**2
    cover, shade = _row(a, b, _UPPER_WIDTHS, edge, 1.0)
    round_arch = 1.0 - 0.52 * smoothstep((np.abs(a) - 0.05) / (_ARCH_HALF_IOD - 0.05))
    height = edge - b
    tip = 1.0 - 0.10 * smoothstep(1 - height / 0.02)
    teeth = light.teeth * (shade * round_arch * tip)[..., None]
    gum_line = _UPPER_LENGTH_IOD - 0.012 * np.cos(a * 2 * np.pi / _UPPER_WIDTHS[0])
    gum = smoothstep((height - gum_line) / 0.012)[..., None]
    colour = (1 - gum) * teeth + gum * light.gum * round_arch[..., None]
    alpha = cover * (1 - smoothstep((np.abs(a) - 0.24) / 0.05))
    return _premultiplied(colour, alpha)


def _lower_sprite(a: Float, b: Float, edge_b: float, light: Light) -> Float:
    edge = edge_b + _LOWER_CURVE * a**2
    cover, shade = _row(a, b, _LOWER_WIDTHS, edge, -1.0)
    round_arch = 1.0 - 0.52 * smoothstep((np.abs(a) - 0.03) / (_ARCH_HALF_IOD - 0.05))
    root = 1.0 - 0.35 * smoothstep((b - edge) / 0.06)
    teeth = 0.93 * light.teeth * (shade * round_arch * root)[..., None]
    gum = smoothstep((b - edge - _LOWER_LENGTH_IOD) / 0.015)[..., None]
    colour = (1 - gum) * teeth + gum * 0.7 * light.gum * round_arch[..., None]
    alpha = cover * (1 - smoothstep((np.abs(a) - 0.21) / 0.05))
    return _premultiplied(colour, alpha)


def _premultiplied(colour: Float, alpha: Float) -> Float:
    return np.concatenate([colour * alpha[..., None], alpha[..., None]], 2).astype(np.float32)


def _own_teeth(image: Image, points: Float, origin: Float, a: Float, b: Float, frame: HeadFrame) -> OwnTeeth | None:
    """The teeth that the picture shows between its lips; None without any."""
    gap = (points[list(topo.LOWER_INNER)] - points[list(topo.UPPER_INNER)]) @ frame.axes[:, 1] / frame.iod_px
    if gap.max() < _OWN_TEETH_GAP_IOD:
        return None
    ring = points[[*topo.UPPER_LIP_ROWS[3], *topo.LOWER_LIP_ROWS[3][-2:0:-1]], :2]
    patch = _cut(image, origin, a.shape)
    opening = np.zeros(a.shape, np.uint8)
    cv2.fillPoly(opening, [np.round((ring - origin) * 16).astype(np.int32)], 1, shift=4)
    teeth = opening * _enamel_likeness(patch, image, points)
    if teeth.sum() < 0.12 * max(float(opening.sum()), 1.0):
        return None
    rows = _split_rows(teeth * patch[..., 1], a, b)
    if rows is None:
        return None
    edge, split = rows
    soft = cv2.GaussianBlur(teeth.astype(np.float32), (0, 0), max(0.6, 0.005 * frame.iod_px))
    # The lips' own shadow lies on the outermost pixels; it belongs to the closed mouth.
    size = 2 * max(1, round(0.006 * frame.iod_px)) + 1
    inner = cv2.blur(cv2.erode(opening, np.ones((size, size), np.uint8)).astype(np.float32), (size, size))
    alpha = np.clip(np.minimum(soft * 1.2, inner), 0, 1)
    above = 1 - smoothstep((b - split) / 0.006 + 0.5)
    colour = np.percentile(patch[teeth > 0.6], 65, axis=0) if (teeth > 0.6).any() else patch[teeth > 0].mean(0)
    return OwnTeeth(
        _premultiplied(patch, alpha * above),
        _premultiplied(patch, alpha * (1 - above)),
        edge,
        np.asarray(1.08 * colour, np.float32),
    )


def _enamel_likeness(patch: Float, image: Image, points: Float) -> Float:
    """0..1 per pixel: teeth are about as bright as the lips and much greyer."""
    value = patch.max(2)
    saturation = (value - patch.min(2)) / np.maximum(value, 1.0)
    lips = _median_at(image, points[[12, 15, 72, 302, 86, 316], :2])
    brightest = max(float(lips.max()), 1.0)
    lip_saturation = float(lips.max() - lips.min()) / brightest
    bright = smoothstep((value / brightest - 0.58) / 0.22)
    grey = smoothstep((0.98 * lip_saturation - saturation) / (0.35 * lip_saturation + 1e-3))
    return np.asarray(bright * grey, np.float32)


def _split_rows(strength: Float, a: Float, b: Float) -> tuple[float, float] | None:
    """Biting edge of the upper row and where the lower row begins, as b; None when no row stands out."""
    middle = np.abs(a) < 0.08
    level = np.arange(float(b.min()), float(b.max()), 0.004)
    number = np.clip(((b[middle] - level[0]) / 0.004).astype(int), 0, len(level) - 1)
    count = np.maximum(np.bincount(number, minlength=len(level)), 1)
    profile = np.bincount(number, weights=strength[middle], minlength=len(level)) / count
    profile = np.convolve(profile, [0.25, 0.5, 0.25], "same")
    if profile.max() < 20.0:
        return None
    peak = float(profile.max())
    first = int(np.argmax(profile > 0.4 * peak))
    end = first
    while end + 1 < len(level) and profile[end + 1] > 0.45 * profile[first : end + 1].max():
        end += 1
    lowest = end + int(np.argmin(profile[end : end + _ROW_GAP_STEPS]))
    returns = profile[lowest : lowest + 2 * _ROW_GAP_STEPS].max() > profile[lowest] + 0.25 * peak
    split = level[lowest] if returns else level[-1]
    return float(level[end]), float(split)


def _cut(image: Image, origin: Float, shape: tuple[int, ...]) -> Float:
    """The picture under a patch as float32; beyond the frame the border repeats."""
    rows = np.clip(np.arange(shape[0]) + int(origin[1]), 0, image.shape[0] - 1)
    columns = np.clip(np.arange(shape[1]) + int(origin[0]), 0, image.shape[1] - 1)
    return image[np.ix_(rows, columns)].astype(np.float32)


def _median_at(image: Image, positions: Float) -> NDArray[np.float64]:
    columns, rows = np.clip(np.round(positions).astype(int), 0, [image.shape[1] - 1, image.shape[0] - 1]).T
    return np.asarray(np.median(image[rows, columns], 0), np.float64)
