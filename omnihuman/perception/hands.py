"""Hands of the pictured person as 21 points each. Finding and judging only; moves nothing.

Squares come from the body's wrists and from a palm detector. Each find is looked at again in the mirror: what the
network only imagines ends up elsewhere. The body says whose hand it is, nearness and the network's own guess which.
Legend: points in pixels of the picture, x right, y down, z towards the viewer; L and R are the person's own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np

from omnihuman.perception import body as joints
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.hand_model import HandModel, RawHand, hand_roi, hand_roi_from_body
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Float, Handle, Image

__all__ = ["FINGERS", "WRIST", "HandLandmarks", "HandModel", "HandPerception"]

WRIST = 0
FINGERS = {"thumb": (1, 2, 3, 4), "index": (5, 6, 7, 8), "middle": (9, 10, 11, 12), "ring": (13, 14, 15, 16),
           "little": (17, 18, 19, 20)}  # fmt: skip
"""Joints of each finger from its root to its tip."""

_ARMS = {
    "l": (joints.ELBOW_LEFT, joints.WRIST_LEFT, joints.INDEX_LEFT, joints.PINKY_LEFT),
    "r": (joints.ELBOW_RIGHT, joints.WRIST_RIGHT, joints.INDEX_RIGHT, joints.PINKY_RIGHT),
}
_MIN_SCORE = 0.5
_MIN_WRIST_VISIBILITY = 0.3
_MAX_MIRROR_MISS = 0.3
_MAX_FINDS = 6
_FINGER_PALMS = (0.35, 2.6)
_HAND_SHOULDERS = (0.07, 0.9)
_NEAR_WRIST_HANDS = 2.0
_MAX_REACH_SHOULDERS, _LOOSE_WRIST_SHOULDERS = 2.2, 1.0
_SAME_HAND = 0.5
_WINDOW_FOREARMS = 2.5
_MAX_STEP_HANDS = 1.5


@dataclass(frozen=True)
class HandLandmarks:
    """One hand.

    Attributes:
        points: `21 3` float32, wrist first, then `FINGERS`.
        score: Confidence 0..1 that this is a hand.
        side: The person's own "l" or "r".
    """

    points: Float
    score: float
    side: str


class HandPerception:
    """Finds the hands that belong to a body, and follows them.

    Args:
        hands: Handle of a `HandModel`.
    """

    def __init__(self, hands: Handle) -> None:
        self._hands = hands

    def detect(self, image: Image, body: BodyLandmarks | None) -> dict[str, HandLandmarks]:
        """The hands in a picture `H W 3`.

        Args:
            image: `H W 3`.
            body: The body of the person meant; without it the clearest left and right hand are taken.

        Returns:
            Hands by side, "l" and "r"; a side that is not seen is missing.
        """
        found: list[RawHand] = []
        with self._hands() as model:
            for roi in _squares(model, image, body):
                hand = _looked_at(model, image, roi)
                if hand is not None and _possible(hand, body):
                    found.append(hand)
                if len(found) >= _MAX_FINDS:
                    break
        return _by_side(_without_twins(found), body)

    def follow(
        self, image: Image, body: BodyLandmarks | None, last: Mapping[str, HandLandmarks]
    ) -> dict[str, HandLandmarks]:
        """The same hands in the next frame: one look each where they were, a new search only at a visible wrist.

        Args:
            image: `H W 3` the next frame.
            body: The body in this frame.
            last: Hands of the frame before.
        """
        with self._hands() as model:
            found = [seen for hand in last.values() if (seen := _seen_again(model, image, hand, body)) is not None]
            tracked = _by_side(_without_twins(found), body)
            if body is None:
                return tracked
            fresh = [
                hand
                for side in _ARMS
                if side not in tracked and _wrist_seen(body, side)
                if (hand := _looked_at(model, image, _square_of_arm(body, side))) is not None and _possible(hand, body)
            ]
        return _by_side(_without_twins(found + fresh), body) if fresh else tracked


def _squares(model: HandModel, image: Image, body: BodyLandmarks | None) -> Iterator[SquareROI]:
    """Where hands may be: at the body's wrists, then where the palm detector sees one, anywhere and near these."""
    height, width = image.shape[:2]
    views = [SquareROI(width / 2, height / 2, float(max(width, height)))]
    for side, (elbow, wrist, _, _) in _ARMS.items():
        if body is not None and _wrist_seen(body, side):
            yield _square_of_arm(body, side)
            forearm_px = float(np.linalg.norm(body.points[elbow] - body.points[wrist]))
            x, y = (float(c) for c in body.points[wrist, :2])
            views.append(SquareROI(x, y, max(_WINDOW_FOREARMS * forearm_px, 32.0)))
    if len(views) == 1:
        shorter = float(min(width, height))
        views += [SquareROI(width / 2, y, shorter) for y in (shorter / 2, height - shorter / 2)]
        views += [SquareROI(x, height / 2, shorter) for x in (shorter / 2, width - shorter / 2)]
    for view in views:
        yield from model.find(image, view)[:4]


def _square_of_arm(body: BodyLandmarks, side: str) -> SquareROI:
    _, wrist, index, little = _ARMS[side]
    return hand_roi_from_body(body.points[wrist, :2], body.points[index, :2], body.points[little, :2])


