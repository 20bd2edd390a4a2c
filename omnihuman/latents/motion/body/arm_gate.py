"""How far each joint of an arm may turn in this picture, and why not further. Judges only.

Clamp, never tear: an arm that stands free gets the whole range of the table; one that is cut by the frame, hides the
body, holds something or crosses another arm gets what looked right in pictures, or nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import cv2
import numpy as np

from omnihuman.latents.motion.body.arm_bones import FORE, HAND, UPPER, ArmBones, nearness, on_segment
from omnihuman.latents.motion.body.arm_matte import ArmMatte
from omnihuman.latents.motion.body.grip import is_fist
from omnihuman.types import Float, Image

SHOULDER, ELBOW, WRIST, SPREAD, CURL = (
    "arm_shoulder_deg",
    "arm_elbow_deg",
    "arm_wrist_deg",
    "finger_spread",
    "finger_curl",
)
FULL = {SHOULDER: 45.0, ELBOW: 45.0, WRIST: 30.0, SPREAD: 1.0, CURL: 1.0}
"""The range of the table, both ways."""
_SEEN = 0.5
_MIN_CERTAINTY, _MIN_COVERED = 0.7, 0.6
CONTINUED_SW, _CONTINUED_HAND_SW = 0.3, 0.08
"""How far an arm that the frame cuts is continued beyond it, and how much of a continued hand may come in."""
_BEFORE_BODY, _LOST_BEFORE_BODY = 0.2, 0.3
_MIN_LENGTH_SW = 0.35
_MIN_PALM_PX, _SURE_PALM_PX = 12.0, 24.0
_SURE_HAND = 0.8


@dataclass
class ArmGate:
    """Limits of one arm.

    Attributes:
        limits: For each joint or finger parameter (without side) the least and the greatest value.
        reasons: Why limits are narrower than the table, for people.
    """

    limits: dict[str, tuple[float, float]] = field(default_factory=lambda: {n: (-v, v) for n, v in FULL.items()})
    reasons: list[str] = field(default_factory=list)

    @property
    def open(self) -> bool:
        """Whether anything may move."""
        return any(high > low for low, high in self.limits.values())

    @property
    def freedom(self) -> float:
        """0..1, share of the table's range that shoulder and elbow have together."""
        spans = [self.limits[n][1] - self.limits[n][0] for n in (SHOULDER, ELBOW)]
        return float(sum(spans) / (2 * FULL[SHOULDER] + 2 * FULL[ELBOW]))

    def narrow(self, reason: str, **to: float | tuple[float, float]) -> None:
        """Narrows limits, named by parameter without side, to plus and minus one number or to a pair."""
        for name, limit in to.items():
            low, high = (-limit, limit) if isinstance(limit, int | float) else limit
            old_low, old_high = self.limits[name]
            self.limits[name] = (max(old_low, low), min(old_high, high))
        self.reasons.append(reason)

    def close(self, reason: str) -> None:
        """Allows nothing."""
        self.narrow(reason, **dict.fromkeys(FULL, 0.0))

    def limited(self, name: str, value: float) -> float:
        """A value (parameter `name` without side) brought inside its limits, softly where they are narrow."""
        low, high = self.limits[name]
        bound = high if value >= 0 else -low
        return float(np.sign(value)) * soft_limit(abs(value), bound, FULL[name])


def soft_limit(size: float, bound: float, full: float) -> float:
    """`size` below `bound`: as asked up to 60 % of it, then ever less; a bound of the whole range just clips."""
    if bound >= full:
        return min(size, full)
    knee = 0.6 * bound
    if size <= knee or bound <= 0.0:
        return min(size, max(bound, 0.0))
    return knee + (bound - knee) * float(np.tanh((size - knee) / (bound - knee)))


@dataclass(frozen=True)
class ArmScene:
    """What an arm is judged by.

    Attributes:
        image: `H W 3`.
        arm: Its bones.
        matte: The arm cut out.
        other: Bones of the other arm, or None where that one is out of sight.
        face: `N 2` outline of the face.
        span: Shoulder distance, pixels.
        body_behind: 0..1, how much of what the arm hides is body.
        pattern: Strength of that body's pattern, grey levels.
    """

    image: Image
    arm: ArmBones
    matte: ArmMatte
    other: ArmBones | None
    face: Float
    span: float
    body_behind: float
    pattern: float


