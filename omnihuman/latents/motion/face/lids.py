"""Keeps lashes and lid lines at the edge of a moving upper lid instead of smearing them over it.

The skin between lid edge and fold stretches when the eye closes; this bends the source map there so that the part
next to the edge rides along unstretched and the plain skin above gives all the length. numba for the pixels.
Legend: H height, W width.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.mesh import SKIN
from omnihuman.types import Float

_RIGID_SHARE = 0.62
"""Part of the band from lid edge to fold that carries lashes and lines."""
_FADE_SHARE = 0.35


def keep_lashes(field: Float, covered: NDArray[np.uint8], points: Float, rest: Float) -> None:
    """Bends the source map above both eyes, in place.

    Args:
        field: `H W 2` source minus target position.
        covered: `H W` labels.
        points: `V 3` posed vertices.
        rest: `V 3` the same at rest.
    """
    for side in "rl":
        first, last = topo.LID_CORNERS[side]
        edge, fold = [first, *topo.UPPER_LID[side], last], [first, *topo.UPPER_LID_FOLD[side], last]
        here, above = points[edge, :2].astype(np.float64), points[fold, :2].astype(np.float64)
        band = np.linalg.norm(rest[edge, :2] - rest[fold, :2], axis=1)
        stretched = np.linalg.norm(here - above, axis=1)
        if (stretched <= band * 1.02 + 0.05).all() or (np.diff(here[:, 0]) <= 0).any():
            continue
        left, right = max(0, int(np.ceil(here[0, 0]))), min(covered.shape[1], int(here[-1, 0]) + 1)
        columns = np.arange(left, right)
        if not len(columns):
            continue
        order = np.maximum.accumulate(above[:, 0])
        bottom = np.interp(columns, here[:, 0], here[:, 1])
        top = np.interp(columns, order, above[:, 1])
        height = np.interp(columns, here[:, 0], band)
        middle = np.linspace(0, 1, len(columns))
        # Towards the corners of the eye the band closes and the map stays as it is.
        share = np.clip(np.minimum(middle, 1 - middle) / (_FADE_SHARE / 2), 0, 1)
        _bend(field, covered, left, np.stack([bottom, top, height, share], 1))


@njit(cache=True, nogil=True)
def _bend(
    field: NDArray[np.float32], covered: NDArray[np.uint8], left: int, columns: NDArray[np.float64]
) -> None:  # fmt: skip
    for k in range(len(columns)):
        bottom, top, band, share = columns[k]
        stretched = bottom - top
        if stretched <= band * 1.001 or band < 1.0:
            continue
        rigid = _RIGID_SHARE * band
        x = left + k
        for y in range(max(0, int(np.ceil(top))), min(covered.shape[0], int(bottom) + 1)):
            if covered[y, x] != SKIN:
                continue
            away = bottom - y
            even = away * band / stretched
            spread = rigid + (band - rigid) * (away - rigid) / (stretched - rigid)
            wanted = away if away < rigid else spread
            field[y, x, 1] -= share * (wanted - even)
