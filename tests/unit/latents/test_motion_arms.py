"""Arms: exact at rest, turned as asked, attached, whole, gated where they must be."""

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from omnihuman.latents.motion.body.arm_bones import locate_arm
from omnihuman.latents.motion.body.arm_draw import draw_arm, pose_arm
from omnihuman.latents.motion.body.arm_gate import ELBOW, FULL, SHOULDER, ArmGate, soft_limit
from omnihuman.latents.motion.body.diffusion import diffuse, edge_weights, plain_weights
from omnihuman.latents.motion.body.grip import holds_something
from omnihuman.latents.motion.body.torso import locate_torso
from omnihuman.latents.motion.face.depth import head_frame
from omnihuman.latents.motion.parameters import INDEX, vector
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.perception.body import BodyLandmarks
from tests.unit.latents.drawn_body import FORE, MARK, SHOULDERS, SLEEVE, SPAN, direction, drawn_body, limb_points

ANGLES = {"l": (20, 15), "r": (24, 30)}
DRAWN = drawn_body()
REFERENCE = DRAWN.prepared()


def draw(reference, **values):
    return FrameRenderer(reference).draw(vector(**values))


def mark_at(picture, side):
    """Where the ring round a wrist is, by its colour."""
    near = np.abs(picture.astype(int) - MARK[side]).max(2) < 40
    assert near.sum() > 60
    rows, columns = np.nonzero(near)
    return np.array([columns.mean(), rows.mean()])


def lifted_deg(point, pivot, side):
    """How far a point is turned outwards from hanging below a pivot."""
    aside, down = point - pivot
    return np.degrees(np.arctan2(aside * (1 if side == "l" else -1), down))


def green(picture):
    return np.abs(picture.astype(int) - SLEEVE).max(2) < 30


def whole_limb(picture, start, end, half_width):
    """Share of green pixels within `half_width` of a bone."""
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.line(mask, tuple(map(int, start)), tuple(map(int, end)), 1, 2 * half_width)
    return green(picture)[mask > 0].mean()


@pytest.mark.parametrize("kind", ["right", "hard", "none", "wrong", "everything", "no arms"])
@pytest.mark.parametrize("hands", [False, True])
def test_zero_is_the_picture_for_any_matte(kind, hands):
    matte = {
        "right": DRAWN.matte,
        "hard": (DRAWN.matte > 0.5).astype(np.float32),
        "none": np.zeros_like(DRAWN.matte),
        "wrong": np.random.default_rng(1).random(DRAWN.matte.shape, dtype=np.float32),
        "everything": np.ones_like(DRAWN.matte),
        "no arms": DRAWN.matte * (np.abs(np.arange(512) - 256) < 90),
    }[kind]
    reference = DRAWN.prepared(matte=matte.astype(np.float32), hands=hands)
    np.testing.assert_array_equal(draw(reference), DRAWN.picture)


@pytest.mark.parametrize("box", [(0, 0, 512, 640), (41, 0, 470, 421), (90, 3, 440, 377), (0, 10, 333, 555)])
@pytest.mark.parametrize("angles", [((20, 15), (24, 30)), ((6, 4), (80, 140)), ((40, -50), (30, -40))])
def test_zero_is_the_picture_for_any_framing_and_pose(box, angles):
    drawn = drawn_body(*angles).cropped(*box)
    np.testing.assert_array_equal(draw(drawn.prepared()), drawn.picture)


def test_a_resting_arm_is_laid_like_a_moved_one():
    """The short cut for resting arms and the rasteriser agree where the arm does not move."""
    layer = REFERENCE.arms.movable[0]
    shortcut, rastered = REFERENCE.arms.base.copy(), REFERENCE.arms.base.copy()
    draw_arm(shortcut, layer, layer.points)
    moved = layer.points.copy()
    far = int(layer.shares[2].argmax())
    moved[far] += 0.01
    draw_arm(rastered, layer, moved)
    assert (shortcut != REFERENCE.arms.base).any()
    assert (shortcut != rastered).any(2).sum() < 60


@pytest.mark.parametrize("side", ["l", "r"])
@pytest.mark.parametrize("asked", [-25.0, -10.0, 10.0, 22.0])
def test_the_whole_arm_turns_by_the_asked_angle(side, asked):
    before = lifted_deg(mark_at(DRAWN.picture, side), SHOULDERS[side], side)
    after = lifted_deg(mark_at(draw(REFERENCE, **{f"arm_shoulder_deg_{side}": asked}), side), SHOULDERS[side], side)
    assert after - before == pytest.approx(asked, abs=2.5)


@pytest.mark.parametrize("side", ["l", "r"])
def test_the_forearm_turns_steadily_about_the_elbow(side):
    elbow = limb_points(side, *ANGLES[side])[1]
    asked = np.arange(-40.0, 41.0, 10.0)
    seen = [lifted_deg(mark_at(draw(REFERENCE, **{f"arm_elbow_deg_{side}": a}), side), elbow, side) for a in asked]
    np.testing.assert_allclose(np.diff(seen), 10.0, atol=2.0)
    assert seen[4] == pytest.approx(ANGLES[side][1], abs=2.0)