def _wrist_seen(body: BodyLandmarks, side: str) -> bool:
    return float(body.visibility[_ARMS[side][1]]) >= _MIN_WRIST_VISIBILITY


def _looked_at(model: HandModel, image: Image, roi: SquareROI) -> RawHand | None:
    """The hand in `roi`, looked at again in its own square and in the mirror; None where the looks do not agree."""
    first = model.landmarks(image, roi)
    if first.score < _MIN_SCORE:
        return None
    roi = hand_roi(first.points)
    second, mirrored = model.landmarks(image, roi), model.landmarks(image, roi, mirrored=True)
    score = min(second.score, mirrored.score)
    miss = float(np.linalg.norm(second.points[:, :2] - mirrored.points[:, :2], axis=1).mean()) / _palm_px(second)
    if score < _MIN_SCORE or not _is_hand(second) or miss > _MAX_MIRROR_MISS:
        return None
    points = (second.points + mirrored.points) / 2
    return RawHand(points, score * (1 - 0.5 * miss / _MAX_MIRROR_MISS), (second.right + mirrored.right) / 2)


def _seen_again(model: HandModel, image: Image, last: HandLandmarks, body: BodyLandmarks | None) -> RawHand | None:
    """A followed hand in the next frame; in motion it changes its looks, not its side."""
    seen = model.landmarks(image, hand_roi(last.points))
    step = float(np.linalg.norm((seen.points - last.points)[:, :2].mean(axis=0))) / _palm_px(last)
    if not _is_hand(seen) or step > _MAX_STEP_HANDS or not _possible(seen, body):
        return None
    return RawHand(seen.points, seen.score, 0.75 * (last.side == "r") + 0.25 * seen.right)


def _palm_px(hand: RawHand | HandLandmarks) -> float:
    """Length of the palm, pixels, whatever way it is turned."""
    return max(1e-3, float(np.linalg.norm(hand.points[FINGERS["middle"][0]] - hand.points[WRIST])))


def _is_hand(hand: RawHand) -> bool:
    """Whether the network believes it and the longest finger has a length that fingers have."""
    longest_px = max(
        sum(float(np.linalg.norm(hand.points[a] - hand.points[b])) for a, b in pairwise(chain))
        for chain in FINGERS.values()
    )
    low, high = _FINGER_PALMS
    return hand.score >= _MIN_SCORE and low <= longest_px / _palm_px(hand) <= high


def _possible(hand: RawHand, body: BodyLandmarks | None) -> bool:
    """Whether the hand can belong to this body: of its scale, within reach of a shoulder."""
    if body is None:
        return True
    shoulders_px = _shoulders_px(body)
    shoulders = body.points[[joints.SHOULDER_LEFT, joints.SHOULDER_RIGHT], :2]
    reach_px = float(np.linalg.norm(shoulders - hand.points[WRIST, :2], axis=1).min())
    low, high = _HAND_SHOULDERS
    return low <= _palm_px(hand) / shoulders_px <= high and reach_px <= _MAX_REACH_SHOULDERS * shoulders_px


def _shoulders_px(body: BodyLandmarks) -> float:
    return max(1.0, float(np.linalg.norm(body.points[joints.SHOULDER_LEFT] - body.points[joints.SHOULDER_RIGHT])))


def _without_twins(hands: list[RawHand]) -> list[RawHand]:
    """Keeps the surest of finds that lie on one another."""
    kept: list[RawHand] = []
    for hand in sorted(hands, key=lambda h: -h.score):
        apart = [np.linalg.norm((hand.points - k.points)[:, :2].mean(axis=0)) / _palm_px(k) for k in kept]
        if all(distance >= _SAME_HAND for distance in apart):
            kept.append(hand)
    return kept


def _by_side(hands: list[RawHand], body: BodyLandmarks | None) -> dict[str, HandLandmarks]:
    """Gives each side its hand: the pair of choices with the highest sum of `_fit`; a negative fit is no choice."""
    nobody = -1
    fits = {side: [*(_fit(hand, side, body) for hand in hands), 0.0] for side in _ARMS}
    choices = range(nobody, len(hands))
    pairs = ((a, b) for a, b in product(choices, choices) if a != b or a == nobody)
    best = max(pairs, key=lambda pair: fits["l"][pair[0]] + fits["r"][pair[1]])
    chosen = {side: hands[number] for side, number in zip(_ARMS, best, strict=True) if number != nobody}
    return {side: HandLandmarks(hand.points, hand.score, side) for side, hand in chosen.items()}


def _fit(hand: RawHand, side: str, body: BodyLandmarks | None) -> float:
    """How well a hand fits a side: its looks, and the body's wrist where that is seen."""
    looks = hand.right if side == "r" else 1 - hand.right
    if body is None:
        return hand.score * (looks - 0.5)
    apart_px = float(np.linalg.norm(hand.points[WRIST, :2] - body.points[_ARMS[side][1], :2]))
    if _wrist_seen(body, side):
        return hand.score * (looks - 0.5 + 1.0 - apart_px / (_NEAR_WRIST_HANDS * _palm_px(hand)))
    # Even a wrist that is not seen tells where it is not: a hand far from it is somebody else's.
    return hand.score * (looks - 0.5) if apart_px <= _LOOSE_WRIST_SHOULDERS * _shoulders_px(body) else -1.0
