"""Continues structure - stripes, bricks, frames, leaves - from the known part of a picture into a rim beside it.

Patches are copied from the known part nearby: first grown from the border inwards at a small size, in the spirit of
Criminisi et al. 2004, then improved from coarse to fine by PatchMatch (Barnes et al. 2009) and weighted voting (Wexler
et al. 2007). Nothing learned; the same picture always gives the same fill. The loops are in `patches.py`.
Legend: H height, W width, N pixels to fill; a place is column x and row y.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.scene.patches import (
    IGNORED,
    KNOWN,
    RADIUS,
    WANTED,
    copy,
    copy_enlarged,
    grow,
    improve,
    settle,
    vote,
)
from omnihuman.types import Float, Image

_COARSEST_DEPTH_PX = 14.0
_MOST_WANTED = 120_000
"""More pixels than this are filled at a smaller size and enlarged by copying."""
_COARSE_ROUNDS, _FINE_ROUNDS = 1, 1
"""More rounds look better by their own measure and worse to the eye: the cheapest patches are flat ones."""
_REACH_DEPTHS = 6.0
"""How far away a source may lie, in depths of the rim: what is near has the same light."""


@dataclass
class _Level:
    """One size of the picture.

    Attributes:
        colour: `H W 3` float32; wanted pixels are written.
        state: `H W` uint8.
        usable: `H W` uint8, 1 where a whole patch is known.
        trust: `H W` float32, 1 in the known part, less the deeper inside.
        wanted: `N 2` int32 columns and rows, in reading order.
        reach_px: Greatest distance of a source.
    """

    colour: Float
    state: NDArray[np.uint8]
    usable: NDArray[np.uint8]
    trust: Float
    wanted: NDArray[np.int32]
    reach_px: int


def continue_structure(image: Image, state: NDArray[np.uint8], depth_px: float) -> tuple[NDArray[np.int32], Float]:
    """Colours for the wanted pixels.

    Args:
        image: `H W 3`.
        state: `H W` of KNOWN, WANTED and IGNORED.
        depth_px: How deep the wanted rim is, about.

    Returns:
        The places of the wanted pixels, `N 2`, and their colours, `N 3` float32; none where nothing can be copied.
    """
    nothing = np.zeros((0, 2), np.int32), np.zeros((0, 3), np.float32)
    count = int((state == WANTED).sum())
    if not count:
        return nothing
    scale = min(1.0, float(np.sqrt(_MOST_WANTED / count)))
    num_levels = 1 + max(0, round(np.log2(max(1.0, depth_px * scale / _COARSEST_DEPTH_PX))))
    levels = [_level(image, state, scale / 2**k, depth_px) for k in reversed(range(num_levels))]
    coarsest = levels[0]
    if not coarsest.usable.any():
        return nothing
    source = _seed(coarsest)
    for number, level in enumerate(levels):
        if number:
            source = _enlarged(source, levels[number - 1], level)
        rounds = _COARSE_ROUNDS if number == 0 else _FINE_ROUNDS
        for turn in range(rounds):
            cost = improve(level.colour, level.state, level.usable, level.trust, level.wanted, source,
                            level.reach_px, turn + 7 * number, turn % 2 == 1)  # fmt: skip
            vote(level.colour, level.state, level.trust, level.wanted, source, cost)
    wanted = _places(state, WANTED)
    if levels[-1].state.shape == state.shape:
        return wanted, levels[-1].colour[wanted[:, 1], wanted[:, 0]]
    return wanted, copy_enlarged(image, state, wanted, source)


def _level(image: Image, state: NDArray[np.uint8], scale: float, depth_px: float) -> _Level:
    height, width = state.shape
    size = (max(8, round(width * scale)), max(8, round(height * scale)))
    if size == (width, height):
        colour, small = image.astype(np.float32), state.copy()
    else:
        # A small pixel is known only where all of it is: averages must not drag the person in.
        known = cv2.resize((state == KNOWN).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        ignored = cv2.resize((state == IGNORED).astype(np.float32), size, interpolation=cv2.INTER_AREA)
        colour = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        small = np.where(known > 0.999, KNOWN, np.where(ignored > 0.5, IGNORED, WANTED)).astype(np.uint8)
    kernel = np.ones((2 * RADIUS + 1, 2 * RADIUS + 1), np.uint8)
    usable = cv2.erode((small == KNOWN).astype(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    inside = cv2.distanceTransform((small != KNOWN).astype(np.uint8), cv2.DIST_L2, 3)
    depth = max(1.0, depth_px * scale)
    # Without a known pixel the distances are infinite.
    inside = np.minimum(inside, np.float32(height + width))
    trust = np.where(small == KNOWN, 1.0, np.maximum(0.05, 0.5 * np.exp(-3 * inside / depth))).astype(np.float32)
    return _Level(
        np.ascontiguousarray(colour), small, usable, trust, _places(small, WANTED), round(_REACH_DEPTHS * depth)
    )


def _places(values: NDArray[np.uint8], value: int) -> NDArray[np.int32]:
    """Columns and rows, `N 2`, of a value in reading order."""
    rows, columns = np.nonzero(values == value)
    return np.stack([columns, rows], 1).astype(np.int32)


def _seed(level: _Level) -> NDArray[np.int32]:
    """Grows the fill from the border inwards; source `H W 2` of every wanted pixel."""
    inside = cv2.distanceTransform((level.state != KNOWN).astype(np.uint8), cv2.DIST_L2, 3)
    order = np.argsort(inside[level.wanted[:, 1], level.wanted[:, 0]], kind="stable").astype(np.int64)
    anywhere = _places(level.usable, 1)
    source = np.full((*level.state.shape, 2), -1, np.int32)
    grow(level.colour, level.state, level.usable, level.wanted, order, anywhere, source, level.reach_px)
    return source


def _enlarged(source: NDArray[np.int32], small: _Level, large: _Level) -> NDArray[np.int32]:
    """Sources of a level from those of the level before; where that has none, the nearest that has lends its own."""
    have = (source[..., 0] >= 0).astype(np.uint8)
    _, labels = cv2.distanceTransformWithLabels(1 - have, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    rows, columns = np.nonzero(have)
    lender = np.zeros((int(labels.max()) + 1, 2), np.int32)
    lender[labels[rows, columns]] = np.stack([columns, rows], 1)
    height, width = large.state.shape
    grow = np.array([width / small.state.shape[1], height / small.state.shape[0]])
    at = large.wanted
    parent = np.clip(((at + 0.5) / grow).astype(int), 0, np.array(small.state.shape)[::-1] - 1)
    parent = lender[labels[parent[:, 1], parent[:, 0]]]
    offset = np.round((source[parent[:, 1], parent[:, 0]] - parent) * grow).astype(np.int32)
    result = np.full((height, width, 2), -1, np.int32)
    result[at[:, 1], at[:, 0]] = at + offset
    settle(large.usable, at, result)
    copy(large.colour, at, result)
    return result
