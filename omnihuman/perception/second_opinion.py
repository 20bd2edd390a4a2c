"""Networks that judge rendered faces independently of the one that made them. Nothing is animated with them.

"Face mesh" without attention (arXiv 1907.06724) and the iris network (arXiv 2006.11341).
Legend: points in pixels of the picture, x right, y down, z towards the viewer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnihuman.perception.mesh_topology import (
    EYE_INNER_LEFT,
    EYE_INNER_RIGHT,
    EYE_OUTER_LEFT,
    EYE_OUTER_RIGHT,
    NUM_BASE_POINTS,
)
from omnihuman.perception.roi import SquareROI
from omnihuman.perception.tflite import TFLiteModel, require_file
from omnihuman.types import Float, Image

MESH_FILE = "face_landmark.tflite"
IRIS_FILE = "iris_landmark.tflite"
NUM_IRIS_POINTS = 5
_EYE_SCALE = 2.3
_CORNERS = {"l": (EYE_INNER_LEFT, EYE_OUTER_LEFT), "r": (EYE_OUTER_RIGHT, EYE_INNER_RIGHT)}


class PlainFaceMesh:
    """468 landmarks of the face in a square cut-out; hardly sees lips and lids, but knows nothing of the other mesh.

    Args:
        path: Of `face_landmark.tflite`.
    """

    def __init__(self, path: Path) -> None:
        self._model = TFLiteModel.from_file(path)

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> PlainFaceMesh:
        """Loads from a registry entry's files; the network always runs on the CPU, whatever `device` says."""
        return cls(require_file(files, MESH_FILE))

    def landmarks(self, image: Image, roi: SquareROI) -> tuple[Float, float]:
        """Landmarks `468 3` of the face in `roi`, and the confidence 0..1 that there is one."""
        size = self._model.input_shape[1]
        outputs = self._model(roi.crop(image, size)[None].astype(np.float32) / 255.0).values()
        points, flag = sorted((value.reshape(-1) for value in outputs), key=lambda value: -value.size)
        placed = points.reshape(NUM_BASE_POINTS, 3) * np.array([1, 1, -1], np.float32)
        return roi.to_image(placed, size), 1.0 / (1.0 + math.exp(-float(flag[0])))


@dataclass(frozen=True)
class EyeLandmarks:
    """One eye.

    Attributes:
        iris: `5 3`: centre, then the ends of two axes.
        contour: `71 3`: lid edges, then rings round the eye up to the brow.
    """

    iris: Float
    contour: Float


class IrisModel:
    """Iris and lids of one eye.

    Args:
        path: Of `iris_landmark.tflite`.
    """

    def __init__(self, path: Path) -> None:
        self._model = TFLiteModel.from_file(path)

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> IrisModel:
        """Loads from a registry entry's files; the network always runs on the CPU, whatever `device` says."""
        return cls(require_file(files, IRIS_FILE))

    def landmarks(self, image: Image, face_points: Float, side: str) -> EyeLandmarks:
        """The person's own eye `side` ("l" or "r").

        Args:
            image: `H W 3`.
            face_points: `N 3` face landmarks; only the two corners of the eye are used.
            side: "l" or "r".
        """
        first, second = (face_points[number, :2] for number in _CORNERS[side])
        roll = math.atan2(float(second[1] - first[1]), float(second[0] - first[0]))
        middle, length_px = (first + second) / 2, float(np.linalg.norm(second - first))
        roi = SquareROI(float(middle[0]), float(middle[1]), max(_EYE_SCALE * length_px, 1.0), roll)
        size = self._model.input_shape[1]
        crop = roi.crop(image, size)
        # The network knows right eyes only: a left one is shown in the mirror.
        crop = np.ascontiguousarray(crop[:, ::-1]) if side == "l" else crop
        outputs = self._model(crop[None].astype(np.float32) / 255.0).values()
        iris, contour = (value.reshape(-1, 3).copy() for value in sorted(outputs, key=lambda value: value.size))
        placed = np.concatenate([iris, contour]) * np.array([1, 1, -1], np.float32)
        if side == "l":
            placed[:, 0] = size - 1 - placed[:, 0]
        points = roi.to_image(placed, size)
        return EyeLandmarks(points[:NUM_IRIS_POINTS], points[NUM_IRIS_POINTS:])
