"""Faces of a picture or a video as 478 landmarks. Finding and tracking only; what the landmarks mean is geometry.

The detector proposes squares, the mesh network confirms them: its own face flag decides, not the detector's score.
Legend: H height, W width; points are pixels of the picture, x right, y down, z towards the viewer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from omnihuman.perception.face_detector import Effort, FaceBox, overlap
from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap, iod_px
from omnihuman.perception.face_mesh import INPUT_SIZE, AttentionFaceMesh
from omnihuman.perception.mesh_topology import EYE_OUTER_LEFT, EYE_OUTER_RIGHT, NUM_BASE_POINTS
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Float, Handle, Image

__all__ = ["FaceLandmarks", "FacePerception", "eye_aperture", "head_pose_deg", "inner_lip_gap", "iod_px"]

_ROI_SCALE = 1.5
_MIN_FLAG = 0.5
_MAX_DOUBT = 0.2
_SAME_FACE = 0.5
_RETRY_FRAMES = 10


@dataclass(frozen=True)
class FaceLandmarks:
    """One face.

    Attributes:
        points: `478 3` float32: 468 of the mesh, then 5 of the right iris and 5 of the left one (centre first).
        score: Confidence 0..1 of the mesh network that this is a face.
        box: x0, y0, x1, y1 of the points in pixels; may reach beyond the picture.
    """

    points: Float
    score: float
    box: tuple[float, float, float, float]

    @classmethod
    def from_points(cls, points: Float, score: float) -> FaceLandmarks:
        """Landmarks `478 3` with the box that holds them."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        return cls(points.astype(np.float32), score, (float(low[0]), float(low[1]), float(high[0]), float(high[1])))

    @property
    def size_px(self) -> float:
        """Longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def roi(self) -> SquareROI:
        """Where the mesh network should look for this face next: turned by the eye line, with a margin."""
        right, left = self.points[EYE_OUTER_RIGHT], self.points[EYE_OUTER_LEFT]
        roll = math.atan2(float(left[1] - right[1]), float(left[0] - right[0]))
        return SquareROI.around(self.points[:NUM_BASE_POINTS], roll, _ROI_SCALE)


class FacePerception:
    """Finds faces and follows one of them.

    Args:
        detector: Handle of a `FaceDetector`.
        mesh: Handle of an `AttentionFaceMesh`.
    """

    def __init__(self, detector: Handle, mesh: Handle) -> None:
        self._detector = detector
        self._mesh = mesh

    def detect(self, image: Image, max_faces: int = 8) -> list[FaceLandmarks]:
        """Faces of a picture `H W 3`, largest first; empty when none is found."""
        for effort in (Effort.THOROUGH, Effort.DESPERATE):
            faces = self._detect(image, effort)
            if faces:
                break
        return faces[:max_faces]

    def track(self, frames: Iterable[Image]) -> Iterator[FaceLandmarks | None]:
        """Follows the largest face through a video.

        Args:
            frames: Pictures `H W 3` in order.

        Yields:
            Per frame the landmarks, or None where the face is lost; it is searched for again at once, near the place
            where it was last seen before anywhere else.
        """
        last: FaceLandmarks | None = None
        lost_frames = 0
        for image in frames:
            face = self._refine(image, last.roi, passes=1) if last is not None and lost_frames == 0 else None
            if face is None:
                effort = Effort.THOROUGH if lost_frames % _RETRY_FRAMES == 0 else Effort.QUICK
                face = _nearest(self._detect(image, effort), last)
            lost_frames = 0 if face is not None else lost_frames + 1
            last = face or last
            yield face

    def _detect(self, image: Image, effort: Effort) -> list[FaceLandmarks]:
        with self._detector() as detector:
            boxes: list[FaceBox] = detector.detect(image, effort)
        found = [face for box in boxes if (face := self._refine(image, box.roi.scaled(_ROI_SCALE), passes=2))]
        found_best = max((face.score for face in found), default=0.0)
        kept: list[FaceLandmarks] = []
        for face in sorted(found, key=lambda f: -f.score):
            # Beside a certain face a doubtful one is a bag's clasp or a poster.
            certain = face.score >= found_best - _MAX_DOUBT
            if certain and all(overlap(face.roi, other.roi) < _SAME_FACE for other in kept):
                kept.append(face)
        return sorted(kept, key=lambda f: -f.size_px)

    def _refine(self, image: Image, roi: SquareROI, passes: int) -> FaceLandmarks | None:
        """Landmarks in `roi`, looked at again in the square they span; None when a pass sees no face."""
        face = None
        with self._mesh() as model:
            mesh: AttentionFaceMesh = model
            for _ in range(passes):
                points, score = mesh.landmarks(roi.crop(image, INPUT_SIZE))
                if score < _MIN_FLAG:
                    return None
                face = FaceLandmarks.from_points(roi.to_image(points, INPUT_SIZE), score)
                roi = face.roi
        return face


def _nearest(faces: list[FaceLandmarks], last: FaceLandmarks | None) -> FaceLandmarks | None:
    """The face closest to where `last` was, in its own sizes; the largest one without it."""
    if last is None or not faces:
        return faces[0] if faces else None
    return min(faces, key=lambda f: math.hypot(f.roi.x - last.roi.x, f.roi.y - last.roi.y) / f.size_px)
