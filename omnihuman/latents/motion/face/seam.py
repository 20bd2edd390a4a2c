"""Moves the detected mouth slit onto the dark line between closed lips that the picture really shows.

A detector's lips are off by a pixel or two on photos and by far more on drawings; opening the mouth beside the drawn
line leaves the line standing. Dynamic programming along the mouth, as in seam carving. Closed mouths only.
Legend: M samples along the mouth, D offsets across it.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.types import Float, Image

_CLOSED_IOD = 0.03
_REACH_IOD, _STEP_IOD, _SIDE_IOD = 0.075, 0.004, 0.028
_SAMPLES = 61
_LEAST_CONTRAST = 0.05
_OFFSET_COST = 0.02
_SKIN_IOD = 0.10
"""How far the skin round the lips follows them."""


def snap_to_lip_line(image: Image, points: Float, frame: HeadFrame) -> Float:
    """Shifts the lips along down so that their slit lies on the dark line.

    Args:
        image: `H W 3`.
        points: `468 3` landmarks.
        frame: Frame of the pictured head.

    Returns:
        Moved copy, or the points as they are when the mouth is open or no clear line is found.
    """
    upper, lower = list(topo.UPPER_LIP_ROWS[3]), list(topo.LOWER_LIP_ROWS[3])
    gap = (points[lower] - points[upper]) @ frame.axes[:, 1] / frame.iod_px
    if gap.max() > _CLOSED_IOD:
        return points
    slit = (points[upper, :2] + points[lower, :2]) / 2
    down = frame.axes[:2, 1] / np.linalg.norm(frame.axes[:2, 1])
    offsets = np.arange(-_REACH_IOD, _REACH_IOD + 1e-6, _STEP_IOD)
    darkness = _line_darkness(image, slit, down, offsets, frame.iod_px)
    path = _best_path(darkness - _OFFSET_COST * np.abs(offsets / _REACH_IOD))
    found = darkness[np.arange(_SAMPLES), path]
    if np.median(found[6:-6]) < _LEAST_CONTRAST:
        return points
    shift = cv2.GaussianBlur(offsets[path][:, None], (1, 9), 2.0, borderType=cv2.BORDER_REPLICATE)[:, 0]
    return _shifted(points, shift * frame.iod_px, frame.axes[:, 1], frame.iod_px)


def _line_darkness(
    image: Image, slit: Float, down: Float, offsets: NDArray[np.float64], iod_px: float
) -> NDArray[np.float64]:
    """How much darker than both sides each place is, `M D`, as a share of the skin's brightness."""
    along = np.linspace(0, len(slit) - 1, _SAMPLES)
    middle = np.stack([np.interp(along, np.arange(len(slit)), slit[:, k]) for k in (0, 1)], 1)
    side = round(_SIDE_IOD / _STEP_IOD)
    wide = np.concatenate([offsets[0] + _STEP_IOD * np.arange(-side, 0), offsets,
                           offsets[-1] + _STEP_IOD * np.arange(1, side + 1)])  # fmt: skip
    places = (middle[:, None] + wide[None, :, None] * iod_px * down).astype(np.float32)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey = cv2.GaussianBlur(grey, (0, 0), max(0.5, 0.004 * iod_px))
    values = cv2.remap(grey, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    above, below = values[:, : -2 * side], values[:, 2 * side :]
    dip = np.minimum(above, below) - values[:, side:-side]
    return np.asarray(np.maximum(dip, -0.1 * values.max()) / max(float(np.median(values)), 20.0), np.float64)


def _best_path(score: NDArray[np.float64]) -> NDArray[np.int64]:
    """Index of the offset per sample that makes the highest sum, stepping by at most one offset per sample."""
    total = score.copy()
    back = np.zeros(score.shape, np.int64)
    for m in range(1, len(score)):
        padded = np.pad(total[m - 1], 1, constant_values=-np.inf)
        choices = np.stack([padded[:-2] - 0.01, padded[1:-1], padded[2:] - 0.01])
        best = choices.argmax(0)
        back[m] = np.arange(score.shape[1]) + best - 1
        total[m] += choices.max(0)
    path = np.zeros(len(score), np.int64)
    path[-1] = int(total[-1].argmax())
    for m in range(len(score) - 1, 0, -1):
        path[m - 1] = back[m, path[m]]
    return path


def _shifted(points: Float, shift_px: NDArray[np.float64], down: Float, iod_px: float) -> Float:
    """Moves each lip column by the shift at its place; the skin around follows, so that nothing folds."""
    columns = np.interp(np.linspace(0, _SAMPLES - 1, 11), np.arange(_SAMPLES), shift_px)
    rows = np.array([*topo.UPPER_LIP_ROWS, *topo.LOWER_LIP_ROWS])
    lips, first = np.unique(rows, return_index=True)
    amount = np.tile(columns, len(rows))[first]
    distance = np.linalg.norm(points[:, None, :2] - points[None, lips, :2], axis=2) / iod_px
    weight = np.exp(-0.5 * (distance / 0.05) ** 2) + 1e-12
    blended = (weight * amount).sum(1) / weight.sum(1) * np.exp(-0.5 * (distance.min(1) / _SKIN_IOD) ** 2)
    blended[lips] = amount
    return (points + blended[:, None] * down).astype(np.float32)
