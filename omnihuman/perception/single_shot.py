"""Single-shot detectors (BlazeFace, arXiv 1907.05047): one look at a view -> boxes with key points. Decides nothing.

Faces, palms and bodies are found by networks of this kind; what a box means, and which ones to keep, is the caller's.
Legend: N anchors, K key points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from omnihuman.perception.roi import SquareROI
from omnihuman.perception.tflite import TFLiteModel
from omnihuman.types import Float, Image


@dataclass(frozen=True)
class Detection:
    """One box in pixels of the picture.

    Attributes:
        score: Confidence 0..1.
        centre: `2` of the box.
        side_px: Longer side of the box.
        keypoints: `K 2`.
    """

    score: float
    centre: Float
    side_px: float
    keypoints: Float


class SingleShotNetwork:
    """A detection network with its anchors.

    Args:
        path: The tflite file.
        strides: Stride per output layer.
        per_cell: Anchors of one layer in one cell.
        signed: Whether the network wants pixels in -1..1 rather than 0..1.
    """

    def __init__(self, path: Path, strides: tuple[int, ...], per_cell: int, signed: bool = True) -> None:
        self._model = TFLiteModel.from_file(path)
        self._size = self._model.input_shape[1]
        self._anchors = anchor_centres(self._size, strides, per_cell)
        self._signed = signed

    def detect(self, image: Image, view: SquareROI, min_score: float, most: int = 20) -> Iterator[Detection]:
        """What the network sees in one view of a picture `H W 3`, best first, overlapping boxes included."""
        crop = view.crop(image, self._size, cv2.BORDER_CONSTANT)[None].astype(np.float32)
        outputs = self._model(crop / 127.5 - 1.0 if self._signed else crop / 255.0).values()
        raw, logits = sorted((output[0] for output in outputs), key=lambda output: -output.shape[1])
        scores = 1.0 / (1.0 + np.exp(-np.clip(logits[:, 0], -60.0, 60.0)))
        kept = np.flatnonzero(scores >= min_score)
        for i in kept[np.argsort(-scores[kept], kind="stable")][:most]:
            # A row holds the box's centre and size, then the key points; all but the size are offsets from the anchor.
            boxed = raw[i].reshape(-1, 2)
            offsets = np.concatenate([boxed[:1], boxed[2:]]) + self._anchors[i] * self._size
            centre, *keypoints = view.to_image(offsets, self._size)
            side_px = float(boxed[1].max()) * view.side_px / self._size
            yield Detection(float(scores[i]), centre, side_px, np.array(keypoints, np.float32))


def anchor_centres(size: int, strides: tuple[int, ...], per_cell: int) -> Float:
    """Centres `N 2` in 0..1 of single-shot anchors, in the order of the networks' outputs.

    Args:
        size: Input side in pixels.
        strides: Stride per layer; neighbouring layers of equal stride share their cells.
        per_cell: Anchors of one layer in one cell.
    """
    blocks = []
    for stride in dict.fromkeys(strides):
        cells = math.ceil(size / stride)
        y, x = np.mgrid[0:cells, 0:cells]
        centres = (np.stack([x, y], axis=-1).reshape(-1, 2) + 0.5) / cells
        blocks.append(np.repeat(centres, per_cell * strides.count(stride), axis=0))
    return np.concatenate(blocks).astype(np.float32)
