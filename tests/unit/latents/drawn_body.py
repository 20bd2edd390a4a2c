"""A whole person drawn by code, with known joints and fingers: what arms and hands are tested on.

Angles are degrees away from hanging down, outwards positive, of the upper arm and of the forearm.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np

from omnihuman.latents.motion.reference import MotionReference, build_reference
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.hands import HandLandmarks
from tests.unit.latents.drawn_reference import POINTS
from tests.unit.perception.drawn_face import draw_face

SHOULDERS = {"l": np.array([330.0, 236.0]), "r": np.array([182.0, 236.0])}
SPAN, UPPER, FORE, PALM = 148.0, 112.0, 104.0, 30.0
MARK = {"l": (255, 0, 255), "r": (0, 255, 0)}
"""Colour of the ring round each wrist."""
_FACE_SIDE, _FACE_LEFT, _FACE_TOP = 200, 156, 20
_FINGER_DEG = (-38, -14, -4, 7, 18)
_SLEEVE, _SKIN, _SHIRT = (60, 110, 60), (226, 182, 156), (70, 90, 150)


@dataclass(frozen=True)
class DrawnBody:
    """A drawn person and all that perception would find."""

    picture: np.ndarray
    landmarks: np.ndarray
    matte: np.ndarray
    body: BodyLandmarks
    hands: dict

    def prepared(self, matte=None, hands=True, **options) -> MotionReference:
        """The reference, by default with everything that is known."""
        return build_reference(
            self.picture, self.landmarks, self.matte if matte is None else matte, self.body,
            hands=self.hands if hands else None, **options,
        )  # fmt: skip

    def cropped(self, left, top, right, bottom) -> "DrawnBody":
        """The same in a smaller frame; what falls outside is no longer seen."""
        shift = np.array([left, top, 0], np.float32)
        points = self.body.points - shift
        inside = (points[:, :2] >= 0).all(1) & (points[:, :2] < [right - left, bottom - top]).all(1)
        body = BodyLandmarks(points, self.body.visibility * inside, self.body.score)
        hands = {
            s: HandLandmarks(h.points - shift, h.score, s)
            for s, h in self.hands.items()
            if inside[15 if s == "l" else 16]
        }
        window = slice(top, bottom), slice(left, right)
        return DrawnBody(
            np.ascontiguousarray(self.picture[window]), self.landmarks - shift, self.matte[window], body, hands
        )


def direction(side, degrees):
    """Unit vector of a limb that is turned outwards by so much from hanging down."""
    angle = np.radians(degrees)
    return np.array([np.sin(angle) * (1 if side == "l" else -1), np.cos(angle)])


def limb_points(side, upper_deg, fore_deg):
    """Shoulder, elbow, wrist."""
    elbow = SHOULDERS[side] + UPPER * direction(side, upper_deg)
    return SHOULDERS[side], elbow, elbow + FORE * direction(side, fore_deg)


def hand_points(side, wrist, fore_deg):
    """`21 3` points of an open hand in line with the forearm."""
    points = np.zeros((21, 3), np.float32)
    points[0, :2] = wrist
    for finger, degrees in enumerate(_FINGER_DEG):
        along = direction(side, fore_deg + degrees)
        root, length = (0.45 * PALM, 0.9 * PALM) if finger == 0 else (PALM, 0.85 * PALM)
        for joint in range(4):
            points[1 + 4 * finger + joint, :2] = wrist + (root + length * joint / 3) * along
    return points


def _line(picture, start, end, colour, width):
    ends = [tuple(int(round(16 * v)) for v in p) for p in (start, end)]
    cv2.line(picture, ends[0], ends[1], colour, width, cv2.LINE_AA, shift=4)


def _draw_arm(picture, side, upper_deg, fore_deg, colour=None):
    shoulder, elbow, wrist = limb_points(side, upper_deg, fore_deg)
    _line(picture, shoulder, elbow, colour or _SLEEVE, 44)
    _line(picture, elbow, wrist, colour or _SLEEVE, 34)
    points = hand_points(side, wrist, fore_deg)[:, :2]
    _line(picture, wrist, points[9], colour or _SKIN, 26)
    for finger in range(5):
        chain = points[1 + 4 * finger : 5 + 4 * finger]
        for a, b in zip(np.concatenate([points[:1], chain[:-1]]), chain, strict=True):
            _line(picture, a, b, colour or _SKIN, 7)
    if colour is None:
        cv2.circle(picture, tuple(int(round(16 * v)) for v in wrist), 16 * 11, MARK[side], -1, cv2.LINE_AA, shift=4)


def _draw_trunk(picture, colour=None):
    outline = np.array([[176, 222], [336, 222], [322, 300], [320, 440], [192, 440], [190, 300]])
    cv2.fillPoly(picture, [outline], colour or _SHIRT, cv2.LINE_AA)
    if colour is None:
        for x in range(200, 320, 16):
            cv2.line(picture, (x, 232), (x, 438), (84, 104, 164), 3, cv2.LINE_AA)
    for hip, foot in ((224, 218), (288, 294)):
        cv2.line(picture, (hip, 436), (foot, 636), colour or (50, 50, 60), 56, cv2.LINE_AA)


@cache
def drawn_body(left=(20, 15), right=(24, 30)) -> DrawnBody:
    """A standing person, 640 x 512, before a busy background; `left` and `right` = angles of upper arm and forearm."""
    rng = np.random.default_rng(11)
    picture = cv2.resize(
        rng.integers(120, 220, (40, 32, 3)).astype(np.uint8), (512, 640), interpolation=cv2.INTER_CUBIC
    )
    matte = np.zeros((640, 512), np.uint8)
    for canvas, white in ((picture, None), (matte, 255)):
        _draw_trunk(canvas, white)
        cv2.line(canvas, (256, 190), (256, 236), white or _SKIN, 46, cv2.LINE_AA)
    _paste_face(picture, matte)
    for side, angles in (("l", left), ("r", right)):
        _draw_arm(picture, side, *angles)
        _draw_arm(matte, side, *angles, colour=255)
    points = np.zeros((33, 3), np.float32)
    visibility = np.zeros(33, np.float32)
    hands = {}
    for side, angles, numbers in (("l", left, (11, 13, 15, 17, 19)), ("r", right, (12, 14, 16, 18, 20))):
        joints = limb_points(side, *angles)
        hand = hand_points(side, joints[2], angles[1])
        points[list(numbers), :2] = [*joints, hand[17, :2], hand[5, :2]]
        visibility[list(numbers)] = 0.95
        hands[side] = HandLandmarks(hand, 0.95, side)
    points[[23, 24, 25, 26], :2] = [[288, 430], [224, 430], [292, 540], [220, 540]]
    visibility[[23, 24, 25, 26]] = 0.95
    scale = _FACE_SIDE / 512
    landmarks = POINTS * scale + np.array([_FACE_LEFT, _FACE_TOP, 0], np.float32)
    soft = cv2.GaussianBlur(matte, (0, 0), 0.7).astype(np.float32) / 255
    return DrawnBody(picture, landmarks.astype(np.float32), soft, BodyLandmarks(points, visibility, 0.95), hands)


def _paste_face(picture, matte):
    """The drawn face without its own shoulders."""
    face = cv2.resize(draw_face(), (_FACE_SIDE, _FACE_SIDE), interpolation=cv2.INTER_AREA)
    mask = np.zeros((_FACE_SIDE, _FACE_SIDE), np.uint8)
    scale = _FACE_SIDE / 512
    for centre, axes in (((256, 250), (148, 178)), ((256, 275), (120, 152))):
        cv2.ellipse(
            mask, tuple(int(scale * v) for v in centre), tuple(int(scale * v) for v in axes), 0, 0, 360, 255, -1
        )
    window = slice(_FACE_TOP, _FACE_TOP + _FACE_SIDE), slice(_FACE_LEFT, _FACE_LEFT + _FACE_SIDE)
    share = mask[..., None].astype(np.float32) / 255
    picture[window] = (share * face + (1 - share) * picture[window]).astype(np.uint8)
    matte[window] = np.maximum(matte[window], mask)
