"""Fingers: they fan out, bend towards the palm, and stay where hands are small, unsure or closed."""

from dataclasses import replace

import numpy as np
import pytest

from omnihuman.latents.motion.body.arm_gate import CURL, SPREAD
from omnihuman.latents.motion.body.hand import build_fingers, move_fingers
from omnihuman.latents.motion.parameters import vector
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.perception.hands import HandLandmarks
from tests.unit.latents.drawn_body import drawn_body, hand_points

DRAWN = drawn_body(fan=1.6)
REFERENCE = DRAWN.prepared()
TIPS, ROOTS = [8, 12, 16, 20], [5, 9, 13, 17]


def moved_hand(side, spread=0.0, curl=0.0):
    hand = hand_points(side, np.array([200.0, 200.0]), 20, fan=1.6)[:, :2]
    return hand, move_fingers(build_fingers(hand, hand), hand, spread, curl)


def gaps(hand):
    return np.linalg.norm(np.diff(hand[TIPS], axis=0), axis=1)


@pytest.mark.parametrize("side", ["l", "r"])
def test_spread_fans_the_tips_out_and_negative_spread_closes_them(side):
    hand, wide = moved_hand(side, spread=1.0)
    _, narrow = moved_hand(side, spread=-1.0)
    assert (gaps(wide) > 1.1 * gaps(hand)).all()
    assert (gaps(narrow) < 0.95 * gaps(hand)).all()
    assert np.linalg.norm(wide[0] - hand[0]) < 1
    assert np.linalg.norm((wide - hand)[ROOTS], axis=1).max() < 2


@pytest.mark.parametrize("side", ["l", "r"])
def test_curl_shortens_every_finger_towards_its_root(side):
    hand, bent = moved_hand(side, curl=1.0)
    before = np.linalg.norm(hand[TIPS] - hand[ROOTS], axis=1)
    after = np.linalg.norm(bent[TIPS] - hand[ROOTS], axis=1)
    assert (after < 0.75 * before).all() and (after > 0.35 * before).all()
    half = np.linalg.norm(moved_hand(side, curl=0.5)[1][TIPS] - hand[ROOTS], axis=1)
    np.testing.assert_allclose(half, (before + after) / 2, rtol=0.05)


def test_no_spread_and_no_curl_is_the_hand_itself():
    hand, same = moved_hand("l")
    np.testing.assert_array_equal(hand, same)


def skin_pixels(picture, side):
    hand = DRAWN.hands[side].points
    x, y = hand[9, :2].round().astype(int)
    window = picture[y - 45 : y + 60, x - 55 : x + 55].astype(int)
    return (np.abs(window - (226, 182, 156)).max(2) < 14).sum()


def test_a_bent_hand_covers_fewer_pixels():
    bent = FrameRenderer(REFERENCE).draw(vector(finger_curl_l=1.0))
    assert skin_pixels(bent, "l") < 0.85 * skin_pixels(DRAWN.picture, "l")
    assert skin_pixels(bent, "r") == skin_pixels(DRAWN.picture, "r")


def test_fingers_of_the_other_hand_and_the_forearm_stay():
    spread = FrameRenderer(REFERENCE).draw(vector(finger_spread_l=1.0))
    changed = np.argwhere((spread != DRAWN.picture).any(2))[:, ::-1]
    hand = DRAWN.hands["l"].points[:, :2]
    assert len(changed) > 100
    assert np.linalg.norm(changed - hand[9], axis=1).max() < 3.2 * np.linalg.norm(hand[9] - hand[0])


@pytest.mark.parametrize(("score", "scale"), [(0.4, 1.0), (0.95, 0.3)])
def test_unsure_and_tiny_hands_keep_their_fingers_still(score, scale):
    hand = DRAWN.hands["l"]
    points = hand.points[:1] + scale * (hand.points - hand.points[:1])
    drawn = replace(DRAWN, hands={"l": HandLandmarks(points, score, "l")})
    limits = drawn.prepared().arms.gates["l"].limits
    assert limits[SPREAD] == limits[CURL] == (0.0, 0.0)


def test_touching_fingers_do_not_fan_out_far():
    touching = drawn_body(fan=0.5).prepared().arms.gates["l"]
    assert "fingers close together" in touching.reasons
    assert touching.limits[SPREAD][1] < 0.4 < REFERENCE.arms.gates["l"].limits[SPREAD][1]
