"""Takes an eye of the picture apart: the white as if there were no iris, and the iris as a disc of its own.

So an eye that looks elsewhere is the same white with the same iris in another place: nothing is dragged or torn.
Built once per picture. Legend: h, w of the patch round the eye.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float, Image

_PAD_IOD = 0.14
_HALO_RADII = 1.22
"""The white near an iris is in its shadow; it is filled in as well."""
_RIM_SEARCH_RADII = (0.80, 2.2)
_RIM_ANGLE = 0.6
"""Rays within this slope of the eye's axis cross the iris' rim where no lid covers it."""
_CLEAR_RIM = 0.10
_FILL_IOD = (0.03, 0.10)


@dataclass(frozen=True)
class Eyeball:
    """What lies between and behind the lids.

    Attributes:
        origin: `2` x, y of the patch's first pixel in the picture.
        white: `h w 4` the eye without its iris, 0..255, and 0..1 where it may be painted: not over the lids' edges.
        iris: `h w 4` the whole iris, premultiplied RGB 0..255 and alpha, at its place in the picture.
        radius: Of the iris, pixels.
    """

    origin: Float
    white: Float
    iris: Float
    radius: float


def build_eyeball(image: Image, ring: Float, centre: Float, radius: float, iod_px: float) -> Eyeball:
    """Takes one eye apart.

    Args:
        image: `H W 3`.
        ring: `N 2` lid edge, closed.
        centre: `2` middle of the iris.
        radius: Of the iris as a detector of human eyes thinks; drawn irises may be larger.
        iod_px: Size of the face.
    """
    low = np.maximum(np.floor(ring.min(0) - _PAD_IOD * iod_px), 0).astype(int)
    high = np.minimum(np.ceil(ring.max(0) + _PAD_IOD * iod_px) + 1, image.shape[1::-1]).astype(int)
    patch = image[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    if min(patch.shape[:2]) < 3:
        empty = np.zeros((2, 2, 4), np.float32)
        return Eyeball(low.astype(np.float32), empty, empty, radius)
    known = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(known, [np.round((ring - low) * 16).astype(np.int32)], 1, shift=4)
    radius = iris_radius(patch, known, centre - low, radius)
    inner = cv2.erode(known, np.ones((3, 3), np.uint8))
    y, x = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]].astype(np.float32)
    away = np.hypot(x - (centre[0] - low[0]), y - (centre[1] - low[1])) / radius
    white = _white(patch, inner, away, iod_px)
    return Eyeball(low.astype(np.float32), white, _iris(patch, inner, away, centre - low, radius), radius)


def iris_radius(patch: Float, known: NDArray[np.uint8], centre: Float, radius: float) -> float:
    """Radius at which the dark iris turns into the white, along rays near the eye's axis; `radius` without a clear rim.

    Args:
        patch: `h w 3` picture.
        known: `h w` 1 between the lids.
        centre: `2` of the iris in the patch.
        radius: First guess.
    """
    low, high = (share * radius for share in _RIM_SEARCH_RADII)
    steps = np.linspace(0.5 * low, high + 0.3 * radius, 64)
    slopes = np.linspace(-_RIM_ANGLE, _RIM_ANGLE, 9)
    angles = np.concatenate([slopes, np.pi + slopes])
    places = centre + steps[None, :, None] * np.stack([np.cos(angles), np.sin(angles)], 1)[:, None]
    places = places.astype(np.float32)
    seen = cv2.remap(patch, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).mean(2)
    inside = cv2.remap(known, places[..., 0], places[..., 1], cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0
    width = max(1, round(0.10 * radius / (steps[1] - steps[0])))
    rise = np.zeros_like(seen)
    rise[:, width:-width] = seen[:, 2 * width :] - seen[:, : -2 * width]
    rays = np.cumprod(inside, 1).astype(bool)
    count = rays.sum(0)
    mean = np.where(count >= 3, (rise * rays).sum(0) / np.maximum(count, 1), 0.0)
    mean[(steps < low) | (steps > high)] = 0.0
    best = int(mean.argmax())
    contrast = mean[best] / max(float(seen[rays].max()) if rays.any() else 0.0, 32.0)
    return float(steps[best]) if contrast > _CLEAR_RIM else radius


def _white(patch: Float, inner: NDArray[np.uint8], away: Float, iod_px: float) -> Float:
    """The eye with its iris filled by the white beside it, near colours before far ones."""
    seen: Float = np.asarray(inner * smoothstep((away - _HALO_RADII) / 0.08), np.float32)
    if seen.sum() < 6:
        seen = np.asarray(inner * (away > 1.0), np.float32)
    luma = patch.mean(2)
    bright = luma[seen > 0.5]
    if len(bright):
        # Corners and lashes are no white.
        seen = np.asarray(seen * (luma > np.percentile(bright, 25) * 0.9), np.float32)
    general = patch[seen > 0.5].mean(0) if (seen > 0.5).any() else np.full(3, 200.0)
    total: Float = 1e-3 * general * np.ones_like(patch)
    weight: Float = np.full(patch.shape[:2], 1e-3, np.float32)
    for share, reach_iod in zip((1.0, 0.05), _FILL_IOD, strict=True):
        sigma = max(0.8, reach_iod * iod_px)
        total = total + share * cv2.GaussianBlur(patch * seen[..., None], (0, 0), sigma)
        weight = weight + share * cv2.GaussianBlur(seen, (0, 0), sigma)
    fill = total / weight[..., None]
    covered = 1 - inner.astype(np.float32) * smoothstep((away - _HALO_RADII + 0.06) / 0.10)
    covered = np.clip(cv2.GaussianBlur(covered, (0, 0), max(0.5, 0.006 * iod_px)), 0, 1)[..., None]
    edge = cv2.GaussianBlur(inner.astype(np.float32), (0, 0), max(0.8, 0.007 * iod_px))
    paintable = np.clip(2 * edge - 0.6, 0, 1)[..., None]
    return np.ascontiguousarray(np.concatenate([covered * fill + (1 - covered) * patch, paintable], 2), np.float32)


def _iris(patch: Float, inner: NDArray[np.uint8], away: Float, centre: Float, radius: float) -> Float:
    """The disc of the iris: what lids hide comes from its own mirror image, or from the mean colour at that radius."""
    height, width = inner.shape
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    turned = [(x, 2 * centre[1] - y), (2 * centre[0] - x, y), (2 * centre[0] - x, 2 * centre[1] - y)]
    rings = np.clip((away * 12).astype(int), 0, 15)
    seen = inner > 0
    count = np.bincount(rings[seen], minlength=16)
    sums = np.stack([np.bincount(rings[seen], weights=patch[seen][:, c], minlength=16) for c in range(3)], 1)
    profile = sums / np.maximum(count, 1)[:, None]
    for ring in range(1, 16):
        if not count[ring]:
            profile[ring] = profile[ring - 1]
    colour = np.where(seen[..., None], patch, profile[rings])
    done = seen.copy()
    for map_x, map_y in turned:
        maps = map_x.astype(np.float32), map_y.astype(np.float32)
        there = cv2.remap(inner, *maps, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0
        use = there & ~done
        mirrored = cv2.remap(patch, *maps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        colour = np.where(use[..., None], mirrored, colour)
        done |= use
    soft = max(0.10, 0.9 / radius)
    alpha = 1 - smoothstep((away - 1.0) / soft)
    return np.ascontiguousarray(np.concatenate([colour * alpha[..., None], alpha[..., None]], 2), np.float32)
