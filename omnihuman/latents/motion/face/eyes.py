"""Eyes: the ball stays with the skull while the lids slide over it; gaze moves the iris inside the white.

The ball is put into the source map before compositing; a looking eye is painted after it. numba for the pixels.
Legend: H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.face.eyeball import Eyeball, build_eyeball
from omnihuman.latents.motion.face.mesh import EYE_L, EYE_R
from omnihuman.latents.motion.face.probes import Probes, backward_shift
from omnihuman.latents.motion.ramps import ramp
from omnihuman.latents.motion.scene.composite import sample_sprite
from omnihuman.types import Float, Image

GAZE_IOD = (0.10, 0.075)
"""How far full gaze_x and gaze_y move an iris; the units of the table."""
_REPAINT_RADII = 0.2
_KEPT_RADII = (0.30, 0.30, 0.15, 0.0)
"""How near, in its radii, the middle of an iris may come to the end of the eye: left, right, above, below."""
LABEL = {"r": EYE_R, "l": EYE_L}


@dataclass(frozen=True)
class Eye:
    """One eye at rest.

    Attributes:
        centre: `2` middle of the iris, pixels.
        ball: The eye taken apart.
        reach: `4` how far the iris can go left, right, up and down and still be seen, pixels.
    """

    centre: Float
    ball: Eyeball
    reach: Float


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
        middle = np.asarray(centre, np.float32)
        ball = build_eyeball(image, ring, middle, radius, frame.iod_px)
        eyes[side] = Eye(middle, ball, _reach(ring - middle, ball.radius, frame))
    return eyes


def _reach(ring: Float, radius: float, frame: HeadFrame) -> Float:
    """Room for the iris in a ring `N 2` round it: sideways it keeps more than half of itself, upwards its middle."""
    across, along = ring @ frame.axes[:2, :2].T[0], ring @ frame.axes[:2, :2].T[1]
    near = np.abs(across) < 1.2 * radius
    heights = along[near] if near.any() else along
    room = np.array([-across.min(), across.max(), -heights.min(), heights.max()])
    return np.maximum(0.15 * radius, room - radius * np.array(_KEPT_RADII)).astype(np.float32)


def turn_eyes(field: Float, covered: NDArray[np.uint8], points: Float, rest: Float, probes: Probes) -> None:
    """Rewrites the source map between the lids, in place: the ball goes with the skull, whatever the lids do.

    Args:
        field: `H W 2` source minus target position.
        covered: `H W` labels.
        points: `V 3` posed vertices with probes.
        rest: `V 3` the same at rest.
        probes: Numbers of the probes.
    """
    for side, numbers in (("r", probes.eye_r), ("l", probes.eye_l)):
        window, left, top = _window(points, side)
        shift = backward_shift(rest[list(numbers), :2], points[list(numbers), :2])
        _turn_eye(field[window], covered[window], LABEL[side], left, top, shift)


def paint_eyes(
    out: Image, field: Float, covered: NDArray[np.uint8], points: Float, eyes: dict[str, Eye], gaze: Float
) -> None:
    """Paints looking eyes, in place: the white, and the iris where the gaze puts it.

    Args:
        out: `H W 3` the frame so far.
        field: `H W 2` source minus target position, after `turn_eyes`.
        covered: `H W` labels.
        points: `V 3` posed vertices.
        eyes: Per side.
        gaze: `2` shift of the iris in pixels; zero paints nothing.
    """
    length = float(np.hypot(*gaze))
    if length <= 0:
        return
    for side in "rl":
        ball = eyes[side].ball
        amount = ramp(length / (_REPAINT_RADII * ball.radius))
        window, left, top = _window(points, side)
        places = np.array([left, top, *ball.origin, *gaze, amount], np.float64)
        _paint_eye(out[window], field[window], covered[window], LABEL[side], ball.white, ball.iris, places)


def _window(points: Float, side: str) -> tuple[tuple[slice, slice], int, int]:
    """Rows and columns that hold the posed eye, and the first column and row."""
    ring = points[[*topo.UPPER_LID[side], *topo.LOWER_LID[side], *topo.LID_CORNERS[side]], :2]
    left, top = np.maximum(np.floor(ring.min(0)).astype(int), 0)
    right, bottom = np.ceil(ring.max(0)).astype(int) + 1
    return (slice(top, max(bottom, top)), slice(left, max(right, left))), int(left), int(top)


@njit(cache=True, nogil=True)
def _paint_eye(
    out: NDArray[np.uint8],
    field: NDArray[np.float32],
    covered: NDArray[np.uint8],
    label: int,
    white: NDArray[np.float32],
    iris: NDArray[np.float32],
    places: NDArray[np.float64],
) -> None:
    left, top, origin_x, origin_y, gaze_x, gaze_y, amount = places
    last_x, last_y = white.shape[1] - 1.001, white.shape[0] - 1.001
    pixel = np.zeros(4, np.float32)
    for row in range(covered.shape[0]):
        for column in range(covered.shape[1]):
            if covered[row, column] != label:
                continue
            x = column + left + field[row, column, 0] - origin_x
            y = row + top + field[row, column, 1] - origin_y
            sample_sprite(iris, x - gaze_x, y - gaze_y, pixel)
            x, y = min(max(x, 0.0), last_x), min(max(y, 0.0), last_y)
            x0, y0 = int(x), int(y)
            fx, fy = x - x0, y - y0
            share = amount * white[int(y + 0.5), int(x + 0.5), 3]
            for c in range(3):
                above = white[y0, x0, c] * (1 - fx) + white[y0, x0 + 1, c] * fx
                below = white[y0 + 1, x0, c] * (1 - fx) + white[y0 + 1, x0 + 1, c] * fx
                value = pixel[c] + (1 - pixel[3]) * (above * (1 - fy) + below * fy)
                out[row, column, c] = np.uint8(out[row, column, c] + share * (value - out[row, column, c]) + 0.5)


def gaze_shift(gaze_x: float, gaze_y: float, frame: HeadFrame, eyes: dict[str, Eye]) -> Float:
    """Shift of both irises in pixels for gaze parameters in -1..1, `2`; narrow and half turned eyes look less far."""
    right, down = frame.axes[:2, 0], frame.axes[:2, 1]
    reach = np.minimum(eyes["r"].reach, eyes["l"].reach)
    far_x = min(GAZE_IOD[0] * frame.iod_px, float(reach[1 if gaze_x > 0 else 0]))
    far_y = min(GAZE_IOD[1] * frame.iod_px, float(reach[3 if gaze_y > 0 else 2]))
    return np.asarray(gaze_x * far_x * right + gaze_y * far_y * down, np.float32)


@njit(cache=True, nogil=True)
def _turn_eye(
    field: NDArray[np.float32],
    covered: NDArray[np.uint8],
    label: int,
    left: int,
    top: int,
    shift: NDArray[np.float64],
) -> None:
    for row in range(covered.shape[0]):
        for column in range(covered.shape[1]):
            if covered[row, column] != label:
                continue
            x, y = column + left, row + top
            field[row, column, 0] = shift[0, 0] * x + shift[0, 1] * y + shift[0, 2]
            field[row, column, 1] = shift[1, 0] * x + shift[1, 1] * y + shift[1, 2]
