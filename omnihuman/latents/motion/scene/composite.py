"""Samples the person layer along a source map and lays it over the background, in one pass. numba, one thread.

Legend: H height, W width. `out = P(source) + (1 - a(source)) B` with P = I - (1 - a) B, so a zero field gives the
picture I back exactly, whatever the matte and the filled background are.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray


@njit(cache=True, nogil=True, inline="always")
def mirrored(value: float, last: float) -> float:
    """A coordinate folded back into `0..last`: hair cut by the frame continues by its mirror image."""
    if value < 0:
        value = -value
    if value > last:
        value = 2 * last - value
    return min(max(value, 0.0), last)


@njit(cache=True, nogil=True, fastmath=True)
def composite(
    image: NDArray[np.uint8],
    residual: NDArray[np.float32],
    background: NDArray[np.uint8],
    field: NDArray[np.float32],
    covered: NDArray[np.uint8],
    out: NDArray[np.uint8],
) -> None:
    """Draws one frame.

    Args:
        image: `H W 3` the picture.
        residual: `H W 4` signed premultiplied person layer and alpha.
        background: `H W 3` the picture without the person.
        field: `H W 2` source minus target position.
        covered: `H W` 0 = background only.
        out: `H W 3` the frame.
    """
    height, width = covered.shape
    last_x, last_y = width - 1, height - 1
    for y in range(height):
        for x in range(width):
            if covered[y, x] == 0:
                for c in range(3):
                    out[y, x, c] = background[y, x, c]
                continue
            u, v = field[y, x, 0], field[y, x, 1]
            if u == 0 and v == 0:
                for c in range(3):
                    out[y, x, c] = image[y, x, c]
                continue
            sx = mirrored(x + u, last_x)
            sy = mirrored(y + v, last_y)
            x0, y0 = int(sx), int(sy)
            x1, y1 = min(x0 + 1, last_x), min(y0 + 1, last_y)
            fx, fy = np.float32(sx - x0), np.float32(sy - y0)
            one = np.float32(1)
            w00, w01 = (one - fx) * (one - fy), fx * (one - fy)
            w10, w11 = (one - fx) * fy, fx * fy
            through = one - (
                w00 * residual[y0, x0, 3]
                + w01 * residual[y0, x1, 3]
                + w10 * residual[y1, x0, 3]
                + w11 * residual[y1, x1, 3]
            )
            for c in range(3):
                value = (
                    w00 * residual[y0, x0, c]
                    + w01 * residual[y0, x1, c]
                    + w10 * residual[y1, x0, c]
                    + w11 * residual[y1, x1, c]
                    + through * np.float32(background[y, x, c])
                    + np.float32(0.5)
                )
                out[y, x, c] = np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@njit(cache=True, nogil=True, fastmath=True)
def sample_sprite(sprite: NDArray[np.float32], x: float, y: float, pixel: NDArray[np.float32]) -> None:
    """Bilinear sample of a premultiplied sprite `h w 4` into `pixel` `4`; empty outside."""
    height, width = sprite.shape[0], sprite.shape[1]
    if x < 0 or y < 0 or x > width - 1 or y > height - 1:
        pixel[:] = 0
        return
    x0, y0 = min(int(x), width - 2), min(int(y), height - 2)
    fx, fy = x - x0, y - y0
    for c in range(4):
        above = sprite[y0, x0, c] * (1 - fx) + sprite[y0, x0 + 1, c] * fx
        below = sprite[y0 + 1, x0, c] * (1 - fx) + sprite[y0 + 1, x0 + 1, c] * fx
        pixel[c] = above * (1 - fy) + below * fy
