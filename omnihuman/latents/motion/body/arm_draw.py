"""Moves the vertices of an arm layer and lays the arm over a drawn frame.

Legend: H height, W width of the frame; h, w of the layer; V vertices.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numba import njit
from numpy.typing import NDArray

from omnihuman.latents.motion.body.arm_gate import CURL, ELBOW, SHOULDER, SPREAD, WRIST
from omnihuman.latents.motion.body.arm_layer import ArmLayer
from omnihuman.latents.motion.body.hand import move_fingers, turned_about
from omnihuman.latents.motion.body.torso import move_body
from omnihuman.latents.motion.scene.raster import rasterise
from omnihuman.types import Float, Image

_REST_PX = 2.5
"""Moved this far, a pixel shows nothing more of the layer's rest."""
_TORSO = ("sway_x", "sway_y", "lean_deg", "twist_deg", "breathe", "shrug_l", "shrug_r")


def pose_arm(layer: ArmLayer, value: Mapping[str, float]) -> Float:
    """Moved vertices `V 2` for parameters by name."""
    asked = {name: layer.gate.limited(name, value[f"{name}_{layer.side}"]) for name in layer.gate.limits}
    points = layer.points
    if layer.fingers is not None:
        points = move_fingers(layer.fingers, points, asked[SPREAD], asked[CURL])
    for joint, name in ((2, WRIST), (1, ELBOW), (0, SHOULDER)):
        if asked[name]:
            angles = layer.lift_sign * np.radians(asked[name]) * layer.shares[joint]
            points = turned_about(points, layer.pivots[joint], angles)
    return _carried(layer, points, value)


def _carried(layer: ArmLayer, points: Float, value: Mapping[str, float]) -> Float:
    """The arm carried by the torso: stiffly with the shoulder joint, at the seam like the torso itself."""
    if not any(value[name] for name in _TORSO):
        return points
    at_rest = np.concatenate([layer.points, layer.pivots[:1]])
    moved = at_rest.copy()
    move_body(layer.body, moved, value)
    shift = moved - at_rest
    angle = np.radians(layer.body.gain * value["lean_deg"]) * layer.body.bend[-1]
    stiff = turned_about(points, layer.pivots[0], np.full(len(points), angle, np.float32)) - points + shift[-1]
    share = layer.shares[0][:, None]
    return np.asarray(points + share * stiff + (1 - share) * shift[:-1], np.float32)


def draw_arm(out: Image, layer: ArmLayer, points: Float) -> None:
    """Lays an arm with moved vertices `V 2` over the frame `H W 3`."""
    height, width = out.shape[:2]
    if np.array_equal(points, layer.points):
        lay_at_rest(out, layer.pixels, layer.rest, layer.origin[0], layer.origin[1])
        return
    low = np.maximum(np.floor(points.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(points.max(0)).astype(int) + 1, [width, height])
    if (high <= low).any():
        return
    plane = np.ascontiguousarray(points - low, np.float32)
    shift = np.ascontiguousarray((layer.points - layer.origin) - plane, np.float32)
    field = np.empty((*(high - low)[::-1], 2), np.float32)
    covered = np.empty(field.shape[:2], np.uint8)
    count = len(layer.triangles)
    rasterise(
        plane, shift, layer.triangles, np.arange(count, dtype=np.int32), np.ones(count, np.uint8), layer.mixed,
        layer.pixels, field, covered,
    )  # fmt: skip
    window = out[low[1] : high[1], low[0] : high[0]]
    left, top = low - layer.origin
    lay_over(window, layer.pixels, layer.rest, field, covered, int(left), int(top))


@njit(cache=True, nogil=True)
def lay_at_rest(
    out: NDArray[np.uint8], pixels: NDArray[np.float32], rest: NDArray[np.float32], left: int, top: int
) -> None:
    """Lays a layer whose first pixel is at (left, top) over a frame `H W 3`, unmoved."""
    height, width = out.shape[0], out.shape[1]
    for row in range(max(0, -top), min(pixels.shape[0], height - top)):
        for column in range(max(0, -left), min(pixels.shape[1], width - left)):
            through = np.float32(1) - pixels[row, column, 3]
            y, x = row + top, column + left
            for c in range(3):
                value = pixels[row, column, c] + rest[row, column, c] + through * np.float32(out[y, x, c])
                out[y, x, c] = np.uint8(min(max(value + np.float32(0.5), np.float32(0)), np.float32(255)))


@njit(cache=True, nogil=True, fastmath=True)
def lay_over(
    out: NDArray[np.uint8],
    pixels: NDArray[np.float32],
    rest: NDArray[np.float32],
    field: NDArray[np.float32],
    covered: NDArray[np.uint8],
    left: int,
    top: int,
) -> None:
    """Samples a layer along `field` and lays it over a window of the frame where `covered`.

    Args:
        out: `H W 3` the window.
        pixels: `h w 4` premultiplied colour and alpha.
        rest: `h w 3` what is added where the layer has not moved.
        field: `H W 2` place in the layer minus place in the window.
        covered: `H W`.
        left: Column of the window's first pixel in the layer, at rest.
        top: Its row.
    """
    height, width = covered.shape
    last_x, last_y = pixels.shape[1] - 1, pixels.shape[0] - 1
    one, zero = np.float32(1), np.float32(0)
    for y in range(height):
        for x in range(width):
            if covered[y, x] == 0:
                continue
            u, v = field[y, x, 0], field[y, x, 1]
            sx = min(max(x + u, zero), np.float32(last_x))
            sy = min(max(y + v, zero), np.float32(last_y))
            x0, y0 = int(sx), int(sy)
            x1, y1 = min(x0 + 1, last_x), min(y0 + 1, last_y)
            fx, fy = np.float32(sx - x0), np.float32(sy - y0)
            w00, w01 = (one - fx) * (one - fy), fx * (one - fy)
            w10, w11 = (one - fx) * fy, fx * fy
            through = one - (
                w00 * pixels[y0, x0, 3] + w01 * pixels[y0, x1, 3] + w10 * pixels[y1, x0, 3] + w11 * pixels[y1, x1, 3]
            )
            moved = np.float32(np.sqrt((u - left) * (u - left) + (v - top) * (v - top)))
            stays = one - moved / np.float32(_REST_PX)
            row, column = y + top, x + left
            kept = stays > zero and 0 <= row <= last_y and 0 <= column <= last_x
            for c in range(3):
                value = (
                    w00 * pixels[y0, x0, c]
                    + w01 * pixels[y0, x1, c]
                    + w10 * pixels[y1, x0, c]
                    + w11 * pixels[y1, x1, c]
                    + through * np.float32(out[y, x, c])
                )
                if kept:
                    value += stays * rest[row, column, c]
                out[y, x, c] = np.uint8(min(max(value + np.float32(0.5), zero), np.float32(255)))
