"""One person through a video: face, body and hands of every frame. Follows and collects; what they mean is the fit's.

Frames stream through; beyond the arrays of the result memory stays flat.
Legend: N frames; L and R are the person's own sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from omnihuman.perception.body import BodyLandmarks, BodyPerception
from omnihuman.perception.face import FaceLandmarks, FacePerception
from omnihuman.perception.hands import HandLandmarks, HandPerception
from omnihuman.perception.person import PersonTrack
from omnihuman.types import Float, Image

SIDES = ("l", "r")
"""Order of the hands in a track."""
_HAND_RETRY_FRAMES = 10
_PART_SHAPES = {"face": (478, 3), "body": (33, 3), "l": (21, 3), "r": (21, 3)}


class PersonTracker:
    """Follows one person.

    Args:
        face: Finds and follows faces.
        body: Finds and follows bodies; None leaves body and hands out.
        hands: Finds and follows hands; None leaves them out.
    """

    def __init__(
        self, face: FacePerception, body: BodyPerception | None = None, hands: HandPerception | None = None
    ) -> None:
        self._face = face
        self._body = body
        self._hands = hands

    def track(self, frames: Iterable[Image], fps: float, face: int = 1) -> PersonTrack:
        """Looks at every frame once.

        Args:
            frames: Pictures `H W 3` of one size, in order; at least one.
            fps: Frames per second.
            face: Who is followed: number of the face in the first frame that shows any, 1 = the largest.
        """
        rows = _Rows()
        width = height = 0
        for image, sight in self._sights(frames, face):
            height, width = image.shape[:2]
            rows.add(sight)
        return rows.as_track(fps, width, height)

    def _sights(self, frames: Iterable[Image], first: int) -> Iterator[tuple[Image, _Sight]]:
        """Each frame with what is seen in it."""
        faces = self._face.follower(first)
        bodies = None if self._body is None else self._body.follower()
        hands: dict[str, HandLandmarks] = {}
        for number, image in enumerate(frames):
            face = faces.step(image)
            body = None if bodies is None else bodies.step(image, face)
            hands = self._hands_of(image, number, body, hands)
            yield image, _Sight(face, body, hands)

    def _hands_of(
        self, image: Image, number: int, body: BodyLandmarks | None, last: dict[str, HandLandmarks]
    ) -> dict[str, HandLandmarks]:
        if self._hands is None or body is None:
            return {}
        if not last and number % _HAND_RETRY_FRAMES == 0:
            return self._hands.detect(image, body)
        return self._hands.follow(image, body, last)


@dataclass(frozen=True)
class _Sight:
    """What is seen in one frame."""

    face: FaceLandmarks | None
    body: BodyLandmarks | None
    hands: dict[str, HandLandmarks]


@dataclass
class _Rows:
    """Growing columns of a track; a part that is not seen repeats its last row."""

    points: dict[str, list[Float]] = field(default_factory=lambda: {part: [] for part in _PART_SHAPES})
    seen: dict[str, list[bool]] = field(default_factory=lambda: {part: [] for part in _PART_SHAPES})
    visibility: list[Float] = field(default_factory=list)
    hand_score: list[tuple[float, ...]] = field(default_factory=list)

    def add(self, sight: _Sight) -> None:
        """One more frame."""
        self._add_part("face", sight.face)
        self._add_part("body", sight.body)
        for side in SIDES:
            self._add_part(side, sight.hands.get(side))
        self.visibility.append(np.zeros(33, np.float32) if sight.body is None else sight.body.visibility)
        self.hand_score.append(tuple(sight.hands[s].score if s in sight.hands else 0.0 for s in SIDES))

    def _add_part(self, part: str, found: FaceLandmarks | BodyLandmarks | HandLandmarks | None) -> None:
        column = self.points[part]
        if found is not None:
            column.append(found.points.astype(np.float32))
        else:
            column.append(column[-1] if column else np.zeros(_PART_SHAPES[part], np.float32))
        self.seen[part].append(found is not None)

    def as_track(self, fps: float, width: int, height: int) -> PersonTrack:
        """The columns as arrays; rows before a part was first seen hold its first sight."""
        parts = {part: _led_in(np.stack(rows), np.array(self.seen[part])) for part, rows in self.points.items()}
        return PersonTrack(
            times_s=((np.arange(len(self.visibility)) + 0.5) / fps).astype(np.float32),
            width=width,
            height=height,
            face=parts["face"],
            face_seen=np.array(self.seen["face"]),
            body=parts["body"],
            body_visibility=np.stack(self.visibility).astype(np.float32),
            hands=np.stack([parts[side] for side in SIDES], axis=1),
            hand_score=np.array(self.hand_score, np.float32),
        )


def _led_in(rows: Float, seen: NDArray[np.bool_]) -> Float:
    first = int(seen.argmax())
    rows[:first] = rows[first]
    return rows
