"""Follows one face through a video and stays with its person: through crossings, covered faces and short losses.

The mesh network looks where the face was; what it finds must also look like the person: a coarse patch of colours of
face, hair and collar. A face that stepped in between is refused, and the person is searched for again.
Legend: n cells of the patch's side, M cells inside its oval.
"""

from __future__ import annotations

import math
from typing import Protocol

import cv2
import numpy as np

from omnihuman.perception.face_detector import Effort
from omnihuman.perception.face_landmarks import FaceLandmarks
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Float, Image

_RETRY_FRAMES = 10
_PATCH_CELLS = 16
_PATCH_SCALE = 1.3
_OVAL = (0.36, 0.46)
_LIGHT_SHARE = np.array([0.7, 0.3, 0.3], np.float32)
"""How much of a change of all colours alike (L, a, b) is put down to the light."""
_KEPT_SHARE = 0.6
"""Share of the cells, the most alike, that count: a hand or a passer-by may cover the rest."""
_OTHER_PERSON = 10.0
"""Difference of two patches, in steps of L. Measured on nine clips against a memory that follows slowly: the same
person stays below 8 (99 %), other people begin at 10 and mostly lie above 13."""
_MEMORY = 0.04
_SPEED_MEMORY = 0.4
_FAR_FACES = 2.0
_GIVE_UP_FRAMES = 100


class FaceFinder(Protocol):
    """What a follower needs of `FacePerception`."""

    def find(self, image: Image, effort: Effort) -> list[FaceLandmarks]:
        """Faces of a picture, largest first."""
        ...

    def refine(self, image: Image, roi: SquareROI, passes: int) -> FaceLandmarks | None:
        """The face in a square, or None."""
        ...


class FaceFollower:
    """Follows one face; one `step` per frame.

    Args:
        faces: Finds and confirms faces.
        first: Which face of the first frame that shows any, 1 = the largest; the largest where there are fewer.
    """

    def __init__(self, faces: FaceFinder, first: int = 1) -> None:
        self._faces = faces
        self._first = first
        self._last: FaceLandmarks | None = None
        self._look: Float | None = None
        self._others: list[Float] = []
        self._speed = np.zeros(2, np.float32)
        self._lost_frames = 0

    def step(self, image: Image) -> FaceLandmarks | None:
        """The face in the next frame `H W 3`, or None where it is not seen."""
        face = self._seen_again(image)
        if face is None:
            face = self._searched(image)
        if face is None:
            self._lost_frames += 1
            return None
        self._remember(image, face)
        return face

    def _seen_again(self, image: Image) -> FaceLandmarks | None:
        if self._last is None or self._lost_frames > 0:
            return None
        face = self._faces.refine(image, self._last.roi, passes=1)
        return face if face is not None and self._strangeness(image, face) < 1 else None

    def _searched(self, image: Image) -> FaceLandmarks | None:
        effort = Effort.THOROUGH if self._lost_frames % _RETRY_FRAMES == 0 else Effort.QUICK
        found = self._faces.find(image, effort)
        if not found:
            return None
        if self._last is None:
            return self._chosen(image, found)
        costs = [self._strangeness(image, face) + self._remoteness(face) for face in found]
        best = int(np.argmin(costs))
        if self._lost_frames >= _GIVE_UP_FRAMES:
            # Light and hair may change for good, but no passer-by covers a face for so long.
            self._look, self._others = None, []
            return found[best]
        return found[best] if costs[best] < 1 else None

    def _chosen(self, image: Image, found: list[FaceLandmarks]) -> FaceLandmarks | None:
        """The face to follow, in the first frame that shows so many; how the others look is kept, too."""
        if len(found) < self._first:
            return None
        number = self._first - 1
        self._others = [colour_patch(image, face) for k, face in enumerate(found) if k != number]
        return found[number]

    def _strangeness(self, image: Image, face: FaceLandmarks) -> float:
        """How unlike the person a face looks; 1 = another person."""
        if self._look is None:
            return 0.0
        look = colour_patch(image, face)
        own = patch_difference(self._look, look)
        rival = min((patch_difference(other, look) for other in self._others), default=math.inf)
        return own / _OTHER_PERSON if own < rival else max(1.0, own / _OTHER_PERSON)

    def _remoteness(self, face: FaceLandmarks) -> float:
        """How far a face is from where the person should be by now, 0..1, the less the longer nothing was seen."""
        assert self._last is not None
        ahead = min(self._lost_frames + 1, _RETRY_FRAMES)
        expected = np.array([self._last.roi.x, self._last.roi.y]) + self._speed * ahead
        apart = math.hypot(face.roi.x - expected[0], face.roi.y - expected[1]) / self._last.size_px
        return min(1.0, apart / _FAR_FACES) / (1 + self._lost_frames / _RETRY_FRAMES)

    def _remember(self, image: Image, face: FaceLandmarks) -> None:
        look = colour_patch(image, face)
        self._look = look if self._look is None else self._look + _MEMORY * (look - self._look)
        if self._last is not None and self._lost_frames == 0:
            step = np.array([face.roi.x - self._last.roi.x, face.roi.y - self._last.roi.y], np.float32)
            self._speed += _SPEED_MEMORY * (step - self._speed)
        self._last, self._lost_frames = face, 0


def colour_patch(image: Image, face: FaceLandmarks) -> Float:
    """Coarse colours `M 3` (L, a, b) of face, hair and collar, turned upright."""
    patch = face.roi.scaled(_PATCH_SCALE).crop(image, _PATCH_CELLS)
    y, x = np.mgrid[:_PATCH_CELLS, :_PATCH_CELLS] / (_PATCH_CELLS - 1) - 0.5
    inside = (x / _OVAL[0]) ** 2 + (y / _OVAL[1]) ** 2 < 1
    return np.asarray(cv2.cvtColor(patch, cv2.COLOR_RGB2LAB)[inside], np.float32)


def patch_difference(first: Float, second: Float) -> float:
    """Mean distance of the colours of two patches `M 3` where they are most alike; a change of light counts little."""
    apart = first - second
    apart = apart - _LIGHT_SHARE * np.median(apart, axis=0)
    distances = np.sort(np.linalg.norm(apart, axis=1))
    return float(distances[: max(1, int(_KEPT_SHARE * len(distances)))].mean())
