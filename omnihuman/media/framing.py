"""Pure geometry of pictures: limits on size and the even sides that H.264 wants. Reads and writes no file."""

from __future__ import annotations

import cv2
import numpy as np

from omnihuman.types import Image


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
