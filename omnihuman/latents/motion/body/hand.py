"""Fingers in the plane of the picture: they fan out about their roots and get shorter as they bend. Geometry only.

Legend: V vertices; the 21 points of a hand are those of `perception.hands`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnihuman.latents.motion.body.arm_bones import on_segment
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.perception.hands import FINGERS, WRIST
from omnihuman.types import Float

_FAN_DEG = {"thumb": -16.0, "index": -9.0, "middle": -1.0, "ring": 7.0, "little": 14.0}
"""Turn of each finger at a full spread, away from the middle finger."""
_SHORTER = {"thumb": 0.20, "index": 0.42, "middle": 0.45, "ring": 0.45, "little": 0.42}
"""Part of its length that a finger loses at a full curl."""
_WIDTH_PALM = 0.17


@dataclass(frozen=True)
class FingerRig:
    """What moves the fingers of one hand.

    Attributes:
        spread: `5 V` angle in radians at a full spread, one row per finger of `FINGERS`.
        roots: `5 2` joints that the fingers turn about.
        curl: `V 2` displacement in pixels at a full curl.
    """

    spread: Float
    roots: Float
    curl: Float


def build_fingers(hand: Float | None, points: Float) -> FingerRig | None:
    """The rig of a hand `21 2` on the vertices `points` `V 2`."""
    if hand is None:
        return None
    palm = max(float(np.linalg.norm(hand[9] - hand[WRIST])), 1.0)
    chains = {name: (hand[chain[1]] if name == "thumb" else hand[chain[0]], hand[list(chain)])
              for name, chain in FINGERS.items()}  # fmt: skip
    near = []
    for root, chain in chains.values():
        joints = np.concatenate([root[None], chain[1:]])
        distance = np.min([on_segment(points, a, b)[1] for a, b in zip(joints, joints[1:], strict=False)], axis=0)
        near.append(np.exp(-0.5 * (distance / (_WIDTH_PALM * palm)) ** 2))
    member = np.stack(near)
    member = member**2 / (member**2).sum(0).clip(0.02)
    # Seen from the back or the palm, left or right: the index finger lies to one side of the middle one.
    turned = np.sign(_cross(hand[9] - hand[WRIST], hand[5] - hand[17])) or 1.0
    spread, curl, roots = [], np.zeros((len(points), 2)), []
    for row, (name, (root, chain)) in enumerate(chains.items()):
        along = chain[-1] - root
        length = max(float(np.linalg.norm(along)), 1.0)
        along = along / length
        forward = (points - root) @ along
        share = member[row] * smoothstep(forward / (0.45 * palm) + 0.15)
        spread.append(-turned * np.radians(_FAN_DEG[name]) * share)
        curl -= (_SHORTER[name] * member[row] * np.clip(forward, 0, 1.2 * length))[:, None] * along
        roots.append(root)
    return FingerRig(np.array(spread, np.float32), np.array(roots, np.float32), curl.astype(np.float32))


def _cross(a: Float, b: Float) -> float:
    return float(a[0] * b[1] - a[1] * b[0])


def move_fingers(rig: FingerRig, points: Float, spread: float, curl: float) -> Float:
    """Vertices `V 2` after spreading and curling."""
    if not spread and not curl:
        return points
    moved = points.astype(np.float32).copy()
    for angles, root in zip(rig.spread, rig.roots, strict=True):
        moved += turned_about(points, root, spread * angles) - points
    return np.asarray(moved + curl * rig.curl, np.float32)


def turned_about(points: Float, pivot: Float, angle_rad: Float) -> Float:
    """Points `V 2` turned about a pivot, each by its own angle `V`; exactly where they were at angle 0."""
    arm = points - pivot
    cos, sin = np.cos(angle_rad) - 1, np.sin(angle_rad)
    shift = np.stack([cos * arm[:, 0] - sin * arm[:, 1], sin * arm[:, 0] + cos * arm[:, 1]], 1)
    return np.asarray(points + shift, np.float32)