def judge(scene: ArmScene) -> ArmGate:
    """The gate of one arm."""
    gate = ArmGate()
    for check in (_visible, _cut_out, _crossing, _before_face, _before_body, _at_border, _bend, _hand, _held):
        check(gate, scene)
    return gate


def closed(reason: str) -> ArmGate:
    """A gate that lets nothing through."""
    gate = ArmGate()
    gate.close(reason)
    return gate


def _visible(gate: ArmGate, scene: ArmScene) -> None:
    shoulder, elbow, wrist = scene.arm.seen
    if shoulder < _SEEN or elbow < _SEEN:
        gate.close("shoulder or elbow not seen")
    elif wrist < _SEEN and _inside(scene.arm.joints[2], scene.image):
        gate.close("wrist hidden")
    elif wrist < _SEEN:
        gate.narrow("wrist beyond the frame", arm_shoulder_deg=12.0, arm_elbow_deg=6.0, arm_wrist_deg=0.0,
                    finger_spread=0.0, finger_curl=0.0)  # fmt: skip
    if scene.arm.length(UPPER) < _MIN_LENGTH_SW * scene.span:
        gate.narrow("upper arm points at the viewer", arm_shoulder_deg=6.0)
    if scene.arm.length(FORE) < 0.8 * _MIN_LENGTH_SW * scene.span:
        gate.narrow("forearm points at the viewer", arm_elbow_deg=6.0)


def _inside(point: Float, image: Image) -> bool:
    height, width = image.shape[:2]
    return bool((point >= 0).all() and (point < [width, height]).all())


def _cut_out(gate: ArmGate, scene: ArmScene) -> None:
    bones = scene.matte.covered[[UPPER, FORE]] if scene.arm.seen[2] >= _SEEN else scene.matte.covered[[UPPER]]
    if bones.min() < _MIN_COVERED:
        gate.close("arm not in the person's matte")
    elif scene.matte.certainty < _MIN_CERTAINTY:
        gate.narrow("unsure outline", arm_shoulder_deg=6.0, arm_elbow_deg=6.0, arm_wrist_deg=4.0)


def _crossing(gate: ArmGate, scene: ArmScene) -> None:
    if scene.other is None:
        return
    mine, theirs = scene.arm.joints, scene.other.joints
    # Upper arms meet nobody; a forearm or a hand may lie on any part of the other arm.
    for number in (FORE, HAND):
        for other in (UPPER, FORE, HAND):
            if _gap(mine[number], mine[number + 1], theirs[other], theirs[other + 1]) < 0.17 * scene.span:
                gate.close("arms or hands cross or touch")
                return
            if _gap(theirs[number], theirs[number + 1], mine[other], mine[other + 1]) < 0.17 * scene.span:
                gate.close("arms or hands cross or touch")
                return


def _gap(a: Float, b: Float, c: Float, d: Float) -> float:
    """Smallest distance between two segments, sampled."""
    steps = np.linspace(0, 1, 9)[:, None]
    distance = min(on_segment(a + steps * (b - a), c, d)[1].min(), on_segment(c + steps * (d - c), a, b)[1].min())
    return float(distance)


def _before_face(gate: ArmGate, scene: ArmScene) -> None:
    steps = np.linspace(0, 1, 9)[:, None]
    chain = np.concatenate(
        [scene.arm.joints[k] + steps * (scene.arm.joints[k + 1] - scene.arm.joints[k]) for k in (1, 2)]
    )
    outline = scene.face.astype(np.float32)
    reach = max(cv2.pointPolygonTest(outline, (float(x), float(y)), True) for x, y in chain)
    if reach > -0.06 * scene.span:
        gate.close("hand or forearm before the face")


def _before_body(gate: ArmGate, scene: ArmScene) -> None:
    """An arm before the body uncovers paint: the more of it, and the richer the pattern, the less it may move."""
    if scene.body_behind > _BEFORE_BODY:
        free = float(np.interp(scene.body_behind, (_BEFORE_BODY, 0.35, 0.85), (40.0, 26.0, 14.0)))
        free *= float(np.interp(scene.pattern, (10.0, 25.0), (1.0, 0.4)))
        gate.narrow("partly before the body", arm_shoulder_deg=free, arm_elbow_deg=free)


