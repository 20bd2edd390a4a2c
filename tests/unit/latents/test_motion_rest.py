"""Zero parameters give the picture back, bit for bit, whatever the picture, the matte, the framing and the body are."""

import pickle
from dataclasses import replace

import cv2
import numpy as np
import pytest

from omnihuman.latents.motion.parameters import GROUPS, NUM_PARAMETERS, SCALE, group_indices, vector
from omnihuman.latents.motion.posing import lip_gaps, pose
from omnihuman.latents.motion.reference import build_reference, with_expression
from omnihuman.latents.motion.renderer import FrameRenderer
from tests.unit.latents.drawn_reference import POINTS, busy_picture, drawn_matte, drawn_reference, standing_body
from tests.unit.perception.drawn_face import draw_face


@pytest.mark.parametrize("kind", ["soft", "hard", "none", "wrong", "everything"])
@pytest.mark.parametrize("with_body", [False, True])
def test_zero_is_the_picture_for_any_matte(kind, with_body):
    matte = {
        "soft": drawn_matte(9.0),
        "hard": (drawn_matte() > 0.5).astype(np.float32),
        "none": np.zeros((512, 512), np.float32),
        "wrong": np.random.default_rng(1).random((512, 512), dtype=np.float32),
        "everything": np.ones((512, 512), np.float32),
    }[kind]
    picture = busy_picture()
    reference = build_reference(picture, POINTS, matte, standing_body() if with_body else None)
    np.testing.assert_array_equal(FrameRenderer(reference).draw(vector()), picture)


@pytest.mark.parametrize("box", [(0, 0, 512, 400), (90, 120, 430, 512), (150, 180, 371, 400), (0, 200, 512, 390)])
def test_zero_is_the_picture_for_any_framing(box):
    left, top, right, bottom = box
    picture = np.ascontiguousarray(busy_picture()[top:bottom, left:right])
    points = POINTS - np.array([left, top, 0], np.float32)
    reference = build_reference(picture, points, drawn_matte()[top:bottom, left:right], None)
    np.testing.assert_array_equal(FrameRenderer(reference).draw(vector()), picture)


def test_a_rotated_and_flattened_picture_is_given_back_too():
    turn = cv2.getRotationMatrix2D((256, 256), 25, 0.8)
    turn[1] *= 0.85
    picture = cv2.warpAffine(busy_picture(), turn, (512, 512))
    points = POINTS.copy()
    points[:, :2] = POINTS[:, :2] @ turn[:, :2].T + turn[:, 2]
    reference = build_reference(picture, points, cv2.warpAffine(drawn_matte(), turn, (512, 512)), None)
    np.testing.assert_array_equal(FrameRenderer(reference).draw(vector()), picture)


def test_same_parameters_same_bytes_whatever_was_drawn_before():
    rng = np.random.default_rng(3)
    frames = rng.normal(0, 2, (4, NUM_PARAMETERS)).astype(np.float32) * SCALE
    first = FrameRenderer(drawn_reference())
    drawn = [first.draw(frame) for frame in frames]
    other = FrameRenderer(pickle.loads(pickle.dumps(drawn_reference())))
    for frame, expected in zip(frames[::-1], drawn[::-1], strict=True):
        np.testing.assert_array_equal(other.draw(frame), expected)


@pytest.mark.parametrize("group", GROUPS)
def test_a_little_of_any_group_changes_only_a_little(group):
    frame = vector()
    frame[group_indices(group)] = 0.004 * SCALE[group_indices(group)]
    drawn = FrameRenderer(drawn_reference()).draw(frame)
    assert np.abs(drawn.astype(int) - drawn_reference().image).mean() < 0.6


def test_the_background_far_away_stays_when_only_the_head_moves():
    reference = drawn_reference()
    frame = vector(head_yaw_deg=12, head_pitch_deg=8, head_x=0.1, jaw_open=0.6, blink_l=1.0)
    drawn = FrameRenderer(reference).draw(frame)
    person = cv2.dilate((drawn_matte() > 0.01).astype(np.uint8), np.ones((3, 3), np.uint8), iterations=80)
    assert (person == 0).sum() > 10000
    np.testing.assert_array_equal(drawn[person == 0], reference.image[person == 0])
    assert (drawn != reference.image).any()


def parted():
    """A drawn face with its lips apart."""
    points = POINTS.copy()
    lower = [95, 88, 178, 87, 14, 317, 402, 318, 324]
    points[lower, 1] += 10 * np.sin(np.linspace(0.3, np.pi - 0.3, 9))
    return build_reference(draw_face(lip_gap_px=12), points, drawn_matte(), None)


def smiling():
    """A drawn face whose corners are told to be lifted."""
    reference = drawn_reference()
    return replace(reference, rig=replace(reference.rig, rest_smile=np.array([0.9, 0.9], np.float32)))


def gap_iod(reference, expression, **values):
    frame = reference.rig.frame
    return lip_gaps(pose(with_expression(reference, expression).rig, vector(**values)), frame).mean() / frame.iod_px


def test_absolute_mode_closes_a_mouth_that_the_picture_shows_open():
    reference = parted()
    assert reference.facts.mouth_gap_iod > 0.03
    for expression in ("yielding", "relative"):
        shown = FrameRenderer(with_expression(reference, expression)).draw(vector())
        np.testing.assert_array_equal(shown, reference.image)
    assert gap_iod(reference, "absolute") <= 0.006
    assert 0.05 < gap_iod(reference, "absolute", jaw_open=0.5) < gap_iod(reference, "relative", jaw_open=0.5)
    assert (FrameRenderer(with_expression(reference, "absolute")).draw(vector()) != reference.image).any()


def test_parted_lips_yield_to_speech_and_come_back_at_rest():
    reference = parted()
    rest = gap_iod(reference, "yielding")
    assert rest == pytest.approx(reference.facts.mouth_gap_iod)
    assert gap_iod(reference, "yielding", jaw_open=0.6) < gap_iod(reference, "relative", jaw_open=0.6) - 0.5 * rest
    assert gap_iod(reference, "yielding", pucker=0.6) < 0.5 * rest, "a rounded mouth is no parted one"
    gaps = [gap_iod(reference, "yielding", jaw_open=v) for v in np.linspace(0, 1, 41)]
    assert (np.diff(gaps) > 0).all(), "the jaw opens whatever the picture shows"
    assert gap_iod(reference, "yielding", seal=1.0) <= 0.006


def test_a_smile_yields_to_speech_stays_under_moods_and_comes_back():
    def corner_lift(expression, **values):
        rig = with_expression(smiling(), expression).rig
        neutral = pose(with_expression(drawn_reference(), "relative").rig, vector(**values))
        return (neutral[291, 1] - pose(rig, vector(**values))[291, 1]) / rig.frame.iod_px

    assert corner_lift("yielding") == 0
    assert corner_lift("yielding", smile_l=0.5) == pytest.approx(0, abs=1e-4)
    assert corner_lift("yielding", jaw_open=0.4) < -0.05
    assert corner_lift("yielding", seal=0.8) < -0.05
    assert corner_lift("relative", jaw_open=0.4) == pytest.approx(0, abs=1e-4)
    assert corner_lift("absolute") < corner_lift("yielding", jaw_open=0.4) - 0.005
    steps = [corner_lift("yielding", jaw_open=v) for v in np.linspace(0, 0.3, 31)]
    assert np.abs(np.diff(steps)).max() < 0.009, "no jump on the way"
