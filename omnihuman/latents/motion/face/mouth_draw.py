"""Draws the interior of the mouth into a frame, where and as far as the lips have opened beyond the picture's own.

The outline of the opening is a smooth curve through the inner lips; everything fades in with the change of the
opening, so the picture at rest stays untouched. numba for the pixels.
Legend: H height, W width; h, w of the drawn region.
"""

from __future__ import annotations

import cv2
import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.mesh import MOUTH
from omnihuman.latents.motion.face.mouth import MouthInterior
from omnihuman.latents.motion.face.probes import Probes, backward_shift
from omnihuman.latents.motion.ramps import ramp, smoothstep
from omnihuman.latents.motion.scene.composite import sample_sprite
from omnihuman.types import Float, Image

_FADE_IOD = (0.002, 0.028)
_SLIT_IOD, _UPPER_IOD, _LOWER_IOD = (0.004, 0.016), (0.008, 0.026), (0.035, 0.080)
"""Widest opening at which the dark between the lips, the upper and the lower teeth begin to show, and show fully."""
_PARTED_IOD, _LINE_IOD = 0.06, 0.02
_RING = (*topo.UPPER_LIP_ROWS[3], *topo.LOWER_LIP_ROWS[3][-2:0:-1])
_CURVE_STEPS = 4


def draw_mouth(
    out: Image,
    covered: NDArray[np.uint8],
    interior: MouthInterior,
    points: Float,
    rest: Float,
    probes: Probes,
    tongue: float,
) -> None:
    """Draws into `out` in place.

    Args:
        out: `H W 3` the frame so far.
        covered: `H W` labels of the frame.
        interior: Of the picture.
        points: `V 3` posed vertices with probes.
        rest: `V 3` the same at rest.
        probes: Numbers of the probes.
        tongue: 0..1 how far the tip shows.
    """
    iod_px = interior.iod_px
    amount = _opening_change(points, rest, iod_px)
    amount = max(amount, ramp(tongue / 0.3) if tongue > 0 else 0.0)
    if amount <= 0:
        return
    curve = smooth_ring(points[list(_RING), :2])
    pad = 0.05 * iod_px + 2
    low = np.floor(curve.min(0) - pad).astype(int)
    high = np.ceil(curve.max(0) + pad).astype(int) + 1
    left, top = max(0, low[0]), max(0, low[1])
    right, bottom = min(out.shape[1], high[0]), min(out.shape[0], high[1])
    if right - left < 2 or bottom - top < 2:
        return
    mask, light = _opening(curve - [left, top], (bottom - top, right - left), iod_px)
    skull = backward_shift(rest[list(probes.skull), :2], points[list(probes.skull), :2])
    jaw = backward_shift(rest[list(probes.jaw), :2], points[list(probes.jaw), :2])
    gap = float(np.linalg.norm(points[list(topo.LOWER_INNER)] - points[list(topo.UPPER_INNER)], axis=1).max())
    shown = [ramp((gap / iod_px - low) / (high - low)) for low, high in (_SLIT_IOD, _UPPER_IOD, _LOWER_IOD)]
    shape = np.array([interior.upper_edge, interior.lower_lip, tongue, amount, *shown])
    inverse = np.linalg.inv(interior.axes.astype(np.float64))
    _paint(
        out[top:bottom, left:right], covered[top:bottom, left:right], mask, light, interior.upper, interior.lower,
        np.array([left, top, *interior.origin, *interior.centre], np.float64),
        np.concatenate([skull.ravel(), jaw.ravel(), inverse.ravel(), shape]),
        np.concatenate([interior.cavity, interior.tongue, interior.seam]).astype(np.float32),
    )  # fmt: skip
    parted = ramp(interior.rest_gap_px / iod_px / _PARTED_IOD)
    if parted > 0 and shown[0] < 1:
        _close(out[top:bottom, left:right], curve - [left, top], interior.seam, parted * (1 - shown[0]), iod_px)


