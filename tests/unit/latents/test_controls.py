"""The gate rests the mouth, strength scales the manner, and nothing else is touched."""

import numpy as np
import pytest

from omnihuman.latents.motion.controls import SPEECH_COLUMNS, apply_controls
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS, group_indices


@pytest.fixture
def parameters() -> np.ndarray:
    share = np.random.default_rng(0).uniform(0.2, 0.4, (10, NUM_PARAMETERS))
    return (LOW + share * (HIGH - LOW)).astype(np.float32)


def test_neutral_controls_change_nothing(parameters):
    assert np.array_equal(apply_controls(parameters, np.ones(10, np.float32), 1.0), parameters)


def test_silence_rests_the_mouth_but_not_the_lids(parameters):
    activity = np.repeat([0.0, 1.0], 5).astype(np.float32)
    adjusted = apply_controls(parameters, activity, 1.0)
    assert not adjusted[:5, SPEECH_COLUMNS].any()
    assert np.array_equal(adjusted[5:], parameters[5:])
    for name in ("seal", "smile_l", "blink_l", "head_yaw_deg"):
        assert np.array_equal(adjusted[:, INDEX[name]], parameters[:, INDEX[name]])


def test_strength_scales_head_and_body_alone(parameters):
    still = apply_controls(parameters, np.ones(10, np.float32), 0.0)
    for group in ("head", "torso", "arms", "hands", "brows"):
        assert not still[:, group_indices(group)].any()
    for group in ("mouth", "eyes", "gaze"):
        assert np.array_equal(still[:, group_indices(group)], parameters[:, group_indices(group)])


def test_result_stays_in_range(parameters):
    doubled = apply_controls(parameters * 10, np.ones(10, np.float32), 2.0)
    assert (doubled <= HIGH).all() and (doubled >= LOW).all()
