"""What each facial parameter does to the landmarks that it names, before it is spread over the skin.

Displacements are in the frame of the pictured face (right, down, towards the viewer) in IOD, relative to this
identity's own lips and lids. Values are hand-set from the anatomy of speech; no learned model. See `basis.py`.
Legend: K handle landmarks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from omnihuman.latents.motion.face import topology as topo
from omnihuman.types import Float

_SIDE_SIGN = {"r": -1.0, "l": 1.0}
"""The subject's right is the image left of a face that looks at the viewer."""
_CORNER_SHARE = 0.34
_JAW_LINE = {
    152: 0.97, 377: 0.96, 148: 0.96, 400: 0.92, 176: 0.92, 378: 0.84, 149: 0.84, 379: 0.72, 150: 0.72,
    365: 0.56, 136: 0.56, 397: 0.38, 172: 0.38, 288: 0.20, 58: 0.20, 361: 0.07, 132: 0.07,
}  # fmt: skip
_UPPER = np.array(topo.UPPER_LIP_ROWS)
_LOWER = np.array(topo.LOWER_LIP_ROWS)
_COLUMN = np.linspace(-1.0, 1.0, 11)
_INNERNESS = np.array([0.0, 0.4, 0.75, 1.0])[:, None]
_BROW_OUTER_TO_INNER = {"r": slice(None), "l": slice(None, None, -1)}

HANDLES: tuple[int, ...] = tuple(
    sorted(
        {
            *_UPPER.ravel().tolist(), *_LOWER.ravel().tolist(), *topo.CHIN_LINE, *topo.NOSE, *topo.OVAL,
            *(i for side in "rl" for rows in (
                topo.UPPER_LID, topo.LOWER_LID, topo.UPPER_LID_FOLD, topo.LOWER_LID_FOLD, topo.LID_CORNERS,
                topo.BROW_UPPER, topo.BROW_LOWER,
            ) for i in rows[side]),
            8, 9, 151,
        }
    )
)  # fmt: skip
"""Landmarks whose displacement every shape prescribes; all others follow smoothly."""