def _close(out: Image, curve: Float, seam: Float, amount: float, iod_px: float) -> None:
    """Lays the line of closed lips over edges that the picture shows against teeth, `out` in place."""
    line = np.zeros(out.shape[:2], np.uint8)
    thickness = max(1, round(_LINE_IOD * iod_px))
    cv2.polylines(line, [np.round(curve * 16).astype(np.int32)], True, 255, thickness, cv2.LINE_AA, shift=4)
    soft = cv2.GaussianBlur(line, (0, 0), max(0.6, 0.4 * thickness)).astype(np.float32)[..., None] / 255.0
    out[:] = (out + amount * soft * (seam - out) + 0.5).astype(np.uint8)


def _opening_change(points: Float, rest: Float, iod_px: float) -> float:
    """0..1 how far the opening differs from the picture's own."""
    upper, lower = list(topo.UPPER_INNER), list(topo.LOWER_INNER)
    now = np.linalg.norm(points[lower] - points[upper], axis=1)
    before = np.linalg.norm(rest[lower] - rest[upper], axis=1)
    change = float(np.abs(now - before).max()) / iod_px
    return ramp((change - _FADE_IOD[0]) / (_FADE_IOD[1] - _FADE_IOD[0]))


def smooth_ring(ring: Float) -> Float:
    """Closed Catmull-Rom curve through `N 2` points, `4N 2`; the two corners of the mouth stay sharp."""
    before, here, after, beyond = (np.roll(ring, k, 0) for k in (1, 0, -1, -2))
    tangent_0, tangent_1 = (after - before) / 2, (beyond - here) / 2
    corners = (0, len(topo.UPPER_LIP_ROWS[3]) - 1)
    for corner in corners:
        tangent_0[corner] = 0.5 * (after - here)[corner]
        tangent_1[corner - 1] = 0.5 * (after - here)[corner - 1]
    t = (np.arange(_CURVE_STEPS) / _CURVE_STEPS)[None, :, None]
    curve = (
        (2 * t**3 - 3 * t**2 + 1) * here[:, None]
        + (t**3 - 2 * t**2 + t) * tangent_0[:, None]
        + (3 * t**2 - 2 * t**3) * after[:, None]
        + (t**3 - t**2) * tangent_1[:, None]
    )
    return np.asarray(curve.reshape(-1, 2))


