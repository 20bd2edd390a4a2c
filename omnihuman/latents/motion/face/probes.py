"""Probes: points that ride on skull, jaw and eyes and measure the plane motion of what lies behind lips and lids.

Three points per frame span an affine map from the picture at rest to the moved picture. Geometry only.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.types import Float

_BEHIND_LIPS_IOD = 0.10
_ARM_IOD = 0.5


@dataclass(frozen=True)
class Probes:
    """Numbers of the probe points in the posed vertices, three per frame: origin, right, down.

    Attributes:
        skull: Upper teeth and palate.
        jaw: Lower teeth and tongue.
        eye_r: The subject's right eyeball.
        eye_l: The left one.
    """

    skull: tuple[int, int, int]
    jaw: tuple[int, int, int]
    eye_r: tuple[int, int, int]
    eye_l: tuple[int, int, int]


def place_probes(vertices: Float, frame: HeadFrame) -> tuple[Probes, Float]:
    """Chooses the probe points of a picture.

    Args:
        vertices: `V 3` mesh vertices; the probes are numbered behind them.
        frame: Frame of the pictured head.

    Returns:
        Their numbers and positions `12 3`.
    """
    lips = vertices[[13, 14]].mean(0) - _BEHIND_LIPS_IOD * frame.iod_px * frame.axes[:, 2]
    origins = [lips, lips]
    origins += [vertices[[*topo.UPPER_LID[s], *topo.LOWER_LID[s], *topo.LID_CORNERS[s]]].mean(0) for s in "rl"]
    arm = _ARM_IOD * frame.iod_px
    points = [o + d for o in origins for d in (0 * o, arm * frame.axes[:, 0], arm * frame.axes[:, 1])]
    first = [(n, n + 1, n + 2) for n in range(len(vertices), len(vertices) + 12, 3)]
    return Probes(*first), np.array(points, np.float32)


def backward_shift(rest: Float, moved: Float) -> NDArray[np.float64]:
    """Affine `2 3` that gives, at a moved position (x, y, 1), the shift back to rest; exactly zero at rest.

    Args:
        rest: `3 2` probe points of one frame at rest.
        moved: `3 2` the same after posing.
    """
    shift = (rest - moved).astype(np.float64)
    if not shift.any():
        return np.zeros((2, 3))
    plane = np.concatenate([moved, np.ones((3, 1))], 1).astype(np.float64)
    return np.asarray(np.linalg.solve(plane, shift).T, np.float64)
