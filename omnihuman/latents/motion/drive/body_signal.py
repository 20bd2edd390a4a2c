"""A driver's joints over time, whatever found them: shoulders, arms, hips, ears and hands in the plane of the picture.

Legend: N frames; sides are in the order left, right, the person's own; points are pixels, x right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.perception import keypoints as coco
from omnihuman.perception.keypoints import KeypointTrack
from omnihuman.perception.person import PersonTrack
from omnihuman.types import Float

VISIBLE = 0.5
MIN_HAND_SCORE = 0.5
MIN_CONFIDENCE = 0.3
"""Of a key point; detectors of key points are less sure than they are right."""


@dataclass(frozen=True)
class BodySignal:
    """Joints with what is known of them.

    Attributes:
        shoulders: `N 2 2`.
        elbows: `N 2 2`.
        wrists: `N 2 2`.
        hips: `N 2 2`.
        ears: `N 2 2`.
        seen: Name of a joint -> `N 2` whether it is seen.
        depth: `N` how much nearer the left shoulder is than the right one, pixels; NaN where that is not known.
        hands: `N 2 21 2` hand points, wrist first.
        hands_seen: `N 2`.
    """

    shoulders: Float
    elbows: Float
    wrists: Float
    hips: Float
    ears: Float
    seen: dict[str, NDArray[np.bool_]]
    depth: Float
    hands: Float
    hands_seen: NDArray[np.bool_]


_JOINTS = {"shoulders": (11, 12), "elbows": (13, 14), "wrists": (15, 16), "hips": (23, 24), "ears": (7, 8)}


def person_signal(person: PersonTrack) -> BodySignal:
    """The signal of a tracked person."""
    points = {name: person.body[:, list(pair), :2].astype(np.float64) for name, pair in _JOINTS.items()}
    seen = {name: person.body_visibility[:, list(pair)] > VISIBLE for name, pair in _JOINTS.items()}
    depth = (person.body[:, 11, 2] - person.body[:, 12, 2]).astype(np.float64)
    hands = person.hands[..., :2].astype(np.float64)
    return BodySignal(**points, seen=seen, depth=depth, hands=hands, hands_seen=person.hand_score > MIN_HAND_SCORE)


def keypoint_signal(track: KeypointTrack) -> BodySignal:
    """The signal of key points: two dimensions, so how far the trunk is turned is not known."""
    pairs = {
        "shoulders": (coco.SHOULDER_L, coco.SHOULDER_R),
        "elbows": (coco.ELBOW_L, coco.ELBOW_R),
        "wrists": (coco.WRIST_L, coco.WRIST_R),
        "hips": (coco.HIP_L, coco.HIP_R),
        "ears": (coco.EAR_L, coco.EAR_R),
    }
    points = {name: track.points[:, list(pair)].astype(np.float64) for name, pair in pairs.items()}
    seen = {name: track.confidence[:, list(pair)] > MIN_CONFIDENCE for name, pair in pairs.items()}
    hands = np.stack([track.points[:, coco.HANDS[side]] for side in "lr"], 1).astype(np.float64)
    sure = np.stack([track.confidence[:, coco.HANDS[side]].min(1) for side in "lr"], 1)
    depth = np.full(len(track.times_s), np.nan)
    return BodySignal(**points, seen=seen, depth=depth, hands=hands, hands_seen=sure > MIN_CONFIDENCE)