def _opening(curve: Float, size: tuple[int, int], iod_px: float) -> tuple[Float, Float]:
    """Soft mask of the opening and the light that falls into it, both `h w` 0..1."""
    big = np.zeros((size[0] * 2, size[1] * 2), np.uint8)
    cv2.fillPoly(big, [np.round((curve + 0.25) * 2 * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    mask = cv2.resize(big, (size[1], size[0]), interpolation=cv2.INTER_AREA).astype(np.float32) / 255.0
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.004 * iod_px))
    depth = max(1.0, 0.035 * iod_px)
    # The upper lip and the brow of the mouth shade what is directly below them.
    lowered = cv2.warpAffine(mask, np.array([[1, 0, 0], [0, 1, 0.35 * depth]], np.float64), (size[1], size[0]))
    light = cv2.blur(lowered, (2 * int(depth) + 1, 2 * int(depth) + 1))
    light = cv2.blur(light, (2 * int(depth / 2) + 1, 2 * int(depth / 2) + 1))
    return mask, np.asarray(smoothstep((light - 0.05) / 0.62), np.float32)


@njit(cache=True, nogil=True, fastmath=True)
def _paint(  # noqa: PLR0913 - compiled code takes arrays, not objects
    out: NDArray[np.uint8],
    covered: NDArray[np.uint8],
    mask: NDArray[np.float32],
    light: NDArray[np.float32],
    upper: NDArray[np.float32],
    lower: NDArray[np.float32],
    places: NDArray[np.float64],
    numbers: NDArray[np.float64],
    colours: NDArray[np.float32],
) -> None:
    """Per pixel: cavity, tongue, lower teeth, upper teeth, tongue tip, each over the one before."""
    left, top, origin_x, origin_y, centre_x, centre_y = places
    skull, jaw, inverse = numbers[0:6], numbers[6:12], numbers[12:16]
    upper_edge, lower_lip, tip, amount = numbers[16], numbers[17], numbers[18], numbers[19]
    slit, upper_shown, lower_shown = numbers[20], numbers[21], numbers[22]
    pixel = np.zeros(4, np.float32)
    colour = np.zeros(3, np.float32)
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            if covered[row, column] == MOUTH:
                # Squeezed teeth of the picture must not glint through lips that close over them.
                thin = amount * (1 - mask[row, column])
                for c in range(3):
                    out[row, column, c] = np.uint8(out[row, column, c] * (1 - thin) + colours[6 + c] * thin)
            cover = mask[row, column] * amount
            if cover < 0.004:
                continue
            x, y = column + left, row + top
            skull_x, skull_y = _moved(skull, x, y)
            jaw_x, jaw_y = _moved(jaw, x, y)
            a = inverse[0] * (jaw_x - centre_x) + inverse[1] * (jaw_y - centre_y)
            b = inverse[2] * (jaw_x - centre_x) + inverse[3] * (jaw_y - centre_y)
            b_skull = inverse[2] * (skull_x - centre_x) + inverse[3] * (skull_y - centre_y)
            # Teeth stand before the dark, the upper ones in front.
            bright = light[row, column]
            # The floor of the mouth: a mound that lies lower at the sides, darker towards the throat.
            top_b = lower_lip - 0.115 - 0.02 * tip + 1.7 * a * a
            mound = _ramp((b - top_b) / 0.06 + 0.3)
            depth_shade = 0.50 + 0.46 * _ramp((b - top_b) / 0.10) - 0.10 * _ramp(1.0 - abs(a) / 0.012)
            for c in range(3):
                flesh = colours[3 + c] * depth_shade
                colour[c] = (colours[c] + mound * (flesh - colours[c])) * (0.40 + 0.60 * bright)
            sample_sprite(lower, jaw_x - origin_x, jaw_y - origin_y, pixel)
            for c in range(3):
                colour[c] += lower_shown * (0.96 * pixel[c] * (0.46 + 0.54 * bright) - pixel[3] * colour[c])
            sample_sprite(upper, skull_x - origin_x, skull_y - origin_y, pixel)
            for c in range(3):
                colour[c] += upper_shown * (pixel[c] * (0.60 + 0.40 * bright) - pixel[3] * colour[c])
            if tip > 0:
                reach = upper_edge - 0.012
                edge = b - b_skull + reach + 3.2 * a * a + (1 - tip) * 0.12
                shown = _ramp((b - edge) / 0.014 + 0.5) * _ramp((0.16 - abs(a)) / 0.04) * _ramp(tip / 0.35)
                shade = 0.74 + 0.16 * _ramp((b - edge) / 0.05) - 0.08 * _ramp(1.0 - abs(a) / 0.014)
                for c in range(3):
                    colour[c] += shown * (colours[3 + c] * shade * (0.50 + 0.50 * bright) - colour[c])
            for c in range(3):
                inside = colours[6 + c] + slit * (colour[c] - colours[6 + c])
                value = out[row, column, c] + cover * (inside - out[row, column, c]) + 0.5
                out[row, column, c] = np.uint8(min(max(value, 0.0), 255.0))


@njit(cache=True, nogil=True, inline="always")
def _ramp(t: float) -> float:
    t = min(max(t, 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True, nogil=True, inline="always")
def _moved(shift: NDArray[np.float64], x: float, y: float) -> tuple[float, float]:
    return x + shift[0] * x + shift[1] * y + shift[2], y + shift[3] * x + shift[4] * y + shift[5]
