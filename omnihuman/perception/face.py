"""Faces of a picture or a video as 478 landmarks. Finding and tracking only; what the landmarks mean is geometry.

The detector proposes squares, the mesh network confirms them: its own face flag decides, not the detector's score.
Legend: H height, W width; points are pixels of the picture, x right, y down, z towards the viewer.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from omnihuman.perception.face_detector import Effort, FaceBox, overlap
from omnihuman.perception.face_follower import FaceFollower
from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap, iod_px
from omnihuman.perception.face_landmarks import FaceLandmarks
from omnihuman.perception.face_mesh import INPUT_SIZE, AttentionFaceMesh
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Handle, Image

__all__ = ["FaceLandmarks", "FacePerception", "eye_aperture", "head_pose_deg", "inner_lip_gap", "iod_px"]

_ROI_SCALE = 1.5
_MIN_FLAG = 0.5
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
        for effort in (Effort.THOROUGH, Effort.DESPERATE):
            faces = self.find(image, effort)
            if faces:
                break
        return faces[:max_faces]

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

    def find(self, image: Image, effort: Effort) -> list[FaceLandmarks]:
        """Faces of a picture `H W 3` at one effort, largest first."""
        with self._detector() as detector:
            boxes: list[FaceBox] = detector.detect(image, effort)
        found = [face for box in boxes if (face := self.refine(image, box.roi.scaled(_ROI_SCALE), passes=2))]
        found_best = max((face.score for face in found), default=0.0)
        kept: list[FaceLandmarks] = []
        for face in sorted(found, key=lambda f: -f.score):
            # Beside a certain face a doubtful one is a bag's clasp or a poster.
            certain = face.score >= found_best - _MAX_DOUBT
            if certain and all(overlap(face.roi, other.roi) < _SAME_FACE for other in kept):
                kept.append(face)
        return sorted(kept, key=lambda f: -f.size_px)

    def refine(self, image: Image, roi: SquareROI, passes: int) -> FaceLandmarks | None:
        """Landmarks in `roi`, looked at again in the square they span; None when one of the passes sees no face."""
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
