"""Eyes: the ball stays with the skull while the lids slide over it; gaze moves the iris inside the white.

Works on the source map, before compositing; painting of closed lids follows it. numba for the pixels.
Legend: H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion import topology as topo
from omnihuman.latents.motion.body import ramp
from omnihuman.latents.motion.depth import HeadFrame
from omnihuman.latents.motion.mesh import EYE_L, EYE_R
from omnihuman.latents.motion.probes import Probes, backward_shift
from omnihuman.types import Float, Image

_GAZE_IOD = (0.10, 0.06)
_RIGID_RADII, _FREE_RADII = 1.15, 2.5
_PAD_IOD = 0.14
_REPAINT_RADII = 0.2
LABEL = {"r": EYE_R, "l": EYE_L}


@dataclass(frozen=True)
class Eye:
    """One eye at rest.

    Attributes:
        centre: `2` middle of the iris, pixels.
        radius: Of the iris, pixels.
        origin: `2` x, y of the first pixel of `ball`.
        ball: `h w 3` the eyeball with what the lids hide filled in, 0..255.
    """

    centre: Float
    radius: float
    origin: Float
    ball: Float


def build_eyes(image: Image, landmarks: Float, points: Float, frame: HeadFrame) -> dict[str, Eye]:
    """Both eyes, keyed "r" and "l".

    Args:
        image: `H W 3`.
        landmarks: `478 3` with the detector's ten iris points.
        points: `V 3` vertices at rest, lids fitted to the picture.
        frame: Frame of the pictured head.
    """
    eyes = {}
    for side in "rl":
        centre, *rim = landmarks[list(topo.IRIS[side]), :2]
        radius = max(1.0, float(np.linalg.norm(np.array(rim) - centre, axis=1).mean()))
        first, last = topo.LID_CORNERS[side]
        ring = points[[first, *topo.UPPER_LID[side], last, *topo.LOWER_LID[side][::-1]], :2]
        origin, ball = _eyeball(image, ring, np.asarray(centre, np.float32), radius, frame.iod_px)
        eyes[side] = Eye(np.asarray(centre, np.float32), radius, origin, ball)
    return eyes


def _eyeball(image: Image, ring: Float, centre: Float, radius: float, iod_px: float) -> tuple[Float, Float]:
    """Origin and pixels of the completed eyeball: the iris by its own mirror image, the white by inpainting."""
    pad = _PAD_IOD * iod_px
    low = np.maximum(np.floor(ring.min(0) - pad), 0).astype(int)
    high = np.minimum(np.ceil(ring.max(0) + pad) + 1, image.shape[1::-1]).astype(int)
    patch = image[low[1] : high[1], low[0] : high[0]]
    if min(patch.shape[:2]) < 3:
        return low.astype(np.float32), np.zeros((2, 2, 3), np.float32)
    known = np.zeros(patch.shape[:2], np.uint8)
    cv2.fillPoly(known, [np.round((ring - low) * 16).astype(np.int32)], 1, shift=4)
    known = cv2.erode(known, np.ones((3, 3), np.uint8))
    y, x = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]].astype(np.float32)
    in_iris = np.hypot(x - (centre[0] - low[0]), y - (centre[1] - low[1])) < 1.05 * radius
    flipped_y = (2 * (centre[1] - low[1]) - y).astype(np.float32)
    mirror = cv2.remap(patch, x, flipped_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    mirror_known = cv2.remap(known, x, flipped_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT)
    use = in_iris & (known == 0) & (mirror_known > 0)
    filled = np.where(use[..., None], mirror, patch)
    # The white is filled without the iris, or the iris would run down behind the lids.
    in_halo = np.hypot(x - (centre[0] - low[0]), y - (centre[1] - low[1])) < 1.25 * radius
    white_known = known * (1 - in_halo.astype(np.uint8))
    if not white_known.any():
        white_known = known
    white = cv2.inpaint(patch, 1 - white_known, 3, cv2.INPAINT_TELEA)
    shown = (known > 0) | use
    ball = np.where(shown[..., None], filled, white)
    return low.astype(np.float32), ball.astype(np.float32)


def turn_eyes(
    field: Float,
    covered: NDArray[np.uint8],
    points: Float,
    rest: Float,
    probes: Probes,
    eyes: dict[str, Eye],
    gaze: Float,
) -> None:
    """Rewrites the source map between the lids, in place.

    Args:
        field: `H W 2` source minus target position.
        covered: `H W` labels.
        points: `V 3` posed vertices with probes.
        rest: `V 3` the same at rest.
        probes: Numbers of the probes.
        eyes: Per side.
        gaze: `2` shift of the iris in pixels of the picture at rest.
    """
    for side, numbers in (("r", probes.eye_r), ("l", probes.eye_l)):
        ring = points[[*topo.UPPER_LID[side], *topo.LOWER_LID[side], *topo.LID_CORNERS[side]], :2]
        left, top = np.maximum(np.floor(ring.min(0)).astype(int), 0)
        right, bottom = np.ceil(ring.max(0)).astype(int) + 1
        window = slice(top, max(bottom, top)), slice(left, max(right, left))
        shift = backward_shift(rest[list(numbers), :2], points[list(numbers), :2])
        eye = eyes[side]
        _turn_eye(
            field[window], covered[window], LABEL[side], left, top, shift,
            np.array([*eye.centre, eye.radius, *gaze], np.float64),
        )  # fmt: skip


def paint_eyes(out: Image, field: Float, covered: NDArray[np.uint8], eyes: dict[str, Eye], gaze: Float) -> None:
    """Repaints looking eyes from the completed eyeball, in place: no lashes are dragged over the white.

    Args:
        out: `H W 3` the frame so far.
        field: `H W 2` source minus target position, after `turn_eyes`.
        covered: `H W` labels.
        eyes: Per side.
        gaze: `2` shift of the iris in pixels; zero paints nothing.
    """
    length = float(np.hypot(*gaze))
    if length <= 0:
        return
    for side in "rl":
        eye = eyes[side]
        amount = ramp(length / (_REPAINT_RADII * eye.radius))
        rows, columns = np.nonzero(covered == LABEL[side])
        if len(rows):
            _paint_eye(out, field, rows, columns, eye.ball, eye.origin, amount)


@njit(cache=True, nogil=True)
def _paint_eye(
    out: NDArray[np.uint8],
    field: NDArray[np.float32],
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    ball: NDArray[np.float32],
    origin: NDArray[np.float32],
    amount: float,
) -> None:
    last_x, last_y = ball.shape[1] - 1.001, ball.shape[0] - 1.001
    for k in range(len(rows)):
        row, column = rows[k], columns[k]
        x = min(max(column + field[row, column, 0] - origin[0], 0.0), last_x)
        y = min(max(row + field[row, column, 1] - origin[1], 0.0), last_y)
        x0, y0 = int(x), int(y)
        fx, fy = x - x0, y - y0
        for c in range(3):
            above = ball[y0, x0, c] * (1 - fx) + ball[y0, x0 + 1, c] * fx
            below = ball[y0 + 1, x0, c] * (1 - fx) + ball[y0 + 1, x0 + 1, c] * fx
            value = above * (1 - fy) + below * fy
            out[row, column, c] = np.uint8(out[row, column, c] + amount * (value - out[row, column, c]) + 0.5)


def gaze_shift(gaze_x: float, gaze_y: float, frame: HeadFrame) -> Float:
    """Shift of the iris in pixels for gaze parameters in -1..1, `2`."""
    right, down = frame.axes[:2, 0], frame.axes[:2, 1]
    shift = gaze_x * _GAZE_IOD[0] * right + gaze_y * _GAZE_IOD[1] * down
    return np.asarray(shift * frame.iod_px, np.float32)


@njit(cache=True, nogil=True)
def _turn_eye(
    field: NDArray[np.float32],
    covered: NDArray[np.uint8],
    label: int,
    left: int,
    top: int,
    shift: NDArray[np.float64],
    iris: NDArray[np.float64],
) -> None:
    centre_x, centre_y, radius, gaze_x, gaze_y = iris
    for row in range(covered.shape[0]):
        for column in range(covered.shape[1]):
            if covered[row, column] != label:
                continue
            x, y = column + left, row + top
            u = shift[0, 0] * x + shift[0, 1] * y + shift[0, 2]
            v = shift[1, 0] * x + shift[1, 1] * y + shift[1, 2]
            if gaze_x != 0 or gaze_y != 0:
                away = np.hypot(x + u - centre_x - gaze_x, y + v - centre_y - gaze_y) / radius
                t = min(max((_FREE_RADII - away) / (_FREE_RADII - _RIGID_RADII), 0.0), 1.0)
                share = t * t * (3 - 2 * t)
                u -= share * gaze_x
                v -= share * gaze_y
            field[row, column, 0] = u
            field[row, column, 1] = v
