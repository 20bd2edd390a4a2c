"""The two body pose networks: where bodies are, and 33 points of one body in its square. Decides nothing.

BlazePose (arXiv 2006.10204). Legend: S input pixels, N detections, K 39 raw points (33 of the body, 2 that say where to
look next, 4 unused).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from omnihuman.perception.roi import Silhouette, SquareROI
from omnihuman.perception.single_shot import SingleShotNetwork
from omnihuman.perception.tflite import TFLiteModel, require_file
from omnihuman.types import Float, Image

DETECTION_FILE = "pose_detection.tflite"
LANDMARK_FILE = "pose_landmark_full.tflite"
NUM_POINTS = 33

_STRIDES = (8, 16, 32, 32, 32)
_MIN_SCORE = 0.4
_HIPS, _RIM = 0, 1
"""Key points of a detection: the middle of the hips, and a point of the circle round the body."""
_ROI_MARGIN = 1.25
_HEATMAP_REACH = 3
_HEATMAP_MIN = 0.5


@dataclass(frozen=True)
class RawPose:
    """What the network says about one square.

    Attributes:
        points: `33 3` pixels of the picture, z towards the viewer.
        visibility: `33`, 0..1.
        score: Confidence 0..1 that there is a body.
        next_roi: Where to look for the same body again.
        silhouette: The body's outline as the network sees it beside the points; None where that was not kept.
    """

    points: Float
    visibility: Float
    score: float
    next_roi: SquareROI
    silhouette: Silhouette | None = None


class BodyPoseModel:
    """Detection and landmarks of bodies.

    Args:
        detection: Path of `pose_detection.tflite`.
        landmark: Path of `pose_landmark_full.tflite`.
    """

    def __init__(self, detection: Path, landmark: Path) -> None:
        self._detection = SingleShotNetwork(detection, _STRIDES, per_cell=2)
        self._landmark = TFLiteModel.from_file(landmark)
        self._landmark_size = self._landmark.input_shape[1]

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> BodyPoseModel:
        """Loads from a registry entry's files; the networks always run on the CPU, whatever `device` says."""
        return cls(require_file(files, DETECTION_FILE), require_file(files, LANDMARK_FILE))

    def find(self, image: Image, view: SquareROI) -> list[SquareROI]:
        """Squares of the bodies in `view`, best first: centred on the hips, turned with the spine."""
        found: list[SquareROI] = []
        for seen in self._detection.detect(image, view, _MIN_SCORE):
            roi = _roi_from_spine(seen.keypoints[_HIPS], seen.keypoints[_RIM])
            if all(math.hypot(roi.x - o.x, roi.y - o.y) > o.side_px / 6 for o in found):
                found.append(roi)
        return found

    def landmarks(self, image: Image, roi: SquareROI) -> RawPose:
        """Points of the body in `roi`."""
        size = self._landmark_size
        outputs = self._landmark(roi.crop(image, size, cv2.BORDER_CONSTANT)[None].astype(np.float32) / 255.0)
        by_size = {value.size: value for value in outputs.values()}
        raw = by_size[39 * 5].reshape(39, 5)
        heatmap = next(value[0] for value in outputs.values() if value.ndim == 4 and value.shape[3] == len(raw))
        points = raw[:, :3].copy()
        points[:, :2] = _refined(points[:, :2], heatmap, size)
        points[:, 2] *= -1.0
        located = roi.to_image(points, size)
        return RawPose(
            points=located[:NUM_POINTS],
            visibility=_sigmoid(raw[:NUM_POINTS, 3]) * _sigmoid(raw[:NUM_POINTS, 4]),
            score=float(by_size[1].reshape(-1)[0]),
            next_roi=_roi_from_spine(located[33, :2], located[34, :2]),
            silhouette=Silhouette(next(v[0, ..., 0] for v in outputs.values() if v.ndim == 4 and v.shape[3] == 1), roi),
        )


def _sigmoid(logits: Float) -> Float:
    return (1.0 / (1.0 + np.exp(-np.clip(logits, -60.0, 60.0)))).astype(np.float32)


def _roi_from_spine(hips: Float, rim: Float) -> SquareROI:
    """The square of a body whose enclosing circle round the hips passes `rim`, which lies towards the head."""
    dx, dy = float(rim[0] - hips[0]), float(rim[1] - hips[1])
    side = max(2.0 * _ROI_MARGIN * math.hypot(dx, dy), 1.0)
    return SquareROI(float(hips[0]), float(hips[1]), side, math.atan2(dx, -dy))


def _refined(points: Float, heatmap: Float, size: int) -> Float:
    """Moves each point to the centre of mass of its heat map nearby, where the map is sure.

    Args:
        points: `39 2` in input pixels.
        heatmap: `h w 39` logits.
        size: Input side.
    """
    cells = heatmap.shape[0]
    moved = points.copy()
    for k, (x, y) in enumerate(points / size * cells):
        column, row = int(x), int(y)
        if not (0 <= column < cells and 0 <= row < cells):
            continue
        y0, y1 = max(0, row - _HEATMAP_REACH), min(cells, row + _HEATMAP_REACH + 1)
        x0, x1 = max(0, column - _HEATMAP_REACH), min(cells, column + _HEATMAP_REACH + 1)
        weight = _sigmoid(heatmap[y0:y1, x0:x1, k])
        if weight.max() >= _HEATMAP_MIN:
            centre = weight.sum(axis=0) @ np.arange(x0, x1), weight.sum(axis=1) @ np.arange(y0, y1)
            moved[k] = np.array(centre) / weight.sum() * size / cells
    return moved
