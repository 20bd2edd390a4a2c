"""Patches of a picture compared, searched and copied: the compiled loops of `exemplar.py`. numba, one thread.

Legend: H height, W width, N pixels to fill; a place is column x and row y; `source` `H W 2` holds the place that each
wanted pixel is copied from, -1 where there is none.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

KNOWN, WANTED, IGNORED = 0, 1, 2
"""States of a pixel: may be copied, is to be filled, is looked at by nobody."""

RADIUS = 3
"""Patches are squares of twice this and one."""
SEED_TRIES = 240
NEVER = 1e30


@njit(cache=True, nogil=True, inline="always")
def _next(seed: int) -> int:
    """A pseudo-random number from the one before (a linear congruential generator, Numerical Recipes)."""
    return (seed * 1664525 + 1013904223) & 0xFFFFFFFF


@njit(cache=True, nogil=True, inline="always")
def _nearby(seed: int, x: int, y: int, reach: int, way: int) -> tuple[int, int, int]:
    """The next seed and a place within reach; ways 1 and 3 keep the row or the column: straight lines are common."""
    seed = _next(seed)
    sx = x if way == 3 else x + (seed >> 8) % (2 * reach + 1) - reach
    seed = _next(seed)
    sy = y if way == 1 else y + (seed >> 8) % (2 * reach + 1) - reach
    return seed, sx, sy


@njit(cache=True, nogil=True, fastmath=True)
def _distance(  # noqa: PLR0913 - compiled code takes arrays, not objects
    colour: NDArray[np.float32], state: NDArray[np.uint8], trust: NDArray[np.float32],
    x: int, y: int, sx: int, sy: int, limit: float,
) -> float:  # fmt: skip
    """Mean squared difference of two patches, over the pixels of the first that count; stops above `limit`."""
    height, width = state.shape
    total, weight = np.float32(0), np.float32(0)
    most = np.float32(limit) * np.float32((2 * RADIUS + 1) ** 2)
    for dy in range(-RADIUS, RADIUS + 1):
        ty = y + dy
        if ty < 0 or ty >= height:
            continue
        for dx in range(-RADIUS, RADIUS + 1):
            tx = x + dx
            if tx < 0 or tx >= width or state[ty, tx] == IGNORED:
                continue
            r = colour[ty, tx, 0] - colour[sy + dy, sx + dx, 0]
            g = colour[ty, tx, 1] - colour[sy + dy, sx + dx, 1]
            b = colour[ty, tx, 2] - colour[sy + dy, sx + dx, 2]
            w = trust[ty, tx]
            total += w * (r * r + g * g + b * b)
            weight += w
        if total > most:
            return NEVER
    return float(total / max(weight, np.float32(1e-6)))


@njit(cache=True, nogil=True)
def grow(  # noqa: PLR0913 - compiled code takes arrays, not objects
    colour: NDArray[np.float32],
    state: NDArray[np.uint8],
    usable: NDArray[np.uint8],
    wanted: NDArray[np.int32],
    order: NDArray[np.int64],
    anywhere: NDArray[np.int32],
    source: NDArray[np.int32],
    reach: int,
) -> None:
    """Fills wanted pixels in a given order, each from the best patch found for what is known round it by then.

    Args:
        colour: `H W 3`; wanted pixels are written.
        state: `H W`.
        usable: `H W` 1 where a whole patch is known.
        wanted: `N 2`.
        order: `N` numbers of wanted pixels, first to last.
        anywhere: `M 2` usable places.
        source: `H W 2`, written.
        reach: Greatest distance of a source along either axis.
    """
    height, width = state.shape
    # What is not filled yet does not count: it is ignored until its turn comes.
    now = state.copy()
    for k in range(len(wanted)):
        now[wanted[k, 1], wanted[k, 0]] = IGNORED
    equal = np.ones(state.shape, np.float32)
    seed = 12345
    for n in range(len(order)):
        x, y = wanted[order[n], 0], wanted[order[n], 1]
        best, bx, by = NEVER, -1, -1
        for dy in range(-1, 2):
            for dx in range(-1, 2):
                nx, ny = x + dx, y + dy
                if nx < 0 or ny < 0 or nx >= width or ny >= height or source[ny, nx, 0] < 0:
                    continue
                sx, sy = source[ny, nx, 0] - dx, source[ny, nx, 1] - dy
                if sx < 0 or sy < 0 or sx >= width or sy >= height or usable[sy, sx] == 0:
                    continue
                d = _distance(colour, now, equal, x, y, sx, sy, best)
                if d < best:
                    best, bx, by = d, sx, sy
        for k in range(SEED_TRIES):
            seed, sx, sy = _nearby(seed, x, y, reach, k % 4)
            if sx < 0 or sy < 0 or sx >= width or sy >= height or usable[sy, sx] == 0:
                continue
            d = _distance(colour, now, equal, x, y, sx, sy, best)
            if d < best:
                best, bx, by = d, sx, sy
        while bx < 0:
            seed = _next(seed)
            pick = (seed >> 8) % len(anywhere)
            bx, by = anywhere[pick, 0], anywhere[pick, 1]
        source[y, x, 0], source[y, x, 1] = bx, by
        for c in range(3):
            colour[y, x, c] = colour[by, bx, c]
        now[y, x] = WANTED


@njit(cache=True, nogil=True)
def improve(  # noqa: PLR0913 - compiled code takes arrays, not objects
    colour: NDArray[np.float32],
    state: NDArray[np.uint8],
    usable: NDArray[np.uint8],
    trust: NDArray[np.float32],
    wanted: NDArray[np.int32],
    source: NDArray[np.int32],
    reach: int,
    seed: int,
    backwards: bool,
) -> NDArray[np.float32]:
    """One PatchMatch sweep: neighbours' offsets, then ever nearer random tries; returns the distance of each patch."""
    height, width = state.shape
    count = len(wanted)
    cost = np.zeros(count, np.float32)
    step = 1 if backwards else -1
    seed = _next(seed + 1)
    for k in range(count):
        i = count - 1 - k if backwards else k
        x, y = wanted[i, 0], wanted[i, 1]
        bx, by = source[y, x, 0], source[y, x, 1]
        best = _distance(colour, state, trust, x, y, bx, by, NEVER)
        for side in range(2):
            nx, ny = (x + step, y) if side == 0 else (x, y + step)
            if nx < 0 or ny < 0 or nx >= width or ny >= height or source[ny, nx, 0] < 0:
                continue
            sx, sy = source[ny, nx, 0] + x - nx, source[ny, nx, 1] + y - ny
            if (sx == bx and sy == by) or sx < 0 or sy < 0 or sx >= width or sy >= height or usable[sy, sx] == 0:
                continue
            d = _distance(colour, state, trust, x, y, sx, sy, best)
            if d < best:
                best, bx, by = d, sx, sy
        radius = reach
        while radius >= 1:
            seed = _next(seed)
            sx = bx + (seed >> 8) % (2 * radius + 1) - radius
            seed = _next(seed)
            sy = by + (seed >> 8) % (2 * radius + 1) - radius
            radius //= 3
            if sx < 0 or sy < 0 or sx >= width or sy >= height or usable[sy, sx] == 0:
                continue
            if abs(sx - x) > reach or abs(sy - y) > reach:
                continue
            d = _distance(colour, state, trust, x, y, sx, sy, best)
            if d < best:
                best, bx, by = d, sx, sy
        source[y, x, 0], source[y, x, 1] = bx, by
        cost[i] = best
    return cost


