"""The 133 points of COCO-WholeBody: their order, and how the points of our own networks fill them. Facts, no networks.

Jin et al. 2020 (arXiv 2007.11858): body 17 (COCO), feet 6, face 68 (iBUG 300-W), left hand 21, right hand 21. L and R
are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnihuman.perception.person import PersonTrack
from omnihuman.types import Float

NUM_KEYPOINTS = 133
HEAD_POINTS = 5
"""The first of the body: nose, eyes, ears."""
BODY, FEET, FACE = slice(0, 17), slice(17, 23), slice(23, 91)
HANDS = {"l": slice(91, 112), "r": slice(112, 133)}
NOSE, EYE_L, EYE_R, EAR_L, EAR_R = range(5)
SHOULDER_L, SHOULDER_R, ELBOW_L, ELBOW_R, WRIST_L, WRIST_R = range(5, 11)
HIP_L, HIP_R, KNEE_L, KNEE_R, ANKLE_L, ANKLE_R = range(11, 17)

BODY_FROM_33 = (0, 2, 5, 7, 8, 11, 12, 13, 14, 15, 16, 23, 24, 25, 26, 27, 28)
"""BlazePose's number of each COCO body point."""
FEET_FROM_33 = (31, None, 29, 32, None, 30)
"""Left big toe, small toe, heel, then the right ones; BlazePose has one tip of the foot only."""
FACE_FROM_MESH = (
    *(127, 234, 93, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 323, 454, 356),
    *(70, 63, 105, 66, 107, 336, 296, 334, 293, 300),
    *(168, 197, 5, 4, 98, 97, 2, 326, 327),
    *(33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380),
    *(61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181),
    *(78, 82, 13, 312, 308, 317, 14, 87),
)
"""The mesh landmark nearest to each of the 68 points: jaw from the image left, brows, nose, eyes, outer, inner lips."""


@dataclass(frozen=True)
class KeypointTrack:
    """One person over time as points of the picture.

    Attributes:
        times_s: `N` seconds, ascending: the middle of what each frame shows.
        width: Of the picture, pixels.
        height: Of the picture, pixels.
        points: `N 133 2` pixels.
        confidence: `N 133`, 0..1; 0 where a point is not known.
    """

    times_s: Float
    width: int
    height: int
    points: Float
    confidence: Float

    def __post_init__(self) -> None:
        count = len(self.times_s)
        assert self.points.shape == (count, NUM_KEYPOINTS, 2), self.points.shape
        assert self.confidence.shape == (count, NUM_KEYPOINTS), self.confidence.shape


def keypoints_of(person: PersonTrack) -> KeypointTrack:
    """A tracked person as 133 points."""
    count = len(person.times_s)
    points = np.zeros((count, NUM_KEYPOINTS, 2), np.float32)
    confidence = np.zeros((count, NUM_KEYPOINTS), np.float32)
    points[:, BODY] = person.body[:, list(BODY_FROM_33), :2]
    confidence[:, BODY] = person.body_visibility[:, list(BODY_FROM_33)]
    for place, number in enumerate(FEET_FROM_33, start=FEET.start):
        if number is not None:
            points[:, place] = person.body[:, number, :2]
            confidence[:, place] = person.body_visibility[:, number]
    points[:, FACE] = person.face[:, list(FACE_FROM_MESH), :2]
    confidence[:, FACE] = person.face_seen[:, None]
    _head_from_face(points, confidence, person)
    for k, side in enumerate("lr"):
        points[:, HANDS[side]] = person.hands[:, k, :, :2]
        confidence[:, HANDS[side]] = person.hand_score[:, k, None]
    return KeypointTrack(person.times_s, person.width, person.height, points, np.clip(confidence, 0, 1))


def _head_from_face(points: Float, confidence: Float, person: PersonTrack) -> None:
    """Where the face is seen its mesh tells nose and eyes better than the body network; in place."""
    seen = person.face_seen
    for place, landmark in ((NOSE, 1), (EYE_L, 473), (EYE_R, 468)):
        points[seen, place] = person.face[seen, landmark, :2]
        confidence[seen, place] = 1.0
    for place, landmark in ((EAR_L, 454), (EAR_R, 234)):
        unknown = seen & (confidence[:, place] == 0)
        points[unknown, place] = person.face[unknown, landmark, :2]
        confidence[unknown, place] = 0.5
