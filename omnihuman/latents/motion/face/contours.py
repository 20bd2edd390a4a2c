"""Moves lid rings out to the eye that is really drawn: cartoon eyes are larger than a detector of human faces thinks.

An iris too large for a human face betrays a drawn eye; then rays from its middle look for the end of its white, and the
lids are laid along it anew. Otherwise rays run outwards from the ring as long as they meet a white that only drawings
have. On photographs this changes nothing. Colours only, no learning.
Legend: N lid points, M samples along a ray.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.face.eyeball import iris_radius
from omnihuman.latents.motion.face.light import measure_eye_white
from omnihuman.types import Float, Image

_REACH_IOD, _STEP_IOD, _SKIN_RUN_IOD, _MARGIN_IOD = 0.07, 0.006, 0.035, 0.014
_FOLLOW_IOD = 0.10
_LARGEST_HUMAN_IRIS_IOD = 0.095
"""An iris is 12 mm across, an IOD about 90 mm."""
_RAYS, _REACH_RADII, _BORDER_WAVES = 64, 3.2, 3
_FOLD_IOD = 0.08
_WHITE_GAP_IOD = 0.05
"""A stretch without white that ends the eye."""
_LEAST_WHITE_SHARE = 0.12
"""How much of what surrounds an iris must be white."""
_CLEAR_WHITE = 28.0
"""Lab distance from skin that only drawn whites have."""
_COLOURFUL_SKIN = 22.0
"""Lab chroma that skin has at least when whites are told from it."""
_SKIN_POINTS = {"r": (205, 207, 9, 151), "l": (425, 427, 9, 151)}
"""Low on the cheek and high between the brows: large eyes reach far."""


@dataclass(frozen=True)
class EyeColours:
    """Lab colours of skin and of the white of the eye, `3` each."""

    skin: Float
    white: Float


def widen_lids(image: Image, landmarks: Float, frame: HeadFrame) -> Float:
    """Landmarks `468 3` with the lids moved outwards where the drawn eyes are larger; a copy.

    Args:
        image: `H W 3`.
        landmarks: `478 3` with the irises.
        frame: Frame of the pictured head.
    """
    points = landmarks[: topo.NUM_LANDMARKS]
    picture = lab(image)
    irises = {side: _iris(image, points, landmarks[list(topo.IRIS[side]), :2], side) for side in "rl"}
    if min(radius for _, radius in irises.values()) > _LARGEST_HUMAN_IRIS_IOD * frame.iod_px:
        for side, (centre, radius) in irises.items():
            points = _laid_along_white(picture, points, side, centre, radius, frame)
        return points
    own = lab(measure_eye_white(image, points).astype(np.uint8)[None, None])[0, 0]
    skin = _skin(picture, points, _SKIN_POINTS["r"] + _SKIN_POINTS["l"])
    if np.linalg.norm(own - skin) < _CLEAR_WHITE:
        return points
    for side in "rl":
        ring = _ring(side)
        growth, rays = _growth(picture, points[ring, :2], EyeColours(skin, own), frame.iod_px)
        points = _grown(points, ring, growth[:, None] * frame.iod_px * rays, frame.iod_px)
    return points


def _iris(image: Image, points: Float, iris: Float, side: str) -> tuple[Float, float]:
    """Middle and radius in pixels of the iris that is really drawn."""
    centre, *rim = iris
    radius = max(1.0, float(np.linalg.norm(np.array(rim) - centre, axis=1).mean()))
    low = np.maximum(np.floor(centre - 4 * radius), 0).astype(int)
    high = np.minimum(np.ceil(centre + 4 * radius) + 1, image.shape[1::-1]).astype(int)
    patch = image[low[1] : high[1], low[0] : high[0]].astype(np.float32)
    if min(patch.shape[:2]) < 3:
        return centre, radius
    return centre, iris_radius(patch, np.ones(patch.shape[:2], np.uint8), centre - low, radius)


def _skin(picture: Float, points: Float, numbers: tuple[int, ...]) -> Float:
    columns, rows = np.clip(points[list(numbers), :2].round(), 0, np.array(picture.shape[1::-1]) - 1).astype(int).T
    return np.asarray(np.median(picture[rows, columns], 0), np.float32)


def _laid_along_white(
    picture: Float, points: Float, side: str, centre: Float, radius: float, frame: HeadFrame
) -> Float:
    """Points with the lids of one eye on the border of the white round its large iris."""
    axes = frame.axes[:2, :2] / np.linalg.norm(frame.axes[:2, :2], axis=0)
    angles = np.linspace(-np.pi, np.pi, _RAYS, endpoint=False)
    rays = np.stack([np.cos(angles), np.sin(angles)], 1) @ axes.T
    steps = np.arange(1.0, _REACH_RADII, 0.04) * radius
    places = (centre + rays[:, None] * steps[None, :, None]).astype(np.float32)
    seen = cv2.remap(picture, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    skin = _skin(picture, points, _SKIN_POINTS[side])
    white = _white_round(seen[:, steps < 1.9 * radius], skin)
    if white is None:
        return points
    to_skin, to_white = (np.linalg.norm(seen - colour, axis=2) for colour in (skin, white))
    is_white = (to_white < 0.9 * to_skin) & (to_white < 42.0)
    # A white that fades into shade is still white, as long as it is unlike skin and no line has been crossed.
    steady = np.linalg.norm(np.diff(seen, axis=1, prepend=seen[:, :1]), axis=2) < 7.0
    for m in range(1, len(steps)):
        is_white[:, m] |= is_white[:, m - 1] & steady[:, m] & (to_skin[:, m] > 14.0)
    longest_gap = _WHITE_GAP_IOD * frame.iod_px
    reach = np.full(_RAYS, radius * 1.08)
    for n in range(_RAYS):
        # A coloured iris may look like skin and be larger than thought: only what follows a white ends the eye.
        last = max(1.5 * radius, radius + longest_gap)
        for step in steps[is_white[n]]:
            if step > last + longest_gap:
                break
            last = float(step)
            reach[n] = last + _MARGIN_IOD * frame.iod_px
    wrapped = np.concatenate([reach[-4:], reach, reach[:4]])
    median = np.array([np.median(wrapped[n : n + 9]) for n in range(_RAYS)])
    # An eye is round: its border has no more than a few waves.
    waves = np.fft.rfft(median)
    waves[_BORDER_WAVES + 1 :] = 0
    smooth = np.fft.irfft(waves, _RAYS)
    border = np.stack([np.cos(angles), np.sin(angles)], 1) * smooth[:, None]
    ring = _ring(side)
    points = _grown(points, ring, centre + _lids_on(border) @ axes.T - points[ring, :2], frame.iod_px)
    for fold, lid, outwards in (
        (topo.UPPER_LID_FOLD, topo.UPPER_LID, -_FOLD_IOD),
        (topo.LOWER_LID_FOLD, topo.LOWER_LID, _FOLD_IOD),
    ):
        # Drawn lines and lashes lie on the lid; folds lie beyond them.
        points[list(fold[side]), :2] = points[list(lid[side]), :2] + outwards * frame.iod_px * axes[:, 1]
    return points


def _white_round(seen: Float, skin: Float) -> Float | None:
    """Lab colour of the white among what surrounds an iris, `N M 3`; None when nothing is so pale."""
    chroma, skin_chroma = np.hypot(seen[..., 1], seen[..., 2]), float(np.hypot(skin[1], skin[2]))
    pale = (chroma < 0.75 * max(skin_chroma, _COLOURFUL_SKIN)) & (seen[..., 0] > 0.75 * skin[0])
    if pale.mean() < _LEAST_WHITE_SHARE:
        return None
    bright = seen[pale]
    return np.asarray(np.median(bright[bright[:, 0] >= np.percentile(bright[:, 0], 40)], 0), np.float32)


def _lids_on(border: Float) -> Float:
    """Where the 16 ring points lie on a closed border `N 2` (right, down), corners at its sides, evenly across."""
    first, last = int(border[:, 0].argmin()), int(border[:, 0].argmax())
    x = np.linspace(border[first, 0], border[last, 0], 9)
    rows = []
    for above in (True, False):
        part = border[(border[:, 1] <= 0) == above]
        part = part[part[:, 0].argsort()]
        rows.append(np.interp(x[1:-1], part[:, 0], part[:, 1]))
    upper, lower = (np.stack([x[1:-1], row], 1) for row in rows)
    return np.concatenate([border[first][None], upper, border[last][None], lower[::-1]])


def _ring(side: str) -> list[int]:
    first, last = topo.LID_CORNERS[side]
    return [first, *topo.UPPER_LID[side], last, *topo.LOWER_LID[side][::-1]]


def lab(image: Image) -> Float:
    """CIE Lab as float32 `H W 3`."""
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255.0, cv2.COLOR_RGB2LAB), np.float32)


def _growth(picture: Float, ring: Float, colours: EyeColours, iod_px: float) -> tuple[NDArray[np.float64], Float]:
    """How far the eye goes on beyond each ring point, `N` in IOD, and the unit rays `N 2`."""
    centre = ring.mean(0)
    out = ring - centre
    # Eyes are wide: rays that fan out from a flattened centre stay square to the lid.
    out = out * [0.55, 1.0]
    rays = (out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-6)).astype(np.float32)
    steps = np.arange(0.0, _REACH_IOD, _STEP_IOD)
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
