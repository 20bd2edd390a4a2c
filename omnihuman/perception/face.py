"""Faces of a picture or a video as 478 landmarks. Finding and tracking only; what the landmarks mean is geometry.

The detector proposes squares, the mesh network confirms them: its own face flag decides, not the detector's score, and
in a still also whether the mirror image shows the same.
Legend: H height, W width; points are pixels of the picture, x right, y down, z towards the viewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from omnihuman.perception.face_detector import Effort, FaceBox, overlap
from omnihuman.perception.face_follower import FaceFollower
from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap, iod_px
from omnihuman.perception.face_landmarks import FaceLandmarks
from omnihuman.perception.face_mesh import INPUT_SIZE, AttentionFaceMesh
from omnihuman.perception.mesh_topology import mirror
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Handle, Image

__all__ = ["FaceLandmarks", "FacePerception", "eye_aperture", "head_pose_deg", "inner_lip_gap", "iod_px"]

_ROI_SCALE = 1.5
_MIN_FLAG, _LOW_FLAG = 0.5, 0.2
_EFFORTS = ((Effort.THOROUGH, _MIN_FLAG), (Effort.DESPERATE, _LOW_FLAG))
_MAX_MIRROR_MISS_IOD = 0.06
_MAX_DOUBT = 0.2
_SAME_FACE = 0.5


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
        for effort, min_flag in _EFFORTS:
            faces = [face for face in self.find(image, effort, min_flag) if self._holds_in_mirror(image, face)]
            if faces:
                break
        return faces[:max_faces]

    def look(self, image: Image, squares: Iterable[SquareROI]) -> FaceLandmarks | None:
        """The surest face in given squares, where no detector saw one; None when no look holds in the mirror.

        Args:
            image: `H W 3`.
            squares: Each about one and a half times as wide as the face that may be there.
        """
        seen = [face for square in squares if (face := self.refine(image, square, 2, _LOW_FLAG)) is not None]
        held = [face for face in seen if self._holds_in_mirror(image, face)]
        return max(held, key=lambda face: face.score, default=None)

    def track(self, frames: Iterable[Image], first: int = 1) -> Iterator[FaceLandmarks | None]:
        """Follows one face through a video.

        Args:
            frames: Pictures `H W 3` in order.
            first: Which face to follow, 1 = the largest of the first frame that shows any.

        Yields:
            Per frame the landmarks, or None where the face is not seen.
        """
        follower = self.follower(first)
        for image in frames:
            yield follower.step(image)

    def follower(self, first: int = 1) -> FaceFollower:
        """Something that follows one face through a video, frame by frame; `first` as in `track`."""
        return FaceFollower(self, first)

    def find(self, image: Image, effort: Effort, min_flag: float = _MIN_FLAG) -> list[FaceLandmarks]:
        """Faces of a picture `H W 3` at one effort, largest first."""
        with self._detector() as detector:
            boxes: list[FaceBox] = detector.detect(image, effort)
        squares = [box.roi.scaled(_ROI_SCALE) for box in boxes]
        found = [face for square in squares if (face := self.refine(image, square, 2, min_flag)) is not None]
        found_best = max((face.score for face in found), default=0.0)
        kept: list[FaceLandmarks] = []
        for face in sorted(found, key=lambda f: -f.score):
            # Beside a certain face a doubtful one is a bag's clasp or a poster.
            certain = face.score >= found_best - _MAX_DOUBT
            if certain and all(overlap(face.roi, other.roi) < _SAME_FACE for other in kept):
                kept.append(face)
        return sorted(kept, key=lambda f: -f.size_px)

    def refine(self, image: Image, roi: SquareROI, passes: int, min_flag: float = _MIN_FLAG) -> FaceLandmarks | None:
        """Landmarks in `roi`, looked at again in the square they span; None when one of the passes sees no face."""
        face = None
        with self._mesh() as model:
            mesh: AttentionFaceMesh = model
            for _ in range(passes):
                points, score = mesh.landmarks(roi.crop(image, INPUT_SIZE))
                if score < min_flag:
                    return None
                face = FaceLandmarks.from_points(roi.to_image(points, INPUT_SIZE), score)
                roi = face.roi
        return face

    def _holds_in_mirror(self, image: Image, face: FaceLandmarks) -> bool:
        """Whether the mirror image shows the same face; lamps, bags and colour wheels change theirs."""
        roi = face.roi
        with self._mesh() as model:
            points, score = model.landmarks(np.ascontiguousarray(roi.crop(image, INPUT_SIZE)[:, ::-1]))
        points = points[mirror()]
        points[:, 0] = INPUT_SIZE - 1 - points[:, 0]
        apart = np.linalg.norm(roi.to_image(points, INPUT_SIZE)[:, :2] - face.points[:, :2], axis=1)
        return score >= _LOW_FLAG and float(apart.mean()) <= _MAX_MIRROR_MISS_IOD * iod_px(face.points)