def _at_border(gate: ArmGate, scene: ArmScene) -> None:
    """What leaves the frame must stay outside: the cut may come in by no more than the layer was continued."""
    height, width = scene.image.shape[:2]
    alpha, box = scene.matte.alpha, scene.matte.box
    rows, columns = np.nonzero(alpha > 0.3)
    if not len(rows):
        return
    edge = (rows + box.top >= height - 2) | (columns + box.left <= 1) | (columns + box.left >= width - 2)
    edge |= rows + box.top <= 1
    if edge.mean() == 0 or edge.sum() < 0.05 * scene.span:
        return
    cut = np.stack([columns[edge] + box.left, rows[edge] + box.top], 1).astype(np.float32)
    # Sleeves go on; a hand does not, its continuation may hardly be seen, unless all of it is in the picture already.
    at_hand = nearness(scene.arm, cut).argmin(0) == HAND
    ends = scene.arm.joints[3:] if scene.arm.hand is None else scene.arm.hand
    if all(_inside(point, scene.image) for point in ends):
        cut, at_hand = cut[~at_hand], at_hand[~at_hand]
    if len(cut) < 0.05 * scene.span:
        return
    allowed = scene.span * (_CONTINUED_HAND_SW if at_hand.any() else 0.8 * CONTINUED_SW)
    shoulder, elbow = (float(np.linalg.norm(cut - scene.arm.joints[k], axis=1).max()) for k in (0, 1))
    gate.narrow(
        "cut by the frame",
        arm_shoulder_deg=float(np.degrees(allowed / max(shoulder, 1.0))),
        arm_elbow_deg=float(np.degrees(allowed / max(elbow, 1.0))),
        arm_wrist_deg=0.0 if scene.arm.hand is None else 15.0,
    )


def _bend(gate: ArmGate, scene: ArmScene) -> None:
    """A forearm folded onto the upper arm is one piece with it in the picture."""
    inner = 180 - np.degrees(np.arccos(np.clip(scene.arm.bone(UPPER) @ scene.arm.bone(FORE), -1, 1)))
    if inner < 50:
        gate.narrow("elbow sharply bent", arm_elbow_deg=float(np.interp(inner, (25, 50), (0.0, 14.0))))


def _hand(gate: ArmGate, scene: ArmScene) -> None:
    if scene.arm.hand is None:
        gate.narrow("no hand found", arm_wrist_deg=8.0, finger_spread=0.0, finger_curl=0.0)
        if scene.body_behind > _LOST_BEFORE_BODY and _inside(scene.arm.joints[2], scene.image):
            # Folded, gloved or holding something: nobody knows what would be torn apart.
            gate.narrow("hand not told from the body", arm_shoulder_deg=4.0, arm_elbow_deg=4.0, arm_wrist_deg=2.0)
        return
    big = float(np.interp(scene.arm.palm_px, (_MIN_PALM_PX, _SURE_PALM_PX), (0.0, 1.0)))
    sure = float(np.interp(scene.arm.hand_score, (0.5, _SURE_HAND), (0.0, 1.0)))
    if big * sure < 1:
        gate.narrow("hand small or unsure", finger_spread=big * sure, finger_curl=big * sure)
    apart = _finger_gap(scene.arm.hand)
    if apart < 1.0:
        gate.narrow("fingers close together", finger_spread=(-0.15, 0.15 + 0.5 * apart))


def _finger_gap(hand: Float) -> float:
    """0 where finger tips touch, 1 where there is a finger's width between them; the narrowest pair counts."""
    palm = max(float(np.linalg.norm(hand[9] - hand[0])), 1.0)
    tips = np.linalg.norm(np.diff(hand[[8, 12, 16, 20]], axis=0), axis=1) / palm
    return float(np.clip((tips.min() - 0.22) / 0.22, 0.0, 1.0))


def _held(gate: ArmGate, scene: ArmScene) -> None:
    if is_fist(scene.arm):
        gate.narrow("a fist", arm_wrist_deg=15.0, finger_spread=0.0, finger_curl=0.0)
    if scene.arm.holds:
        gate.narrow("holds something", arm_shoulder_deg=8.0, arm_elbow_deg=8.0, arm_wrist_deg=5.0,
                    finger_spread=0.0, finger_curl=0.0)  # fmt: skip
    other = scene.other
    if other is None or not (scene.arm.holds or other.holds) or min(other.seen[2], scene.arm.seen[2]) < _SEEN:
        return
    if np.linalg.norm(scene.arm.joints[2] - other.joints[2]) < 1.3 * scene.span:
        gate.close("both hands at one thing")