@pytest.mark.parametrize(("lift", "bend"), [(-20.0, 35.0), (20.0, -35.0), (20.0, 25.0), (42.0, -40.0)])
def test_a_moved_arm_is_attached_and_keeps_its_width(lift, bend):
    drawn = drawn_body(plain=True)
    picture = draw(drawn.prepared(), arm_shoulder_deg_l=lift, arm_elbow_deg_l=bend)
    upper, fore = ANGLES["l"][0] + lift, ANGLES["l"][1] + lift + bend
    elbow = SHOULDERS["l"] + 112 * direction("l", upper)
    assert whole_limb(picture, SHOULDERS["l"], elbow, 15) > 0.97
    assert whole_limb(picture, elbow, elbow + 0.8 * FORE * direction("l", fore), 11) > 0.97
    person = np.abs(picture.astype(int) - picture[0, 0]).max(2) > 40
    _, labels = cv2.connectedComponents(person.astype(np.uint8))
    hand = np.round(elbow + 0.9 * FORE * direction("l", fore)).astype(int)
    assert labels[hand[1], hand[0]] == labels[300, 256] > 0


def test_the_place_an_arm_has_left_shows_no_arm():
    drawn = drawn_body((30, 25), plain=True)
    picture = draw(drawn.prepared(), arm_shoulder_deg_l=40)
    _, elbow, wrist = limb_points("l", 30, 25)
    mask = np.zeros(picture.shape[:2], np.uint8)
    cv2.line(mask, tuple(map(int, elbow)), tuple(map(int, wrist)), 1, 50)
    left = np.abs(picture.astype(int) - picture[0, 0]).max(2)[mask > 0]
    assert np.percentile(left, 95) < 25


def test_what_lies_behind_an_arm_before_the_body_is_body():
    drawn = drawn_body((10, -70), plain=True)
    reference = drawn.prepared()
    elbow = limb_points("l", 10, -70)[1]
    middle = np.round(elbow + 0.45 * FORE * direction("l", -70)).astype(int)
    window = reference.arms.base[middle[1] - 6 : middle[1] + 7, middle[0] - 6 : middle[0] + 7].reshape(-1, 3)
    assert np.abs(window.mean(0) - (75, 95, 155)).max() < 25
    assert "partly before the body" in reference.arms.gates["l"].reasons
    assert 5 < reference.arms.gates["l"].limits[SHOULDER][1] < 30


def test_same_parameters_same_bytes_whatever_was_drawn_before():
    frames = [vector(arm_shoulder_deg_l=v, arm_elbow_deg_r=-v, finger_curl_l=0.5, twist_deg=v / 4, sway_x=0.03)
              for v in (5, 20, -12)]  # fmt: skip
    first = FrameRenderer(REFERENCE)
    drawn = [first.draw(frame) for frame in frames]
    other = FrameRenderer(pickle.loads(pickle.dumps(REFERENCE)))
    for frame, expected in zip(frames[::-1], drawn[::-1], strict=True):
        np.testing.assert_array_equal(other.draw(frame), expected)


def test_a_little_of_an_arm_changes_only_a_little():
    drawn = draw(REFERENCE, arm_shoulder_deg_l=0.02, arm_elbow_deg_l=0.02, sway_x=0.0001)
    assert np.abs(drawn.astype(int) - DRAWN.picture).mean() < 0.2


@pytest.mark.parametrize(
    "value", [{"sway_x": 0.05}, {"breathe": 1.5}, {"shrug_l": 1.0}, {"lean_deg": 4.0}, {"twist_deg": 9}]
)
def test_an_arm_goes_where_its_shoulder_goes(value):
    layer = next(arm for arm in REFERENCE.arms.movable if arm.side == "l")
    named = dict.fromkeys(INDEX, 0.0) | value
    moved = pose_arm(layer, named)
    stiff = layer.shares[0] > 0.999
    shift = (moved - layer.points)[stiff]
    if "lean_deg" in value:
        apart = [np.linalg.norm(np.diff(p[stiff], axis=0), axis=1) for p in (layer.points, moved)]
        np.testing.assert_allclose(apart[0], apart[1], atol=0.02)
    else:
        assert np.ptp(shift, axis=0).max() < 0.02
    assert np.linalg.norm(shift.mean(0)) > 0.8


def hide(drawn, *numbers):
    visibility = drawn.body.visibility.copy()
    visibility[list(numbers)] = 0.1
    return replace(drawn, body=BodyLandmarks(drawn.body.points, visibility, drawn.body.score))


@pytest.mark.parametrize(
    ("drawn", "reason"),
    [
        (hide(DRAWN, 13, 14), "shoulder or elbow not seen"),
        (hide(DRAWN, 15, 16), "wrist hidden"),
        (drawn_body((20, -80), (20, -80)), "arms or hands cross or touch"),
        (drawn_body((95, -115), (95, -115)), "hand or forearm before the face"),
    ],
)
def test_a_gate_that_is_shut_moves_nothing(drawn, reason):
    reference = drawn.prepared()
    for side in "lr":
        assert reason in reference.arms.gates[side].reasons
    assert reference.facts.arm_l_visible == reference.facts.arm_r_visible == 0
    asked = {f"{name}_{s}": FULL[name] for name in FULL for s in "lr"}
    np.testing.assert_array_equal(draw(reference, **asked), drawn.picture)


