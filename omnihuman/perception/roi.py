"""A rotated square region of a picture: cut out for a network, and points carried back. Nothing learned.

Legend: S side of the cut-out in pixels, N points. Coordinates are pixel indices (0 = centre of the first pixel).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from omnihuman.types import Float, Image


@dataclass(frozen=True)
class SquareROI:
    """Where a network looks.

    Attributes:
        x: Centre, pixels to the right.
        y: Centre, pixels down.
        side_px: Length of a side.
        roll_rad: Turn of the square, + clockwise in the picture.
    """

    x: float
    y: float
    side_px: float
    roll_rad: float = 0.0

    def matrix(self, size: int) -> Float:
        """`2 3` affine from a cut-out of `size` x `size` to the picture."""
        scale = self.side_px / size
        cos, sin = math.cos(self.roll_rad) * scale, math.sin(self.roll_rad) * scale
        half = size / 2
        return np.array([[cos, -sin, self.x - (cos - sin) * half], [sin, cos, self.y - (sin + cos) * half]], np.float32)

    def crop(self, image: Image, size: int, border: int = cv2.BORDER_REPLICATE) -> Image:
        """Cuts the region out, `S S 3`, averaging when it shrinks so that tracking does not flicker.

        Args:
            image: `H W 3`, or `H W` for one channel.
            size: S.
            border: OpenCV border mode outside the picture; constant means black.
        """
        to_image = self.matrix(size).astype(np.float64)
        factor = int(self.side_px // size)
        if factor > 1:
            image, origin = self._shrunk(image, factor)
            to_image[:, :2] /= factor
            to_image[:, 2] = (to_image[:, 2] - origin) / factor
        cut = cv2.warpAffine(
            image, to_image, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=border
        )
        return np.asarray(cut, np.uint8)

    def _shrunk(self, image: Image, factor: int) -> tuple[Image, Float]:
        """The part of the picture under the region, `factor` times smaller, and the position of its first pixel."""
        height, width = image.shape[:2]
        reach = self.side_px * (abs(math.cos(self.roll_rad)) + abs(math.sin(self.roll_rad))) / 2 + 2 * factor
        x0, y0 = (int(np.clip(c - reach, 0, n - factor)) for c, n in ((self.x, width), (self.y, height)))
        columns = max(1, math.ceil((min(width, self.x + reach) - x0) / factor))
        rows = max(1, math.ceil((min(height, self.y + reach) - y0) / factor))
        columns, rows = min(columns, (width - x0) // factor), min(rows, (height - y0) // factor)
        part = image[y0 : y0 + rows * factor, x0 : x0 + columns * factor]
        small = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
        return small.astype(np.uint8, copy=False), np.array([x0, y0], np.float32) + np.float32((factor - 1) / 2)

    def to_image(self, points: Float, size: int) -> Float:
        """Carries points `N 2` or `N 3` of a cut-out to the picture; z keeps its sign and takes the scale of x."""
        affine = self.matrix(size)
        carried = points.astype(np.float32).copy()
        carried[:, :2] = points[:, :2] @ affine[:, :2].T + affine[:, 2]
        if points.shape[1] > 2:
            carried[:, 2] *= self.side_px / size
        return carried

    def scaled(self, factor: float) -> SquareROI:
        """The same region, `factor` times as large."""
        return replace(self, side_px=self.side_px * factor)

    def place(self, values: Float, width: int, height: int) -> Float:
        """A map `S S` of this region laid into a picture of `width` x `height`; its border values go on outside."""
        matrix = self.matrix(len(values)).astype(np.float64)
        placed = cv2.warpAffine(
            values, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(placed, np.float32)

    @classmethod
    def around(cls, points: Float, roll_rad: float, scale: float) -> SquareROI:
        """The square, turned by `roll_rad`, that holds points `N 2` with its longer side `scale` times theirs."""
        cos, sin = math.cos(roll_rad), math.sin(roll_rad)
        turn = np.array([[cos, -sin], [sin, cos]], np.float64)
        upright = points[:, :2].astype(np.float64) @ turn
        low, high = upright.min(axis=0), upright.max(axis=0)
        x, y = turn @ ((low + high) / 2)
        return cls(float(x), float(y), max(float((high - low).max()) * scale, 1.0), roll_rad)


@dataclass(frozen=True)
class Silhouette:
    """What a network took for one body.

    Attributes:
        logits: `S S`, above 0 where the body is likelier than not.
        roi: The square of the picture that they show.
    """

    logits: Float
    roi: SquareROI
