"""One person over time: face, body and hands of every frame of a video, in its own pixels. Data only, no networks.

Legend: N frames; L and R are the person's own sides; points are x right, y down, z towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.types import Float


@dataclass(frozen=True)
class PersonTrack:
    """What was seen of one person; unseen rows hold whatever came last and are masked.

    Attributes:
        times_s: `N` seconds, ascending: the middle of what each frame shows.
        width: Of the video, pixels.
        height: Of the video, pixels.
        face: `N 478 3` landmarks.
        face_seen: `N` whether the face was found.
        body: `N 33 3` points in the order of `perception.body`.
        body_visibility: `N 33`, 0..1; 0 where no body was found.
        hands: `N 2 21 3` hand points, left hand first, wrist first, then thumb to little finger from root to tip.
        hand_score: `N 2`, 0..1; 0 where the hand was not found.
    """

    times_s: Float
    width: int
    height: int
    face: Float
    face_seen: NDArray[np.bool_]
    body: Float
    body_visibility: Float
    hands: Float
    hand_score: Float

    def __post_init__(self) -> None:
        count = len(self.times_s)
        assert self.face.shape == (count, 478, 3), self.face.shape
        assert self.body.shape == (count, 33, 3), self.body.shape
        assert self.hands.shape == (count, 2, 21, 3), self.hands.shape
        assert self.face_seen.shape == (count,), self.face_seen.shape
        assert self.body_visibility.shape == (count, 33), self.body_visibility.shape
        assert self.hand_score.shape == (count, 2), self.hand_score.shape