@njit(cache=True, nogil=True, fastmath=True)
def vote(
    colour: NDArray[np.float32],
    state: NDArray[np.uint8],
    trust: NDArray[np.float32],
    wanted: NDArray[np.int32],
    source: NDArray[np.int32],
    cost: NDArray[np.float32],
) -> None:
    """Every wanted pixel becomes the weighted mean of what the patches over it say."""
    height, width = state.shape
    scale = max(float(np.percentile(cost, 50)), 25.0)
    total = np.zeros((height, width, 4), np.float32)
    for k in range(len(wanted)):
        x, y = wanted[k, 0], wanted[k, 1]
        sx, sy = source[y, x, 0], source[y, x, 1]
        weight = trust[y, x] * np.exp(-cost[k] / (2 * scale)) + np.float32(1e-6)
        for dy in range(-RADIUS, RADIUS + 1):
            ty = y + dy
            if ty < 0 or ty >= height:
                continue
            for dx in range(-RADIUS, RADIUS + 1):
                tx = x + dx
                if tx < 0 or tx >= width or state[ty, tx] != WANTED:
                    continue
                # The middle of a patch counts most: means of whole patches blur.
                w = weight / np.float32(1 + dx * dx + dy * dy)
                for c in range(3):
                    total[ty, tx, c] += w * colour[sy + dy, sx + dx, c]
                total[ty, tx, 3] += w
    for k in range(len(wanted)):
        x, y = wanted[k, 0], wanted[k, 1]
        for c in range(3):
            colour[y, x, c] = total[y, x, c] / total[y, x, 3]


