"""The two hand networks: where palms are, and 21 points of one hand in its square. Decides nothing.

"MediaPipe Hands" (arXiv 2006.10214). Legend: S input pixels, N detections; L and R are the person's own sides.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from omnihuman.perception.face_detector import overlap
from omnihuman.perception.roi import SquareROI
from omnihuman.perception.single_shot import SingleShotNetwork
from omnihuman.perception.tflite import TFLiteModel, require_file
from omnihuman.types import Float, Image

DETECTION_FILE = "palm_detection_full.tflite"
LANDMARK_FILE = "hand_landmark_full.tflite"
NUM_POINTS = 21

_STRIDES = (8, 16, 16, 16)
_MIN_SCORE = 0.5
_SAME_PALM = 0.4
_PALM_SCALE, _PALM_SHIFT = 2.6, 0.5
_HAND_SCALE, _HAND_SHIFT = 2.0, 0.1
_BODY_SCALE = 5.0
_PALM_WRIST, _PALM_MIDDLE = 0, 2
_STEADY_POINTS = (0, 1, 2, 3, 5, 6, 9, 10, 13, 14, 17, 18)
"""Wrist, palm and the joints next to it: finger tips would make the square jump."""
_WRIST, _INDEX_JOINT, _MIDDLE_JOINT, _RING_JOINT = 0, 6, 10, 14


@dataclass(frozen=True)
class RawHand:
    """What the network says about one square.

    Attributes:
        points: `21 3` pixels of the picture, z towards the viewer; wrist first, then thumb to little finger.
        score: Confidence 0..1 that there is a hand.
        right: 0..1, how much it looks like the person's own right hand.
    """

    points: Float
    score: float
    right: float


class HandModel:
    """Detection and landmarks of hands.

    Args:
        detection: Path of `palm_detection_full.tflite`.
        landmark: Path of `hand_landmark_full.tflite`.
    """

    def __init__(self, detection: Path, landmark: Path) -> None:
        self._detection = SingleShotNetwork(detection, _STRIDES, per_cell=2, signed=False)
        self._landmark = TFLiteModel.from_file(landmark)
        self._landmark_size = self._landmark.input_shape[1]

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> HandModel:
        """Loads from a registry entry's files; the networks always run on the CPU, whatever `device` says."""
        return cls(require_file(files, DETECTION_FILE), require_file(files, LANDMARK_FILE))

    def find(self, image: Image, view: SquareROI) -> list[SquareROI]:
        """Squares of the hands in `view`, best first: fingers up, whole hand inside."""
        found: list[SquareROI] = []
        for seen in self._detection.detect(image, view, _MIN_SCORE, most=30):
            x, y = (float(c) for c in seen.centre)
            roll = _upward(seen.keypoints[_PALM_WRIST], seen.keypoints[_PALM_MIDDLE])
            palm = SquareROI(x, y, max(seen.side_px, 1.0), roll)
            roi = replace(_shifted(palm, _PALM_SHIFT), side_px=palm.side_px * _PALM_SCALE)
            if all(overlap(roi, other) < _SAME_PALM for other in found):
                found.append(roi)
        return found

    def landmarks(self, image: Image, roi: SquareROI, mirrored: bool = False) -> RawHand:
        """Points of the hand in `roi`.

        Args:
            image: `H W 3`.
            roi: Where to look; fingers up.
            mirrored: Show the network the mirror image of the square; the answer is carried back.
        """
        size = self._landmark_size
        crop = roi.crop(image, size, cv2.BORDER_CONSTANT)
        if mirrored:
            crop = np.ascontiguousarray(crop[:, ::-1])
        outputs = self._landmark(crop[None].astype(np.float32) / 255.0)
        # The file numbers its outputs: points of the picture, hand or not, side, points in metres.
        placed, presence, side, _ = (outputs[name].reshape(-1) for name in sorted(outputs))
        points = placed.reshape(NUM_POINTS, 3).copy()
        points[:, 2] *= -1.0
        right = float(side[0])
        if mirrored:
            points[:, 0] = size - 1 - points[:, 0]
            right = 1.0 - right
        return RawHand(roi.to_image(points, size).astype(np.float32), float(presence[0]), right)


def hand_roi(points: Float) -> SquareROI:
    """Where to look for a hand of points `21 3` again: turned so that its fingers point up."""
    joints = points[[_INDEX_JOINT, _MIDDLE_JOINT, _RING_JOINT], :2]
    roll = _upward(points[_WRIST, :2], joints.T @ np.array([0.25, 0.5, 0.25]))
    return _shifted(SquareROI.around(points[list(_STEADY_POINTS)], roll, _HAND_SCALE), _HAND_SHIFT)


def hand_roi_from_body(wrist: Float, index: Float, little: Float) -> SquareROI:
    """A first guess from the body's three points of one hand, `2` each."""
    middle = (2 * index + little) / 3
    reach_px = float(np.linalg.norm(middle - wrist))
    return SquareROI(float(middle[0]), float(middle[1]), max(_BODY_SCALE * reach_px, 1.0), _upward(wrist, middle))


def _upward(base: Float, top: Float) -> float:
    """Turn of a square in which `top` lies straight above `base`."""
    return math.atan2(float(top[0] - base[0]), float(base[1] - top[1]))


def _shifted(roi: SquareROI, up: float) -> SquareROI:
    """The square moved by `up` of its sides towards its own top."""
    step = up * roi.side_px
    return replace(roi, x=roi.x + math.sin(roi.roll_rad) * step, y=roi.y - math.cos(roi.roll_rad) * step)
