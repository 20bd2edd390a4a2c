"""A drawn track keeps to its times, whatever the rates of track and video, and absurd sizes still make a video."""

import numpy as np
import pytest

from omnihuman.errors import InputError, OmniHumanError
from omnihuman.media.footage import read_frames
from omnihuman.media.video import VideoWriter
from omnihuman.perception.keypoints import NUM_KEYPOINTS, KeypointTrack
from omnihuman.perception.pose_file import write_pose
from omnihuman.pipeline.check import check_places
from omnihuman.pipeline.pose_track import draw_pose

NOSE = 0


def nose_track(times_s, xs, width=320, height=240):
    points = np.zeros((len(xs), NUM_KEYPOINTS, 2), np.float32)
    confidence = np.zeros((len(xs), NUM_KEYPOINTS), np.float32)
    points[:, NOSE, 0], points[:, NOSE, 1], confidence[:, NOSE] = xs, height / 2, 1.0
    return KeypointTrack(np.asarray(times_s, np.float32), width, height, points, confidence)


def noses(path):
    """Where the nose is drawn, per frame."""
    return [float(np.nonzero(frame[..., 0] > 150)[1].mean()) for frame in read_frames(path)]


def greys(path):
    return [int(np.median(frame)) for frame in read_frames(path)]


def test_an_even_track_is_drawn_row_by_row(tmp_path):
    write_pose(tmp_path / "p.json", nose_track((np.arange(6) + 0.5) / 30, 50 + 20 * np.arange(6)), 30.0)
    facts = draw_pose(tmp_path / "p.json", tmp_path / "p.mp4", None, None, None)
    assert facts["frames"] == 6
    assert noses(tmp_path / "p.mp4") == pytest.approx(50 + 20 * np.arange(6), abs=1.5)


def test_an_uneven_track_keeps_its_times(tmp_path):
    times_s = [0.02, 0.06, 0.10, 0.50, 0.54]
    write_pose(tmp_path / "p.json", nose_track(times_s, [50, 100, 150, 200, 250]), 25.0)
    assert draw_pose(tmp_path / "p.json", tmp_path / "p.mp4", None, None, None)["frames"] == 14
    drawn = noses(tmp_path / "p.mp4")
    assert drawn[:2] == pytest.approx([50, 100], abs=1.5) and drawn[-2:] == pytest.approx([200, 250], abs=1.5)
    assert set(np.round(drawn[2:12], -1)) == {150.0, 200.0}


@pytest.mark.parametrize("video_fps", [12.5, 25.0, 50.0])
def test_a_video_underneath_keeps_its_own_time(tmp_path, video_fps):
    with VideoWriter(tmp_path / "v.mp4", video_fps, None, {}) as writer:
        for number in range(round(2 * video_fps)):
            writer.write(np.full((240, 320, 3), round(20 + 100 * number / video_fps), np.uint8))
    write_pose(tmp_path / "p.json", nose_track((np.arange(25) + 0.5) / 25, np.full(25, 9.0)), 25.0)
    draw_pose(tmp_path / "p.json", tmp_path / "p.mp4", None, tmp_path / "v.mp4", None)
    assert greys(tmp_path / "p.mp4") == pytest.approx(20 + 100 * np.arange(25) / 25, abs=100 / video_fps + 3)


def test_a_video_that_ends_first_stays(tmp_path):
    with VideoWriter(tmp_path / "v.mp4", 25.0, None, {}) as writer:
        for grey in (40, 80):
            writer.write(np.full((240, 320, 3), grey, np.uint8))
    write_pose(tmp_path / "p.json", nose_track((np.arange(4) + 0.5) / 25, np.full(4, 9.0)), 25.0)
    draw_pose(tmp_path / "p.json", tmp_path / "p.mp4", None, tmp_path / "v.mp4", None)
    assert greys(tmp_path / "p.mp4") == pytest.approx([40, 80, 80, 80], abs=3)


@pytest.mark.parametrize("size", [(100_000, 1), (1, 1)])
def test_absurd_sizes_still_make_a_video(tmp_path, size):
    write_pose(tmp_path / "p.json", nose_track([0.02, 0.06], [0.0, 0.0], *size), 25.0)
    draw_pose(tmp_path / "p.json", tmp_path / "p.mp4", None, None, None)
    assert len(list(read_frames(tmp_path / "p.mp4"))) == 2


def test_days_are_not_drawn(tmp_path):
    write_pose(tmp_path / "p.json", nose_track([0.0, 90_000.0], [9.0, 9.0]), 25.0)
    with pytest.raises(InputError, match="pose_too_long"):
        draw_pose(tmp_path / "p.json", tmp_path / "p.mp4", None, None, None)
    assert not (tmp_path / "p.mp4").exists()


@pytest.mark.parametrize("name", ["file/p.json", "x" * 300 + ".json", "p.txt", "folder.json", "given.json"])
def test_places_are_refused_before_the_work(tmp_path, name):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "given.json").write_text("{}")
    with pytest.raises(OmniHumanError, match="output_"):
        check_places([tmp_path / name], ".json", [tmp_path / "given.json"])
    assert len(list(tmp_path.iterdir())) == 3
