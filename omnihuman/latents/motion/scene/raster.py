"""Rasteriser: moved triangles -> for each pixel, where in the picture it comes from and which part it shows.

A triangle that has folded over is culled: the mesh is one piece, so the pixels below it belong to another triangle.
Later triangles win. numba, one thread, compiled once and cached.
Legend: V vertices, F triangles, N triangles in drawing order, H height, W width.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

_EDGE = 1e-4
"""Pixels that lie on a shared edge are drawn by both triangles, so no crack can open."""


@njit(cache=True, nogil=True)
def rasterise(  # noqa: PLR0913 - compiled code takes arrays, not objects
    points: NDArray[np.float32],
    shift: NDArray[np.float32],
    triangles: NDArray[np.int32],
    order: NDArray[np.int32],
    labels: NDArray[np.uint8],
    mixed: NDArray[np.uint8],
    residual: NDArray[np.float32],
    field: NDArray[np.float32],
    covered: NDArray[np.uint8],
) -> None:
    """Fills `field` and `covered`.

    Args:
        points: `V 2` moved vertices, pixels.
        shift: `V 2` source minus moved position.
        triangles: `F 3`.
        order: `N` triangle numbers, furthest first.
        labels: `F` what each triangle shows.
        mixed: `F` 1 where a triangle straddles the silhouette; it never covers a drawn pixel with background.
        residual: `h w 4` the layer that is drawn (`h w` = `H W` for the person layer); its last channel is alpha.
        field: `H W 2` out: source minus target position, valid where covered.
        covered: `H W` out: label of the triangle that shows, 0 = none.
    """
    height, width = covered.shape
    covered[:] = 0
    for k in range(len(order)):
        f = order[k]
        i, j, m = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay = float(points[i, 0]), float(points[i, 1])
        bx, by = float(points[j, 0]), float(points[j, 1])
        cx, cy = float(points[m, 0]), float(points[m, 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area <= 1e-9:
            continue
        y_low, y_high = min(ay, by, cy), max(ay, by, cy)
        if y_high < 0 or y_low > height - 1 or max(ax, bx, cx) < 0 or min(ax, bx, cx) > width - 1:
            continue
        u0, u1, u2 = float(shift[i, 0]), float(shift[j, 0]), float(shift[m, 0])
        v0, v1, v2 = float(shift[i, 1]), float(shift[j, 1]), float(shift[m, 1])
        # Gradients of the two linear functions over the plane of the picture.
        u_x = ((u1 - u0) * (cy - ay) - (u2 - u0) * (by - ay)) / area
        u_y = ((u2 - u0) * (bx - ax) - (u1 - u0) * (cx - ax)) / area
        v_x = ((v1 - v0) * (cy - ay) - (v2 - v0) * (by - ay)) / area
        v_y = ((v2 - v0) * (bx - ax) - (v1 - v0) * (cx - ax)) / area
        u_low, u_high = min(u0, u1, u2), max(u0, u1, u2)
        v_low, v_high = min(v0, v1, v2), max(v0, v1, v2)
        for y in range(max(0, int(np.ceil(y_low - _EDGE))), min(height - 1, int(np.floor(y_high + _EDGE))) + 1):
            left, right = _span(float(y), ax, ay, bx, by, cx, cy)
            for x in range(max(0, int(np.ceil(left - _EDGE))), min(width - 1, int(np.floor(right + _EDGE))) + 1):
                u = min(max(u0 + u_x * (x - ax) + u_y * (y - ay), u_low), u_high)
                v = min(max(v0 + v_x * (x - ax) + v_y * (y - ay), v_low), v_high)
                if mixed[f] == 1 and covered[y, x] != 0:
                    source_x = min(max(int(x + u + 0.5), 0), residual.shape[1] - 1)
                    source_y = min(max(int(y + v + 0.5), 0), residual.shape[0] - 1)
                    if residual[source_y, source_x, 3] < 0.5:
                        continue
                field[y, x, 0] = u
                field[y, x, 1] = v
                covered[y, x] = labels[f]


@njit(cache=True, nogil=True, inline="always")
def _span(
    y: float, ax: float, ay: float, bx: float, by: float, cx: float, cy: float
) -> tuple[float, float]:  # fmt: skip
    """Leftmost and rightmost x of a triangle on one row; empty (left > right) when the row misses it."""
    left, right = 1e30, -1e30
    for edge in range(3):
        if edge == 0:
            x0, y0, x1, y1 = ax, ay, bx, by
        elif edge == 1:
            x0, y0, x1, y1 = bx, by, cx, cy
        else:
            x0, y0, x1, y1 = cx, cy, ax, ay
        if y0 > y1:
            x0, y0, x1, y1 = x1, y1, x0, y0
        if y < y0 - _EDGE or y > y1 + _EDGE:
            continue
        if y1 - y0 < 1e-7:
            left, right = min(left, x0, x1), max(right, x0, x1)
        else:
            t = min(max((y - y0) / (y1 - y0), 0.0), 1.0)
            x = x0 + t * (x1 - x0)
            left, right = min(left, x), max(right, x)
    return left, right


@njit(cache=True, nogil=True)
def triangle_map(
    points: NDArray[np.float32], triangles: NDArray[np.int32], height: int, width: int
) -> NDArray[np.int32]:
    """Number of the triangle under each pixel at rest, `H W`, -1 where there is none."""
    owner = np.full((height, width), -1, np.int32)
    for f in range(len(triangles)):
        i, j, m = triangles[f, 0], triangles[f, 1], triangles[f, 2]
        ax, ay = float(points[i, 0]), float(points[i, 1])
        bx, by = float(points[j, 0]), float(points[j, 1])
        cx, cy = float(points[m, 0]), float(points[m, 1])
        y_low, y_high = min(ay, by, cy), max(ay, by, cy)
        for y in range(max(0, int(np.ceil(y_low - _EDGE))), min(height - 1, int(np.floor(y_high + _EDGE))) + 1):
            left, right = _span(float(y), ax, ay, bx, by, cx, cy)
            for x in range(max(0, int(np.ceil(left - _EDGE))), min(width - 1, int(np.floor(right + _EDGE))) + 1):
                owner[y, x] = f
    return owner
