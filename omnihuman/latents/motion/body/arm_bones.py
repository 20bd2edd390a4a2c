"""Where the bones of an arm lie in the picture, how thick it is there, and how far any pixel is from it. Geometry only.

An arm is three bones (upper arm, forearm, hand) in the plane of the picture; a found hand adds its fingers.
Legend: N points, L and R are the person's own; pixels, x right, y down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omnihuman.latents.motion.body.torso import Torso
from omnihuman.latents.motion.face.mesh import inside_polygon
from omnihuman.perception.hands import FINGERS, WRIST, HandLandmarks
from omnihuman.types import Float

if TYPE_CHECKING:
    from omnihuman.perception.body import BodyLandmarks

BODY_POINTS = {"l": (11, 13, 15, (17, 19)), "r": (12, 14, 16, (18, 20))}
"""Numbers of shoulder, elbow, wrist and the two knuckles among the body landmarks."""
UPPER, FORE, HAND = 0, 1, 2
_RADII_SW = (0.165, 0.135, 0.095, 0.11)
"""Half widths of a clothed arm at shoulder, elbow, wrist and knuckles."""
_FINGER_RADIUS, _THUMB_RADIUS = 0.125, 0.15
"""In lengths of the palm, wrist to root of the middle finger."""
_ENCLOSED, _THING_PALM = 0.4, 0.8
"""A thing in the hand: what the fingers enclose is sure, what sticks out may belong to it this far, in palms."""
_HAND_BEYOND_KNUCKLES = 0.75
MIN_HAND_SCORE = 0.5


@dataclass(frozen=True)
class ArmBones:
    """One arm.

    Attributes:
        side: "l" or "r".
        joints: `4 2` shoulder, elbow, wrist, end of the hand.
        radii: `4` half width at the joints, pixels.
        seen: `3` visibility of shoulder, elbow and wrist, 0..1.
        lateral: `2` unit vector along the shoulders, away from the spine.
        hand: The 21 points of the hand `21 2`, or None.
        hand_score: Confidence of the hand, 0 without one.
        holds: Whether the hand holds something, which then goes with it.
    """

    side: str
    joints: Float
    radii: Float
    seen: Float
    lateral: Float
    hand: Float | None
    hand_score: float
    holds: bool = False

    @property
    def lift_sign(self) -> float:
        """+1 where a lift is clockwise in the image (right arm), -1 where it is not."""
        return 1.0 if self.side == "r" else -1.0

    def bone(self, number: int) -> Float:
        """Unit vector `2` along bone UPPER, FORE or HAND."""
        along = self.joints[number + 1] - self.joints[number]
        return np.asarray(along / max(float(np.linalg.norm(along)), 1e-3), np.float32)

    def length(self, number: int) -> float:
        """Length of a bone in pixels."""
        return float(np.linalg.norm(self.joints[number + 1] - self.joints[number]))

    @property
    def palm_px(self) -> float:
        """Wrist to root of the middle finger; 0 without a hand."""
        return 0.0 if self.hand is None else float(np.linalg.norm(self.hand[9] - self.hand[WRIST]))


def locate_arm(body: BodyLandmarks, hand: HandLandmarks | None, side: str, torso: Torso) -> ArmBones:
    """Bones of one arm; joints that were not seen are where the network guesses them."""
    shoulder, elbow, wrist, knuckles = BODY_POINTS[side]
    points = body.points[:, :2].astype(np.float32)
    if hand is not None and hand.score < MIN_HAND_SCORE:
        hand = None
    if hand is None:
        root = points[wrist]
        end = root + (1 + _HAND_BEYOND_KNUCKLES) * (points[list(knuckles)].mean(0) - root)
    else:
        root, end = hand.points[WRIST, :2], hand.points[12, :2]
    across = torso.shoulder_l - torso.shoulder_r
    lateral = across / max(float(np.linalg.norm(across)), 1e-3) * (1.0 if side == "l" else -1.0)
    return ArmBones(
        side=side,
        joints=np.stack([points[shoulder], points[elbow], root, end]).astype(np.float32),
        radii=(np.array(_RADII_SW) * torso.width_px).astype(np.float32),
        seen=body.visibility[[shoulder, elbow, wrist]].astype(np.float32),
        lateral=lateral.astype(np.float32),
        hand=None if hand is None else hand.points[:, :2].astype(np.float32),
        hand_score=0.0 if hand is None else hand.score,
    )


def nearness(arm: ArmBones, points: Float) -> Float:
    """How near points `N 2` are to each bone, `3 N`: 0 on the bone, 1 at the skin of a plain arm, more beyond it."""
    rows = []
    for number in (UPPER, FORE, HAND):
        share, distance = on_segment(points, arm.joints[number], arm.joints[number + 1])
        radius = arm.radii[number] + share * (arm.radii[number + 1] - arm.radii[number])
        rows.append(distance / radius)
    if arm.hand is not None:
        rows[HAND] = _hand_nearness(arm.hand, points, arm.palm_px, arm.holds)
    return np.stack(rows).astype(np.float32)


def _hand_nearness(hand: Float, points: Float, palm_px: float, holds: bool) -> Float:
    nearest = np.full(len(points), np.inf)
    for finger, chain in FINGERS.items():
        radius = (_THUMB_RADIUS if finger == "thumb" else _FINGER_RADIUS) * max(palm_px, 1.0)
        for a, b in zip((WRIST, *chain), chain, strict=False):
            # Between the wrist and the roots there is palm, no gap.
            width = 1.6 * radius if a == WRIST else radius
            nearest = np.minimum(nearest, on_segment(points, hand[a], hand[b])[1] / width)
    if holds:
        nearest = np.minimum(
            nearest, _ENCLOSED + _outside(points, cv2.convexHull(hand)[:, 0]) / (_THING_PALM * palm_px)
        )
    return nearest


def _outside(points: Float, outline: Float) -> Float:
    """Distance `N` of points to a closed outline `M 2`, 0 inside."""
    edges = [on_segment(points, a, b)[1] for a, b in zip(outline, np.roll(outline, -1, 0), strict=True)]
    return np.where(inside_polygon(points, outline), 0.0, np.min(edges, axis=0))


def on_segment(points: Float, start: Float, end: Float) -> tuple[Float, Float]:
    """For points `N 2`: share `N` of the way from `start` to `end` of the nearest point, and the distance `N`."""
    along_x, along_y = (float(d) for d in end - start)
    from_x, from_y = points[:, 0] - start[0], points[:, 1] - start[1]
    share = np.clip((from_x * along_x + from_y * along_y) / max(along_x**2 + along_y**2, 1e-6), 0.0, 1.0)
    return share, np.hypot(from_x - share * along_x, from_y - share * along_y)
