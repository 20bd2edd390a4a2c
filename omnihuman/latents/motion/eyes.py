"""Eyes: the ball stays with the skull while the lids slide over it; gaze moves the iris inside the white.

Works on the source map, before compositing; painting of closed lids follows it. numba for the pixels.
Legend: H height, W width.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion import topology as topo
from omnihuman.latents.motion.depth import HeadFrame
from omnihuman.latents.motion.mesh import EYE_L, EYE_R
from omnihuman.latents.motion.probes import Probes, backward_shift
from omnihuman.types import Float

_GAZE_IOD = (0.10, 0.06)
_RIGID_RADII, _FREE_RADII = 1.15, 2.5
LABEL = {"r": EYE_R, "l": EYE_L}


@dataclass(frozen=True)
class Iris:
    """Iris at rest: `centre` `2` and `radius` in pixels."""

    centre: Float
    radius: float


def find_irises(landmarks: Float) -> dict[str, Iris]:
    """Irises from the detector's ten iris points `478 3`."""
    irises = {}
    for side in "rl":
        centre, *rim = landmarks[list(topo.IRIS[side]), :2]
        radius = float(np.linalg.norm(np.array(rim) - centre, axis=1).mean())
        irises[side] = Iris(np.asarray(centre, np.float32), max(radius, 1.0))
    return irises


def turn_eyes(
    field: Float,
    covered: NDArray[np.uint8],
    points: Float,
    rest: Float,
    probes: Probes,
    irises: dict[str, Iris],
    gaze: Float,
) -> None:
    """Rewrites the source map between the lids, in place.

    Args:
        field: `H W 2` source minus target position.
        covered: `H W` labels.
        points: `V 3` posed vertices with probes.
        rest: `V 3` the same at rest.
        probes: Numbers of the probes.
        irises: Per side.
        gaze: `2` shift of the iris in pixels of the picture at rest.
    """
    for side, numbers in (("r", probes.eye_r), ("l", probes.eye_l)):
        ring = points[[*topo.UPPER_LID[side], *topo.LOWER_LID[side], *topo.LID_CORNERS[side]], :2]
        left, top = np.maximum(np.floor(ring.min(0)).astype(int), 0)
        right, bottom = np.ceil(ring.max(0)).astype(int) + 1
        window = slice(top, max(bottom, top)), slice(left, max(right, left))
        shift = backward_shift(rest[list(numbers), :2], points[list(numbers), :2])
        iris = irises[side]
        _turn_eye(
            field[window], covered[window], LABEL[side], left, top, shift,
            np.array([*iris.centre, iris.radius, *gaze], np.float64),
        )  # fmt: skip


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