class FaceShapes:
    """Handle displacements of one identity.

    Args:
        landmarks: `468 3` in the face's own frame, IOD.
    """

    def __init__(self, landmarks: Float) -> None:
        self._points = landmarks.astype(np.float64)
        corner_r, corner_l = self._points[61], self._points[291]
        self._half_width = float(np.linalg.norm(corner_l - corner_r)) / 2
        self._bow = np.sqrt(np.clip(1 - _COLUMN**2, 0, 1))

    def names(self) -> tuple[str, ...]:
        """Names of the parameters that have a shape, in the order of `all`."""
        return tuple(self._table())

    def all(self) -> Float:
        """Displacements at full value, `S 468 3`; zero where a shape says nothing."""
        return np.stack([make() for make in self._table().values()]).astype(np.float32)

    def _table(self) -> dict[str, Callable[[], Float]]:
        table: dict[str, Callable[[], Float]] = {
            "jaw_open": self._jaw_open,
            "pucker": self._pucker,
            "funnel": self._funnel,
            "upper_lip_raise": self._upper_lip_raise,
            "lower_lip_down": self._lower_lip_down,
            "lip_press": self._lip_press,
            "mouth_x": self._mouth_x,
            "labiodental": self._labiodental,
            "brow_inner_up": self._brow_inner_up,
        }
        for side in "lr":
            table[f"smile_{side}"] = partial(self._corner, side, out=0.095, down=-0.088, bend=1.8, back=0.04)
            table[f"stretch_{side}"] = partial(self._corner, side, out=0.125, down=0.012, bend=1.2, back=0.05)
            table[f"frown_{side}"] = partial(self._corner, side, out=0.02, down=0.11, bend=1.6, back=0.01)
            table[f"brow_outer_up_{side}"] = partial(self._brow, side, (0.85, 1.0, 0.75, 0.3, 0.08), -0.14)
            table[f"brow_down_{side}"] = partial(self._brow, side, (0.5, 0.8, 1.0, 1.0, 1.0), 0.09)
            table[f"blink_{side}"] = partial(self._lids, side, upper=0.9, lower=0.1, fold=0.42)
            table[f"squint_{side}"] = partial(self._lids, side, upper=0.14, lower=0.32, fold=0.05)
        return table

    def _zero(self) -> Float:
        return np.zeros((topo.NUM_LANDMARKS, 3))

    def _jaw_open(self) -> Float:
        d = self._zero()
        drop = 0.30
        lower = _CORNER_SHARE + (1 - _CORNER_SHARE) * np.clip(1 - _COLUMN**2, 0, 1) ** 0.72
        d[_LOWER, 1] = drop * lower * (0.97 + 0.03 * _INNERNESS)
        d[_LOWER, 2] = -0.05 * lower
        d[_UPPER, 1] = drop * _CORNER_SHARE * np.abs(_COLUMN) ** 3.2 - 0.006 * self._bow
        for rows in (_LOWER, _UPPER):
            d[rows, 0] = -0.035 * _COLUMN
        for point in topo.CHIN_LINE:
            d[point] = (0.0, 0.97 * drop, -0.05)
        for point, share in _JAW_LINE.items():
            inward = -np.sign(self._points[point, 0] - self._points[topo.CHIN, 0]) * 0.03 * (1 - share) * share * 4
            d[point] = (inward, share * drop, -0.05 * share)
        return d

    def _rounded(self, narrow: float, forward: float) -> Float:
        d = self._zero()
        for rows in (_UPPER, _LOWER):
            d[rows, 0] = -narrow * self._half_width * _COLUMN
            d[rows, 2] = forward * (0.6 + 0.4 * self._bow)
        for point in (18, 200):
            d[point, 2] = 0.3 * forward
        return d

    def _pucker(self) -> Float:
        d = self._rounded(narrow=0.38, forward=0.07)
        d[_UPPER, 1] += -0.016 * self._bow * (1 - _INNERNESS)
        d[_LOWER, 1] += 0.018 * self._bow * (1 - _INNERNESS)
        return d

    def _funnel(self) -> Float:
        d = self._rounded(narrow=0.24, forward=0.05)
        d[_UPPER, 1] += -0.042 * self._bow * (1.1 - 0.1 * _INNERNESS)
        d[_LOWER, 1] += 0.058 * self._bow
        d[18, 1] += 0.03
        return d

    def _corner(self, side: str, out: float, down: float, bend: float, back: float) -> Float:
        """Pulls one corner; the lips follow ever less towards the middle and a little beyond it."""
        d = self._zero()
        sign = _SIDE_SIGN[side]
        pull = np.clip((sign * _COLUMN + 0.25) / 1.25, 0, 1)
        for rows in (_UPPER, _LOWER):
            d[rows, 0] = sign * out * pull**1.15
            d[rows, 1] = down * pull**bend
            d[rows, 2] = -back * pull
        if down < -0.05:
            d[list(topo.LOWER_LID[side]), 1] = -0.010
            d[list(topo.LOWER_LID_FOLD[side]), 1] = -0.016
        return d

    def _upper_lip_raise(self) -> Float:
        d = self._zero()
        d[_UPPER, 1] = -0.11 * self._bow * (0.75 + 0.25 * _INNERNESS)
        for point in (2, 97, 326, 98, 327, 64, 294, 94):
            d[point, 1] = -0.018
        return d

    def _lower_lip_down(self) -> Float:
        d = self._zero()
        d[_LOWER, 1] = 0.12 * self._bow * (0.7 + 0.3 * _INNERNESS)
        d[18, 1] = 0.035
        return d

    def _rolled(self, rows: np.ndarray, share: float) -> np.ndarray:
        """Displacement `4 11` along down that thins a lip towards its inner edge."""
        height = self._points[rows, 1]
        return share * (height[3] - height) * self._bow**0.5

    def _lip_press(self) -> Float:
        d = self._zero()
        d[_UPPER, 1] = self._rolled(_UPPER, 0.5)
        d[_LOWER, 1] = self._rolled(_LOWER, 0.5)
        for rows in (_UPPER, _LOWER):
            d[rows, 0] = 0.012 * _COLUMN
            d[rows, 2] = -0.03
        d[18, 1] = -0.012
        return d

    def _mouth_x(self) -> Float:
        d = self._zero()
        for rows in (_UPPER, _LOWER):
            d[rows, 0] = 0.10
        for point, share in ((18, 0.75), (200, 0.6), (199, 0.45), (175, 0.35), (152, 0.3), (2, 0.12), (94, 0.1)):
            d[point, 0] = 0.10 * share
        return d

    def _labiodental(self) -> Float:
        d = self._zero()
        d[_UPPER, 1] = -0.034 * self._bow * (0.8 + 0.2 * _INNERNESS)
        d[_LOWER, 1] = self._rolled(_LOWER, 0.38)
        d[_LOWER, 2] = -0.05 * self._bow
        d[18, 1] = -0.015
        return d

    def _brow(self, side: str, shares: tuple[float, ...], down: float) -> Float:
        d = self._zero()
        order = _BROW_OUTER_TO_INNER[side]
        for rows, factor in ((topo.BROW_UPPER, 1.0), (topo.BROW_LOWER, 0.95)):
            d[list(rows[side])[order], 1] = down * factor * np.array(shares)
        d[list(topo.UPPER_LID_FOLD[side]), 1] = down * 0.14
        if down > 0:
            d[list(topo.BROW_UPPER[side])[order][2:], 0] = -_SIDE_SIGN[side] * 0.018
            d[list(topo.BROW_LOWER[side])[order][2:], 0] = -_SIDE_SIGN[side] * 0.018
            d[9, 1], d[8, 1] = 0.5 * down / 2, 0.5 * down / 2
        return d

    def _brow_inner_up(self) -> Float:
        d = self._brow("r", (0.0, 0.12, 0.45, 0.92, 1.0), -0.13) + self._brow("l", (0.0, 0.12, 0.45, 0.92, 1.0), -0.13)
        d[9, 1], d[8, 1], d[151, 1] = -0.07, -0.03, -0.05
        return d

    def _lids(self, side: str, upper: float, lower: float, fold: float) -> Float:
        """Closes the eye by shares of this person's own lid gap."""
        d = self._zero()
        top, bottom = list(topo.UPPER_LID[side]), list(topo.LOWER_LID[side])
        first, last = topo.LID_CORNERS[side]
        gap_top = np.maximum(0.0, self._height_at(top, [first, *bottom, last]) - self._points[top, 1])
        gap = np.maximum(0.0, self._points[bottom, 1] - self._height_at(bottom, [first, *top, last]))
        d[top, 1], d[bottom, 1] = upper * gap_top, -lower * gap
        d[list(topo.UPPER_LID_FOLD[side]), 1] = fold * upper * gap_top
        d[list(topo.LOWER_LID_FOLD[side]), 1] = -0.6 * lower * gap
        return d

    def _height_at(self, points: list[int], curve: list[int]) -> np.ndarray:
        """Height of a curve through landmarks, from image left to right, at the places of `points`."""
        x = np.maximum.accumulate(self._points[curve, 0])
        return np.interp(self._points[points, 0], x, self._points[curve, 1])


def seal_columns() -> tuple[Float, tuple[str, ...]]:
    """How far each lip landmark follows when one inner column is moved by 1 along down, `18 468`.

    Returns:
        Shares, upper lip columns first, and the matching names.
    """
    shares = np.zeros((18, topo.NUM_LANDMARKS), np.float32)
    follow = np.array([0.7, 0.82, 0.92, 1.0], np.float32)
    for column in range(9):
        shares[column, _UPPER[:, column + 1]] = follow
        shares[9 + column, _LOWER[:, column + 1]] = follow
    return shares, tuple(f"{lip}_{column}" for lip in ("upper", "lower") for column in range(9))
