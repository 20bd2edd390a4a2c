"""Moves lid rings out to the eye that is really drawn: cartoon eyes are larger than a detector of human faces thinks.

Rays run outwards from each ring; as long as they meet the white of the eye again before they meet a stretch of skin,
the eye goes on. On photographs this changes nothing. Colours only, no learning.
Legend: N lid points, M samples along a ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion import topology as topo
from omnihuman.latents.motion.depth import HeadFrame
from omnihuman.latents.motion.light import measure_eye_white
from omnihuman.types import Float, Image

_REACH_IOD, _STEP_IOD, _SKIN_RUN_IOD, _MARGIN_IOD = 0.26, 0.006, 0.035, 0.014
_FOLLOW_IOD = 0.10
_AROUND_IOD, _LEAST_WHITE_SHARE = 0.24, 0.12
"""Where white is looked for beyond the ring, and how much of it makes an eye larger than the ring."""
_CLEAR_WHITE, _SMALL_REACH_IOD = 28.0, 0.07
"""Lab distance from skin that only drawn whites have; there the ring may still be a little too small."""
_COLOURFUL_SKIN = 22.0
"""Lab chroma below which skin in the light and the white of an eye cannot be told apart."""
_SKIN_POINTS = (50, 280, 101, 330, 205, 425, 9, 151)


@dataclass(frozen=True)
class EyeColours:
    """Lab colours of skin and of the white of the eye, `3` each."""

    skin: Float
    white: Float


def widen_lids(image: Image, points: Float, frame: HeadFrame) -> Float:
    """Landmarks `468 3` with the lids moved outwards where the drawn eyes are larger; a copy."""
    picture = lab(image)
    columns, rows = np.clip(points[list(_SKIN_POINTS), :2].round(), 0, np.array(image.shape[1::-1]) - 1).astype(int).T
    skin = np.median(picture[rows, columns], 0)
    found = [_white_beyond(picture, points, skin, side, frame.iod_px) for side in "rl"]
    whites = [white for white in found if white is not None]
    if len(whites) < 2:
        own = lab(measure_eye_white(image, points).astype(np.uint8)[None, None])[0, 0]
        if np.linalg.norm(own - skin) < _CLEAR_WHITE:
            return points
        whites, reach = [own], _SMALL_REACH_IOD
    else:
        reach = _REACH_IOD
    colours = EyeColours(skin, np.mean(whites, 0))
    for side in "rl":
        ring = _ring(side)
        growth, rays = _growth(picture, points[ring, :2], colours, frame.iod_px, reach)
        points = _grown(points, ring, growth[:, None] * frame.iod_px * rays, frame.iod_px)
    return points


def _ring(side: str) -> list[int]:
    first, last = topo.LID_CORNERS[side]
    return [first, *topo.UPPER_LID[side], last, *topo.LOWER_LID[side][::-1]]


def _white_beyond(picture: Float, points: Float, skin: Float, side: str, iod_px: float) -> Float | None:
    """Lab colour of the white that surrounds the ring of one eye, or None where skin surrounds it."""
    ring = points[_ring(side), :2]
    inside, around = np.zeros(picture.shape[:2], np.uint8), np.zeros(picture.shape[:2], np.uint8)
    cv2.fillPoly(inside, [np.round(ring * 16).astype(np.int32)], 1, shift=4)
    middle = tuple(int(v) for v in ring.mean(0).round())
    cv2.circle(around, middle, max(2, round(_AROUND_IOD * iod_px)), 1, -1)
    near = picture[(around > 0) & (inside == 0)]
    chroma, skin_chroma = np.hypot(near[:, 1], near[:, 2]), float(np.hypot(skin[1], skin[2]))
    white = (chroma < 0.55 * skin_chroma) & (near[:, 0] > skin[0] + 4)
    if skin_chroma < _COLOURFUL_SKIN or white.mean() < _LEAST_WHITE_SHARE:
        return None
    return np.asarray(np.median(near[white], 0), np.float32)


def lab(image: Image) -> Float:
    """CIE Lab as float32 `H W 3`."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)


def _growth(
    picture: Float, ring: Float, colours: EyeColours, iod_px: float, reach_iod: float
) -> tuple[NDArray[np.float64], Float]:
    """How far the eye goes on beyond each ring point, `N` in IOD, and the unit rays `N 2`."""
    centre = ring.mean(0)
    out = ring - centre
    # Eyes are wide: rays that fan out from a flattened centre stay square to the lid.
    out = out * [0.55, 1.0]
    rays = (out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    steps = np.arange(0.0, reach_iod, _STEP_IOD)
    places = (ring[:, None] + rays[:, None] * (steps * iod_px)[None, :, None]).astype(np.float32)
    seen = cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    to_skin = np.linalg.norm(seen - colours.skin, axis=2)
    to_white = np.linalg.norm(seen - colours.white, axis=2)
    white = (to_white < 0.5 * to_skin) & (to_white < 24.0)
    skin = (to_skin < to_white) & (to_skin < 26.0)
    run = max(2, round(_SKIN_RUN_IOD / _STEP_IOD))
    growth = np.zeros(len(ring))
    for n in range(len(ring)):
        skin_seen = 0
        for m in range(len(steps)):
            skin_seen = skin_seen + 1 if skin[n, m] else 0
            if skin_seen >= run:
                break
            if white[n, m]:
                growth[n] = steps[m] + _MARGIN_IOD
    padded = np.concatenate([growth[-2:], growth, growth[:2]])
    smooth = np.array([np.median(padded[i : i + 5]) for i in range(len(growth))])
    return np.convolve(np.concatenate([smooth[-1:], smooth, smooth[:1]]), [0.25, 0.5, 0.25], "valid"), rays


def _grown(points: Float, ring: list[int], move: Float, iod_px: float) -> Float:
    """Moves the ring and lets the landmarks around follow, so that nothing folds."""
    distance = np.linalg.norm(points[:, None, :2] - points[None, ring, :2], axis=2) / iod_px
    weight = np.exp(-0.5 * (distance / 0.05) ** 2) + 1e-12
    blended = (weight[..., None] * move[None]).sum(1) / weight.sum(1, keepdims=True)
    blended *= np.exp(-0.5 * (distance.min(1, keepdims=True) / _FOLLOW_IOD) ** 2)
    blended[ring] = move
    points = points.copy()
    points[:, :2] += blended
    return points
