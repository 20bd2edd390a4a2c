"""Skin for the part of an upper lid that is folded away while the eye is open; painted when the lid comes down.

The picture shows only a rim of the lid. Stretching that rim over a shut eye smears its lashes, its crease and the
shadow of the brow; plain skin of this person in this light does not. Built once per picture; numba for the pixels.
Legend: S samples along the eye, from corner to corner in the image.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.face.mesh import SKIN
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float, Image

_SAMPLES = 33
_ABOVE_IOD, _BELOW_IOD = (0.0, 0.015, 0.03, 0.05), (0.03, 0.05)
_CORNER_SHARE = 0.2
_UNLIKE = 30.0
"""RGB distance from the face's skin at which a sample (brow, hair, frame of glasses) counts little."""
_SHADE = 0.93
"""A shut lid is a little darker than the skin round the eye."""
_STRETCH = (1.35, 2.4)
"""Stretch of the lid's rim at which painting begins, and from which on it covers."""
_CARRIED_SHARE = 0.62
"""Part of the rim next to the edge that keeps the picture's own lashes and lines; see `lids.py`."""
_FACE_POINTS = (50, 280, 205, 425, 9, 151, 101, 330)


@dataclass(frozen=True)
class LidSkin:
    """Colours `S 6` along one upper lid, RGB 0..255: at its fold, then where it covers the eye."""

    colours: Float


def sample_lid_skin(image: Image, points: Float, frame: HeadFrame) -> dict[str, LidSkin]:
    """Skin round both eyes, keyed "r" and "l".

    Args:
        image: `H W 3`.
        points: `V 3` vertices at rest, landmarks first.
        frame: Frame of the pictured head.
    """
    smooth = cv2.GaussianBlur(image, (0, 0), max(0.8, 0.012 * frame.iod_px)).astype(np.float32)
    face = np.median(_at(smooth, points[list(_FACE_POINTS), :2]), 0)
    down = frame.axes[:2, 1] * frame.iod_px
    skins = {}
    for side in "rl":
        upper, lower = (_resampled(points[list(fold[side]), :2]) for fold in (topo.UPPER_LID_FOLD, topo.LOWER_LID_FOLD))
        near = [_at(smooth, upper - offset * down) for offset in _ABOVE_IOD]
        below = [_at(smooth, lower + offset * down) for offset in _BELOW_IOD]
        fold, lid = _typical(near[:2], face), _SHADE * _typical([*near, *below], face)
        skins[side] = LidSkin(np.ascontiguousarray(np.concatenate([fold, lid], 1), np.float32))
    return skins


def _typical(rows: list[Float], face: Float) -> Float:
    """Mean of samples `S 3` taken along parallel rows; what is unlike skin (brow, line, frame) counts little."""
    seen = np.stack(rows)
    middle = np.median(seen, (0, 1))
    unlike = np.minimum(np.linalg.norm(seen - face, axis=2), np.linalg.norm(seen - middle, axis=2))
    weight = np.exp(-0.5 * (unlike / _UNLIKE) ** 2)[..., None] + 1e-4
    # Neighbours help where all rows of a place are unlike skin.
    total, share = (cv2.GaussianBlur(v, (1, 13), 3.0, borderType=cv2.BORDER_REPLICATE)
                    for v in ((weight * seen).sum(0), np.repeat(weight.sum(0), 3, 1)))  # fmt: skip
    return np.asarray(total / share, np.float32)


def paint_lids(out: Image, covered: NDArray[np.uint8], points: Float, rest: Float, skins: dict[str, LidSkin]) -> None:
    """Paints what two upper lids have unfolded, in place; nothing where they have not come down.

    Args:
        out: `H W 3` the frame so far.
        covered: `H W` labels.
        points: `V 3` posed vertices.
        rest: `V 3` the same at rest.
        skins: By side.
    """
    for side in "rl":
        first, last = topo.LID_CORNERS[side]
        edge, fold = [first, *topo.UPPER_LID[side], last], [first, *topo.UPPER_LID_FOLD[side], last]
        here, above = points[edge, :2].astype(np.float64), points[fold, :2].astype(np.float64)
        band = np.linalg.norm(rest[edge, :2] - rest[fold, :2], axis=1)
        stretch = np.linalg.norm(here - above, axis=1) / np.maximum(band, 0.5)
        if stretch[1:-1].max() <= _STRETCH[0] or (np.diff(here[:, 0]) <= 0).any():
            continue
        left, right = max(0, int(np.ceil(here[0, 0]))), min(covered.shape[1], int(here[-1, 0]) + 1)
        columns = np.arange(left, right)
        if not len(columns):
            continue
        bottom = np.interp(columns, here[:, 0], here[:, 1])
        top = np.interp(columns, np.maximum.accumulate(above[:, 0]), above[:, 1])
        height = np.interp(columns, here[:, 0], band)
        place = np.interp(columns, here[:, 0], np.linspace(0, _SAMPLES - 1.001, len(edge)))
        # At the corners the lid unfolds nothing.
        across = np.linspace(0, 1, len(columns))
        share = smoothstep(np.minimum(across, 1 - across) / (_CORNER_SHARE / max(1.0, 0.5 * float(stretch.max()))))
        _paint(out, covered, left, np.stack([bottom, top, height, place, share], 1), skins[side].colours)


def _resampled(curve: Float) -> Float:
    along = np.linspace(0, len(curve) - 1, _SAMPLES)
    return np.stack([np.interp(along, np.arange(len(curve)), curve[:, k]) for k in (0, 1)], 1)


def _at(picture: Float, places: Float) -> Float:
    maps = places.astype(np.float32)[None]
    return cv2.remap(picture, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[0]


@njit(cache=True, nogil=True)
def _paint(
    out: NDArray[np.uint8],
    covered: NDArray[np.uint8],
    left: int,
    columns: NDArray[np.float64],
    colours: NDArray[np.float32],
) -> None:
    for k in range(len(columns)):
        bottom, top, band, place, corner = columns[k]
        length = bottom - top
        if length <= band * _STRETCH[0] or band < 0.5:
            continue
        amount = corner * _ramp((length / band - _STRETCH[0]) / (_STRETCH[1] - _STRETCH[0]))
        carried = _CARRIED_SHARE * band
        sample = int(place)
        share = place - sample
        x = left + k
        for y in range(max(0, int(np.ceil(top))), min(covered.shape[0], int(bottom) + 1)):
            if covered[y, x] != SKIN:
                continue
            away = bottom - y
            # Soft towards the fold, where the picture's own skin begins, and towards the lashes that are kept.
            cover = (
                amount * _ramp((length - away) / (0.20 * length)) * _ramp((away - 0.45 * carried) / (0.75 * carried))
            )
            if cover <= 0.003:
                continue
            # The lid is round: lighter in its middle height.
            light = 1.03 - 0.10 * abs(away / length - 0.55)
            down = _ramp(1.25 * (1 - away / length))
            for c in range(3):
                fold = colours[sample, c] * (1 - share) + colours[sample + 1, c] * share
                lid = colours[sample, c + 3] * (1 - share) + colours[sample + 1, c + 3] * share
                colour = fold + down * (lid * light - fold)
                out[y, x, c] = np.uint8(min(max(out[y, x, c] + cover * (colour - out[y, x, c]) + 0.5, 0.0), 255.0))


@njit(cache=True, nogil=True, inline="always")
def _ramp(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)
