"""Pure geometry of pictures: limits on size and the even sides that H.264 wants. Reads and writes no file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

# The decoding child scales frames, too, and starts without the schema of the request.
if TYPE_CHECKING:
    from omnihuman.types import Float, Image

_LEAST_OPAQUE, _MOST_OPAQUE = 0.01, 0.97
_CONVEX = 0.95
"""Share of its convex hull that a round or rectangular frame fills."""


def fit_longest_side(image: Image, longest_px: int) -> Image:
    """Scales so that the longest side is `longest_px`, keeping the aspect; the same object when it fits already."""
    height, width = image.shape[:2]
    if max(height, width) == longest_px:
        return image
    scale = longest_px / max(height, width)
    size = (max(2, round(width * scale)), max(2, round(height * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)


def fit_within(image: Image, longest_px: int) -> Image:
    """Scales down where a side is longer than `longest_px`, keeping the aspect; else the same object."""
    return fit_longest_side(image, longest_px) if max(image.shape[:2]) > longest_px else image


def pad_to_even(image: Image) -> Image:
    """Repeats the last row or column where a side is odd, as 4:2:0 video needs; else the same object."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return image
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")


def fit_alpha(alpha: Float, image: Image) -> Float:
    """Transparency `h w` at the size that its picture has got, `H W` in 0..1."""
    height, width = image.shape[:2]
    if alpha.shape == (height, width):
        return alpha
    method = cv2.INTER_AREA if width < alpha.shape[1] else cv2.INTER_LINEAR
    return np.asarray(np.clip(cv2.resize(alpha, (width, height), interpolation=method), 0, 1), np.float32)


def is_cut_out(alpha: Float) -> bool:
    """Whether a transparency has the outline of a thing that was cut out, and not of a frame.

    Round avatars and rounded corners are transparent, too, but their background is still in the picture: their opaque
    part is convex, which no head on shoulders is.
    """
    solid = (alpha > 0.5).astype(np.uint8)
    share = float(solid.mean())
    if not _LEAST_OPAQUE < share < _MOST_OPAQUE:
        return False
    corners = cv2.findNonZero(solid)
    hull_area = float(cv2.contourArea(cv2.convexHull(corners)))
    return float(solid.sum()) < _CONVEX * hull_area