@njit(cache=True, nogil=True)
def settle(usable: NDArray[np.uint8], wanted: NDArray[np.int32], source: NDArray[np.int32]) -> None:
    """Moves sources that are not usable to the nearest usable place, in growing squares; in place."""
    height, width = usable.shape
    for k in range(len(wanted)):
        x, y = wanted[k, 0], wanted[k, 1]
        sx = min(max(source[y, x, 0], 0), width - 1)
        sy = min(max(source[y, x, 1], 0), height - 1)
        found = usable[sy, sx] == 1
        radius = 0
        while not found and radius < max(height, width):
            radius += 1
            for dy in range(-radius, radius + 1):
                stride = 1 if abs(dy) == radius else 2 * radius
                for dx in range(-radius, radius + 1, stride):
                    tx, ty = sx + dx, sy + dy
                    if 0 <= tx < width and 0 <= ty < height and usable[ty, tx] == 1:
                        sx, sy, found = tx, ty, True
                        break
                if found:
                    break
        source[y, x, 0], source[y, x, 1] = sx, sy


@njit(cache=True, nogil=True)
def copy(colour: NDArray[np.float32], wanted: NDArray[np.int32], source: NDArray[np.int32]) -> None:
    """Gives every wanted pixel the colour of its source; in place."""
    for k in range(len(wanted)):
        x, y = wanted[k, 0], wanted[k, 1]
        sx, sy = source[y, x, 0], source[y, x, 1]
        for c in range(3):
            colour[y, x, c] = colour[sy, sx, c]


@njit(cache=True, nogil=True)
def copy_enlarged(
    image: NDArray[np.uint8],
    state: NDArray[np.uint8],
    wanted: NDArray[np.int32],
    source: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Colours `N 3` of full-size pixels: copies along the offsets of the small cells round them, blended."""
    colours = np.zeros((len(wanted), 3), np.float32)
    height, width = state.shape
    rows, columns = source.shape[0], source.shape[1]
    grow_x, grow_y = width / columns, height / rows
    for k in range(len(wanted)):
        x, y = wanted[k, 0], wanted[k, 1]
        u, v = (x + 0.5) / grow_x - 0.5, (y + 0.5) / grow_y - 0.5
        left, top = int(np.floor(u)), int(np.floor(v))
        red, green, blue, weight = 0.0, 0.0, 0.0, 0.0
        for reach in range(3):
            for j in range(top - reach, top + 2 + reach):
                for i in range(left - reach, left + 2 + reach):
                    if i < 0 or j < 0 or i >= columns or j >= rows or source[j, i, 0] < 0:
                        continue
                    sx = int(x + (source[j, i, 0] - i) * grow_x + 0.5)
                    sy = int(y + (source[j, i, 1] - j) * grow_y + 0.5)
                    if sx < 0 or sy < 0 or sx >= width or sy >= height or state[sy, sx] != KNOWN:
                        continue
                    w = max(0.0, 1 + reach - abs(u - i)) * max(0.0, 1 + reach - abs(v - j)) + 1e-6
                    red += w * image[sy, sx, 0]
                    green += w * image[sy, sx, 1]
                    blue += w * image[sy, sx, 2]
                    weight += w
            if weight > 1e-4:
                break
        if weight > 0:
            colours[k, 0], colours[k, 1], colours[k, 2] = red / weight, green / weight, blue / weight
    return colours
