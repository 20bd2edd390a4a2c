"""Video -> parameters: what was put into landmarks comes out again, by geometry and by event."""

import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.latents.motion.drive.fit import box_least_squares
from omnihuman.latents.motion.drive.follow import fit_clip
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS, vector
from omnihuman.latents.motion.posing import pose
from omnihuman.latents.motion.reference import with_expression
from omnihuman.latents.motion.space import SPEC
from omnihuman.perception.face import FaceLandmarks
from tests.unit.latents.drawn_reference import POINTS, drawn_reference


def faces(parameters):
    """Landmarks that a perfect tracker would report for a driver of the same build."""
    reference = with_expression(drawn_reference(), "relative")
    for frame in parameters:
        points = POINTS.copy()
        points[:468] = pose(reference.rig, frame)[:468]
        yield FaceLandmarks.from_points(points, 1.0)


def performance(count=60):
    t = np.arange(count)
    parameters = np.zeros((count, NUM_PARAMETERS), np.float32)
    parameters[:, INDEX["jaw_open"]] = np.clip(0.4 * np.sin(t / 5), 0, 1)
    parameters[:, INDEX["head_yaw_deg"]] = 8 * np.sin(t / 11)
    parameters[:, INDEX["head_roll_deg"]] = 5 * np.cos(t / 9)
    parameters[:, INDEX["smile_l"]] = parameters[:, INDEX["smile_r"]] = 0.5 * (t > 40)
    parameters[20:24, INDEX["blink_l"]] = parameters[20:24, INDEX["blink_r"]] = 1.0
    return parameters


def test_head_jaw_smile_and_blink_come_back():
    truth = performance()
    found = fit_clip(faces(truth), 25.0, drawn_reference(), SPEC)
    assert found.shape == truth.shape
    for name, least in (("jaw_open", 0.95), ("head_yaw_deg", 0.97), ("head_roll_deg", 0.97), ("smile_l", 0.85)):
        assert np.corrcoef(found[:, INDEX[name]], truth[:, INDEX[name]])[0, 1] > least, name
    blink = found[:, INDEX["blink_l"]]
    assert blink[21:23].min() > 0.6
    assert np.delete(blink, np.arange(18, 26)).max() < 0.35


def test_another_frame_rate_keeps_the_time():
    truth = np.repeat(performance(50), 2, axis=0)
    found = fit_clip(faces(truth), 50.0, drawn_reference(), SPEC)
    assert len(found) == 50
    assert np.corrcoef(found[:, INDEX["jaw_open"]], truth[::2, INDEX["jaw_open"]])[0, 1] > 0.95


def test_values_stay_in_range():
    wild = np.stack([vector(jaw_open=1.0, head_yaw_deg=20, funnel=1.0), vector(), vector(head_pitch_deg=-15)] * 3)
    found = fit_clip(faces(wild), 25.0, drawn_reference(), SPEC)
    assert (found >= LOW).all()
    assert (found <= HIGH).all()


def test_lost_frames_are_bridged():
    truth = performance(40)
    tracked = list(faces(truth))
    gaps = [None, *tracked[1:8], None, None, *tracked[10:39], None]
    found = fit_clip(gaps, 25.0, drawn_reference(), SPEC)
    assert np.isfinite(found).all()
    yaw = found[:, INDEX["head_yaw_deg"]]
    assert np.corrcoef(yaw, truth[:, INDEX["head_yaw_deg"]])[0, 1] > 0.97


def test_a_video_without_a_face_is_refused():
    with pytest.raises(InputError, match="face_not_found"):
        fit_clip([None, None], 25.0, drawn_reference(), SPEC)


def test_box_least_squares_finds_the_bound_and_the_inside():
    rng = np.random.default_rng(0)
    design = rng.normal(size=(40, 3))
    targets = (design @ np.array([0.5, 2.0, -1.0]))[None]
    found = box_least_squares(design, targets, np.zeros(3), np.ones(3), np.zeros((1, 3)))
    free = design[:, 0] @ (targets[0] - design[:, 1]) / (design[:, 0] @ design[:, 0])
    assert found[0, 1:] == pytest.approx([1.0, 0.0])
    assert found[0, 0] == pytest.approx(np.clip(free, 0, 1), abs=0.03)
