import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.evaluation.tracks import track_face
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap

FRAME = np.zeros((100, 100, 3), np.uint8)


def face(seed, shift=0.0, scale=1.0):
    points = np.random.default_rng(seed).uniform(10, 90, (478, 3)).astype(np.float32)
    return FaceLandmarks.from_points(points * scale + np.float32(shift), 1.0)


class Listed:
    """Tracks what it is told."""

    def __init__(self, *faces):
        self.faces = faces

    def track(self, frames):
        return (face for _, face in zip(frames, self.faces, strict=True))


def test_tracks_hold_the_measures_of_every_frame_at_its_centre():
    first, second = face(1), face(2)
    tracks = track_face([FRAME] * 2, 20.0, Listed(first, second))
    assert tracks.times_s.tolist() == pytest.approx([0.025, 0.075])
    assert tracks.gap.tolist() == pytest.approx([inner_lip_gap(f.points) for f in (first, second)])
    assert tracks.aperture[1] == pytest.approx(np.mean(eye_aperture(second.points)))
    assert tracks.angles_deg[0].tolist() == pytest.approx(head_pose_deg(first.points), abs=1e-3)


def test_steady_points_do_not_depend_on_place_and_size():
    tracks = track_face([FRAME] * 2, 25.0, Listed(face(1), face(1, shift=30.0, scale=2.0)))
    assert np.allclose(tracks.steady[0], tracks.steady[1], atol=1e-5)


def test_lost_frames_are_nan_and_counted():
    tracks = track_face([FRAME] * 4, 25.0, Listed(face(1), None, face(1), None))
    assert np.isnan(tracks.gap).tolist() == [False, True, False, True]
    assert tracks.found == 0.5


def test_a_turned_head_is_not_judged():
    tracks = track_face([FRAME] * 3, 25.0, Listed(face(1), face(1), None))
    yaw = abs(float(tracks.angles_deg[0, 0]))
    assert np.isnan(tracks.judged_gap(yaw - 1.0)).all()
    assert np.isnan(tracks.judged_gap(yaw + 1.0)).tolist() == [False, False, True]


@pytest.mark.parametrize("frames", [0, 3])
def test_a_video_without_a_face_is_refused(frames):
    with pytest.raises(InputError, match="face_missing"):
        track_face([FRAME] * frames, 25.0, Listed(*[None] * frames))
