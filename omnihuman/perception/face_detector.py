"""Finds faces as boxes with six keypoints, from a close-up to a face in a full-body picture. No landmarks, no tracking.

Two single-shot networks (BlazeFace, arXiv 1907.05047) look at several views of the picture: all of it, shrunk inside a
border (very close faces), overlapping windows (small faces) and, at the highest effort, turned views.
Legend: N detections, K 6 keypoints (right eye, left eye, nose tip, mouth, right ear, left ear), S input pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from pathlib import Path

import numpy as np

from omnihuman.perception.roi import SquareROI
from omnihuman.perception.single_shot import SingleShotNetwork
from omnihuman.perception.tflite import require_file
from omnihuman.types import Float, Image

SHORT_RANGE_FILE = "face_detection_short_range.tflite"
FULL_RANGE_FILE = "face_detection_full_range_sparse.tflite"


class Effort(IntEnum):
    """How many views are looked at."""

    QUICK = 0
    """The whole picture, for video."""
    THOROUGH = 1
    """Also shrunk and in windows, for a still."""
    DESPERATE = 2
    """Also turned, and doubtful finds are kept: for what the first two miss."""


_MIN_SCORE = {Effort.QUICK: 0.5, Effort.THOROUGH: 0.5, Effort.DESPERATE: 0.25}
_TURNS_DEG = (-30.0, 30.0, -60.0, 60.0, 90.0, -90.0, 180.0)
_SAME_FACE = 0.5
_CERTAIN_SCORE = 0.7
_UPRIGHT_BONUS = 0.1


@dataclass(frozen=True)
class FaceBox:
    """One found face.

    Attributes:
        score: Confidence 0..1.
        roi: Square of the face from brow to chin, turned by the eye line.
        keypoints: `6 2` pixels of the picture.
    """

    score: float
    roi: SquareROI
    keypoints: Float


class FaceDetector:
    """Face detection over views of a picture.

    Args:
        short_range: Path of the network for faces that fill a good part of a view.
        full_range: Path of the network for small faces.
    """

    def __init__(self, short_range: Path, full_range: Path) -> None:
        self._short = SingleShotNetwork(short_range, (8, 16, 16, 16), per_cell=2)
        self._full = SingleShotNetwork(full_range, (4,), per_cell=1)

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> FaceDetector:
        """Loads from a registry entry's files; the networks always run on the CPU, whatever `device` says."""
        return cls(require_file(files, SHORT_RANGE_FILE), require_file(files, FULL_RANGE_FILE))

    def detect(self, image: Image, effort: Effort = Effort.THOROUGH) -> list[FaceBox]:
        """Faces of a picture `H W 3`, best score first; empty when there are none."""
        found = [
            box
            for view, networks in self._views(image.shape[1], image.shape[0], effort)
            for network in networks
            for box in _faces(network, image, view, _MIN_SCORE[effort])
        ]
        kept = _without_duplicates(found)
        if effort == Effort.QUICK:
            return kept
        closer = sorted((self._upright(image, box) for box in kept), key=lambda box: -box.score)
        # Beside a certain face, doubtful ones are hands and bags; alone, a doubtful one may be a drawn face.
        return [box for box in closer if box.score >= min(_CERTAIN_SCORE, closer[0].score - 1e-6)]

    def _upright(self, image: Image, box: FaceBox) -> FaceBox:
        """The face seen in the quarter turn in which it looks most like one: networks take some upside-down faces."""
        best = box
        best_score = 0.0
        for quarter in range(4):
            view = replace(box.roi.scaled(2.0), roll_rad=box.roi.roll_rad + quarter * math.pi / 2)
            for seen in _faces(self._short, image, view, _MIN_SCORE[Effort.DESPERATE]):
                score = seen.score + (_UPRIGHT_BONUS if quarter == 0 else 0.0)
                if score > best_score and overlap(seen.roi, box.roi) >= _SAME_FACE:
                    best, best_score = seen, score
        return best

    def _views(
        self, width: int, height: int, effort: Effort
    ) -> Iterator[tuple[SquareROI, tuple[SingleShotNetwork, ...]]]:
        """Views with the networks that look at each."""
        whole = SquareROI(width / 2, height / 2, float(max(width, height)))
        yield whole, (self._short, self._full)
        if effort >= Effort.THOROUGH:
            yield whole.scaled(2.0), (self._short,)
            shorter = float(min(width, height))
            for side, networks in ((shorter, (self._short, self._full)), (shorter / 2, (self._full,))):
                for x in window_centres(width, side):
                    for y in window_centres(height, side):
                        yield SquareROI(x, y, side), networks
        if effort >= Effort.DESPERATE:
            for turn_deg in _TURNS_DEG:
                for scale in (0.75, 1.0, 1.5):
                    view = SquareROI(whole.x, whole.y, whole.side_px * scale, math.radians(turn_deg))
                    yield view, (self._short, self._full)


def _faces(network: SingleShotNetwork, image: Image, view: SquareROI, min_score: float) -> Iterator[FaceBox]:
    """Faces in one view, best first, in coordinates of the picture."""
    for seen in network.detect(image, view, min_score):
        if seen.side_px > 0:
            yield FaceBox(seen.score, _upright_roi(seen.centre, seen.side_px, seen.keypoints), seen.keypoints)


def window_centres(length: float, side: float) -> list[float]:
    """Centres of windows of `side` that cover `length` with at least half of each shared with the next."""
    count = 1 + math.ceil(max(0.0, length - side) / (side / 2) - 1e-6)
    return [float(c) for c in np.linspace(side / 2, length - side / 2, count)] if count > 1 else [length / 2]


def overlap(first: SquareROI, second: SquareROI) -> float:
    """Shared area over the smaller one's, 0..1; turns are ignored."""
    half_a, half_b = first.side_px / 2, second.side_px / 2
    shared = [
        max(0.0, min(a + half_a, b + half_b) - max(a - half_a, b - half_b))
        for a, b in ((first.x, second.x), (first.y, second.y))
    ]
    return shared[0] * shared[1] / min(first.side_px, second.side_px) ** 2


def _upright_roi(centre: Float, side_px: float, keypoints: Float) -> SquareROI:
    eye_right, eye_left = keypoints[0], keypoints[1]
    roll = math.atan2(float(eye_left[1] - eye_right[1]), float(eye_left[0] - eye_right[0]))
    return SquareROI(float(centre[0]), float(centre[1]), side_px, roll)


def _without_duplicates(boxes: list[FaceBox]) -> list[FaceBox]:
    """Keeps the best of each group that covers the same face."""
    kept: list[FaceBox] = []
    for box in sorted(boxes, key=lambda b: -b.score):
        if all(overlap(box.roi, other.roi) < _SAME_FACE for other in kept):
            kept.append(box)
    return kept
