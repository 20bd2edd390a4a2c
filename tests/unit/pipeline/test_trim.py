"""The same stretch is cut out of everything that was recorded; what is not there is refused with what is."""

import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.perception.keypoints import NUM_KEYPOINTS, KeypointTrack
from omnihuman.pipeline.trim import require_inside, trimmed_sound, trimmed_track
from omnihuman.stretch import Stretch
from omnihuman.types import Sound

RATE_HZ = 8000
RAMP = Sound(np.linspace(0, 1, 2 * RATE_HZ, dtype=np.float32), RATE_HZ, np.zeros((2 * RATE_HZ, 2), np.float32))


def test_samples_of_the_stretch_and_no_others():
    cut = trimmed_sound(RAMP, Stretch(0.5, 1.25))
    np.testing.assert_array_equal(cut.samples, RAMP.samples[4000:10000])
    assert cut.stereo.shape == (6000, 2)
    np.testing.assert_array_equal(trimmed_sound(RAMP, Stretch(1.5)).samples, RAMP.samples[12000:])
    assert trimmed_sound(RAMP, Stretch()) is RAMP


def test_an_end_that_a_player_rounded_up_is_the_end():
    assert trimmed_sound(RAMP, Stretch(1.0, 2.04)).duration_s == pytest.approx(1.0)


@pytest.mark.parametrize(("stretch", "told"), [(Stretch(2.0), "Begin before 2"), (Stretch(1, 3), "--trim 1: for all")])
def test_beyond_the_end(stretch, told):
    with pytest.raises(InputError, match=f"trim_outside.*2.00 s.*{told}"):
        trimmed_sound(RAMP, stretch)


def test_what_does_not_set_the_length_may_end_sooner():
    require_inside(Stretch(1, 3), 2.0, "the driving video", to_its_end=False)
    with pytest.raises(InputError, match="trim_outside"):
        require_inside(Stretch(2, 3), 2.0, "the driving video", to_its_end=False)


def test_frames_of_a_pose_track_are_counted_from_the_start():
    times_s = ((np.arange(10) + 0.5) / 10).astype(np.float32)
    points = np.arange(10 * NUM_KEYPOINTS * 2, dtype=np.float32).reshape(10, NUM_KEYPOINTS, 2)
    track = KeypointTrack(times_s, 64, 64, points, np.ones((10, NUM_KEYPOINTS), np.float32))
    cut = trimmed_track(track, Stretch(0.2, 0.5))
    np.testing.assert_allclose(cut.times_s, [0.05, 0.15, 0.25], atol=1e-6)
    np.testing.assert_array_equal(cut.points, points[2:5])
