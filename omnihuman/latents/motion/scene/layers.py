"""Splits the picture into a person layer and a filled background that add up to it exactly.

The person layer is a signed residual, P = I - (1 - a) B, so a wrong matte or a bad fill costs nothing until something
moves. A plain background is filled smoothly, with its own grain; where there is structure beside the person, it goes on
into the rim that a moving head uncovers.
Legend: H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.scene.exemplar import continue_structure
from omnihuman.latents.motion.scene.patches import IGNORED, KNOWN, WANTED
from omnihuman.types import Float, Image

_FILL_SIDE_PX = 320
_DILATION_IOD = 0.11
_SOLID_FILL_IOD = 0.05
_SIGHT_IOD = 3.5
"""How far round the person the picture is looked at."""
_RIM_IOD = 0.55
"""Depth of the rim that carries structure: what a head at the limits of its table uncovers."""
_RIM_FADE = 0.3
_OPPONENT = np.array([[0.3, 0.6, 0.1], [0.7, -0.7, 0.0], [0.0, -0.7, 0.7]], np.float32)
_MARGIN_IOD_PX = 160.0
_RANGE_IOD, _RANGE_STEP, _RANGE_SLACK = 0.2, 4, 6.0
_LOOK_DEPTH_PX = 16.0
_STEEP = 2.0
"""Grey levels a pixel, in a picture whose rim is `_LOOK_DEPTH_PX` deep, that only structure reaches."""
_EMPTY = 0.02
"""Haze below this share of the matte is background."""


@dataclass(frozen=True)
class Layers:
    """The two layers.

    Attributes:
        residual: `H W 4` float32, signed premultiplied person in 0..255 units, and alpha in 0..1.
        background: `H W 3` the picture with the person taken out; equal to the picture far from the person.
    """

    residual: Float
    background: Image

    @property
    def active(self) -> NDArray[np.bool_]:
        """`H W` where the person layer is not empty."""
        return np.asarray((self.residual != 0).any(2))


def split_layers(image: Image, matte: Float, iod_px: float) -> Layers:
    """Takes the picture apart.

    Args:
        image: `H W 3`.
        matte: `H W` person in 0..1.
        iod_px: Size of the face.
    """
    alpha = np.where(matte < _EMPTY, np.float32(0), np.clip(matte, 0.0, 1.0)).astype(np.float32, copy=False)
    residual, background = np.zeros((*alpha.shape, 4), np.float32), image.copy()
    person = (alpha > 0).astype(np.uint8)
    hole = _dilate(person, _DILATION_IOD * iod_px)
    if hole.any():
        # Of a large picture only the part round the person is worked on; what is beside it says how to fill.
        part = _around(hole, _SIGHT_IOD * iod_px)
        background[part] = _background(image[part], person[part], hole[part], iod_px)
        residual[part][..., :3] = image[part]
        residual[part][..., :3] -= (1 - alpha[part])[..., None] * background[part]
        residual[part][..., 3] = alpha[part]
    return Layers(residual, background)


def _around(mask: NDArray[np.uint8], margin_px: float) -> tuple[slice, slice]:
    """Rows and columns of the box round what is marked, with a margin."""
    margin = round(margin_px)
    ends = []
    for axis in (1, 0):
        marked = np.flatnonzero(mask.any(axis))
        ends.append(slice(max(0, int(marked[0]) - margin), int(marked[-1]) + 1 + margin))
    return ends[0], ends[1]


def _background(image: Image, person: NDArray[np.uint8], hole: NDArray[np.uint8], iod_px: float) -> Image:
    structured = _is_structured(image, hole, _RIM_IOD * iod_px)
    if structured:
        hole = hole & ~_plainly_background(image, hole, person, iod_px)
    fill = _fill(image, hole)
    fill = _with_structure(image, hole, fill, _RIM_IOD * iod_px) if structured else fill
    solid = _dilate(person, _SOLID_FILL_IOD * iod_px).astype(np.float32)
    blur = max(1.0, 0.25 * (_DILATION_IOD - _SOLID_FILL_IOD) * iod_px)
    ramp = np.maximum(cv2.GaussianBlur(solid, (0, 0), blur), solid)
    ramp *= hole > 0
    fill -= image
    fill *= ramp[..., None]
    fill += image
    return np.asarray(np.clip(fill + np.float32(0.5), 0, 255).astype(np.uint8))


def _dilate(mask: NDArray[np.uint8], radius_px: float) -> NDArray[np.uint8]:
    return (cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3) <= max(1.0, radius_px)).astype(np.uint8)


def _fill(image: Image, hole: NDArray[np.uint8]) -> Float:
    """The picture with the hole filled, `H W 3` float32: inpainted near the rim, smooth deeper inside."""
    height, width = hole.shape
    shrink = min(1.0, _FILL_SIDE_PX / max(height, width))
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    # Averages over known pixels only: the person's colours must not bleed into the fill.
    known = cv2.resize((1 - hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    seen = cv2.resize(image * (1 - hole)[..., None], size, interpolation=cv2.INTER_AREA)
    colour = seen.astype(np.float32) / np.maximum(known, 1e-3)[..., None]
    missing = (known < 0.5).astype(np.uint8)
    smooth = _push_pull(colour, 1.0 - missing.astype(np.float32))
    rim = missing & (cv2.distanceTransform(missing, cv2.DIST_L2, 3) < 18).astype(np.uint8)
    painted = np.where(missing[..., None] > 0, smooth, colour)
    near = cv2.inpaint(np.clip(painted, 0, 255).astype(np.uint8), rim, 5, cv2.INPAINT_TELEA).astype(np.float32)
    depth = cv2.distanceTransform(missing, cv2.DIST_L2, 3)[..., None]
    share = np.clip(1.0 - depth / 16.0, 0.0, 1.0)
    low = np.where(missing[..., None] > 0, share * near + (1 - share) * smooth, colour)
    full = cv2.resize(low, (width, height), interpolation=cv2.INTER_CUBIC)
    full += _grain(image, hole)
    return np.asarray(full, np.float32)


def _with_structure(image: Image, hole: NDArray[np.uint8], smooth: Float, depth_px: float) -> Float:
    """The smooth fill with the structure beside the hole carried on into its rim, `H W 3` float32."""
    inside = cv2.distanceTransform(hole, cv2.DIST_L2, 3)
    state = np.where(hole == 0, KNOWN, np.where(inside <= depth_px, WANTED, IGNORED)).astype(np.uint8)
    places, colours = continue_structure(image, state, depth_px)
    columns, rows = places.T
    share = np.clip((depth_px - inside[rows, columns]) / (_RIM_FADE * depth_px), 0.0, 1.0)[:, None]
    filled = smooth.copy()
    filled[rows, columns] += share * (colours - filled[rows, columns])
    return filled


def _plainly_background(
    image: Image, hole: NDArray[np.uint8], person: NDArray[np.uint8], iod_px: float
) -> NDArray[np.uint8]:
    """1 where a pixel of the margin round the person has a colour that the background close by has too, `H W`.

    What is left of the margin may hold hair that the matte missed; taking all of it away would cut the structure.
    """
    shrink = min(1.0, _MARGIN_IOD_PX / iod_px)
    whole = (hole.shape[1], hole.shape[0])
    size = (max(8, round(whole[0] * shrink)), max(8, round(whole[1] * shrink)))
    soft = cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (0, 0), 0.6).astype(np.float32)
    # Brightness and two differences of colour: between black and white lies grey, not the brown of hair.
    soft = cv2.transform(soft, _OPPONENT)
    coarse = (max(8, size[0] // _RANGE_STEP), max(8, size[1] // _RANGE_STEP))
    small = cv2.resize(soft, coarse, interpolation=cv2.INTER_AREA)
    taken = cv2.resize(hole, coarse, interpolation=cv2.INTER_AREA)[..., None] > 0
    reach = 2 * max(1, round(_RANGE_IOD * iod_px * shrink / _RANGE_STEP)) + 1
    kernel = np.ones((reach, reach), np.uint8)
    brightest = cv2.resize(cv2.dilate(np.where(taken, np.float32(-1e3), small), kernel), size)
    darkest = cv2.resize(cv2.erode(np.where(taken, np.float32(1e3), small), kernel), size)
    outside = np.maximum(soft - brightest, darkest - soft).max(2)
    explained = (outside < _RANGE_SLACK).astype(np.uint8)
    opening = 2 * max(1, round(0.012 * iod_px * shrink)) + 1
    explained = cv2.morphologyEx(explained, cv2.MORPH_OPEN, np.ones((opening, opening), np.uint8))
    return np.asarray(cv2.resize(explained, whole, interpolation=cv2.INTER_NEAREST) & (1 - person))


def _is_structured(image: Image, hole: NDArray[np.uint8], depth_px: float) -> bool:
    """Whether the known background beside the hole shows more than shades and grain."""
    shrink = min(1.0, _LOOK_DEPTH_PX / max(depth_px, 1.0))
    size = (max(8, round(hole.shape[1] * shrink)), max(8, round(hole.shape[0] * shrink)))
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), size, interpolation=cv2.INTER_AREA).astype(np.float32)
    covered = cv2.resize(hole, size, interpolation=cv2.INTER_NEAREST)
    outside = cv2.distanceTransform(1 - covered, cv2.DIST_L2, 3)
    steep = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8.0
    beside = steep[(outside > 2) & (outside < 1.5 * _LOOK_DEPTH_PX)]
    return beside.size > 0 and float(np.percentile(beside, 90)) > _STEEP


def _push_pull(colour: Float, weight: Float) -> Float:
    """Fills by averages at ever coarser scales, then refines back up (Gortler et al. 1996, pull-push)."""
    if min(weight.shape) < 3 or weight.min() > 0:
        mean = (colour * weight[..., None]).sum((0, 1)) / max(float(weight.sum()), 1e-6)
        return np.where(weight[..., None] > 0, colour, mean)
    size = ((weight.shape[1] + 1) // 2, (weight.shape[0] + 1) // 2)
    coarse_weight = cv2.resize(weight, size, interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(colour * weight[..., None], size, interpolation=cv2.INTER_AREA)
    coarse /= np.maximum(coarse_weight, 1e-6)[..., None]
    filled = _push_pull(coarse, np.minimum(1.0, 2.0 * coarse_weight).astype(np.float32))
    up = cv2.resize(filled, (weight.shape[1], weight.shape[0]), interpolation=cv2.INTER_LINEAR)
    return np.asarray(weight[..., None] * colour + (1 - weight[..., None]) * up, np.float32)


def _grain(image: Image, hole: NDArray[np.uint8]) -> Float:
    """Noise with the strength that the known background shows, `H W 1`; zero mean, always the same."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    detail = (grey - cv2.GaussianBlur(grey, (0, 0), 1.2))[hole == 0]
    if detail.size < 64:
        return np.zeros((*hole.shape, 1), np.float32)
    strength = min(4.0, 1.48 * float(np.median(np.abs(detail))))
    noise = np.zeros((*hole.shape, 1), np.float32)
    noise[hole > 0, 0] = strength * np.random.default_rng(0).standard_normal(int(hole.sum()), dtype=np.float32)
    return noise