def test_free_arms_have_the_whole_range_and_others_say_why_not():
    for side in "lr":
        assert REFERENCE.arms.gates[side].limits[SHOULDER] == (-45.0, 45.0)
        assert REFERENCE.arms.gates[side].limits[ELBOW] == (-45.0, 45.0)
    assert REFERENCE.facts.arm_l_visible == REFERENCE.facts.arm_r_visible == 1.0
    without_body = replace(DRAWN, body=None).prepared()
    assert without_body.arms.gates["l"].reasons == ["no body found"]
    assert without_body.facts.arm_l_visible == 0


def test_an_arm_cut_by_the_frame_moves_a_little_and_stays_cut():
    drawn = drawn_body((8, 8), (12, 10)).cropped(40, 0, 472, 420)
    reference = drawn.prepared()
    least, most = reference.arms.gates["l"].limits[SHOULDER]
    assert "cut by the frame" in reference.arms.gates["l"].reasons
    assert 3 < most < 20 and -20 < least < -3
    before = green(drawn.picture)[-4:].sum()
    for asked in (-45, -8, 8, 45):
        after = green(draw(reference, arm_shoulder_deg_l=asked, arm_shoulder_deg_r=asked))[-4:].sum()
        assert after > 0.85 * before


def test_a_thing_in_the_hand_is_noticed_and_goes_along():
    picture = DRAWN.picture.copy()
    hand = DRAWN.hands["l"].points
    middle = tuple(int(v) for v in hand[[5, 9, 13, 6, 10, 14], :2].mean(0))
    cv2.circle(picture, middle, 13, (20, 40, 210), -1)
    torso = locate_torso(DRAWN.body, head_frame(DRAWN.landmarks), 640, 512)
    arm = locate_arm(DRAWN.body, DRAWN.hands["l"], "l", torso)
    assert holds_something(picture, DRAWN.matte, arm)
    assert not holds_something(DRAWN.picture, DRAWN.matte, arm)
    gate = replace(DRAWN, picture=picture).prepared().arms.gates["l"]
    assert "holds something" in gate.reasons
    assert gate.limits[SHOULDER][1] <= 8


def test_a_limb_that_the_matte_missed_joins_it():
    drawn = drawn_body(plain=True)
    _, elbow, wrist = limb_points("l", *ANGLES["l"])
    matte = drawn.matte.copy()
    cv2.line(matte, tuple(map(int, (elbow + wrist) / 2)), tuple(map(int, wrist)), 0.0, 70)
    completed = drawn.prepared(matte=matte)
    mask = np.zeros(matte.shape, np.uint8)
    cv2.line(mask, tuple(map(int, elbow)), tuple(map(int, elbow + 0.9 * (wrist - elbow))), 1, 24)
    layer = next(a for a in completed.arms.movable if a.side == "l")
    rows, columns = np.nonzero(mask)
    inside = layer.pixels[rows - layer.origin[1], columns - layer.origin[0], 3]
    assert (inside > 0.5).mean() > 0.9


def test_soft_limits_follow_small_asks_and_never_pass_the_bound():
    sizes = np.linspace(0, 45, 91)
    limited = np.array([soft_limit(s, 12.0, 45.0) for s in sizes])
    assert (np.diff(limited) >= 0).all()
    assert limited.max() <= 12.0 and limited[-1] > 11.9
    np.testing.assert_allclose(limited[sizes <= 7.0], sizes[sizes <= 7.0])
    assert soft_limit(30.0, 45.0, 45.0) == 30.0
    gate = ArmGate()
    gate.close("test")
    assert gate.limited(SHOULDER, 30.0) == gate.limited(SHOULDER, -30.0) == 0.0
    assert not gate.open and gate.freedom == 0.0


def test_diffusion_is_linear_between_held_ends_and_stops_at_an_edge():
    known = np.zeros((5, 21), bool)
    known[:, [0, -1]] = True
    values = np.zeros((5, 21))
    values[:, -1] = 1.0
    np.testing.assert_allclose(
        diffuse(known, values, plain_weights(5, 21)), np.tile(np.linspace(0, 1, 21), (5, 1)), atol=1e-4
    )
    lab = np.zeros((5, 21, 3))
    lab[:, 8:] = 60.0
    cut = diffuse(known, values, edge_weights(lab, 14.0))
    assert cut[:, :8].max() < 0.05 and cut[:, 8:].min() > 0.95
    pulled = diffuse(np.zeros((5, 21), bool), values, plain_weights(5, 21), 1.0, 0.3)
    np.testing.assert_allclose(pulled, 0.3, atol=1e-4)


def test_shoulders_of_the_drawing_are_where_the_ruler_is():
    assert np.linalg.norm(SHOULDERS["l"] - SHOULDERS["r"]) == SPAN
