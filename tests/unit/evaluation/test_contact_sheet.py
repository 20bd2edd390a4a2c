import cv2
import numpy as np
import pytest

from omnihuman.errors import InputError, ResourceError
from omnihuman.evaluation.contact_sheet import (
    Moment,
    contact_sheet,
    crop_face,
    crop_faces,
    moments_at,
    moments_of,
    pick_frames,
    write_png,
)
from omnihuman.perception.face import FaceLandmarks
from omnihuman.speech.inventory import TimedPhone


def grey(level, height=40, width=60):
    return np.full((height, width, 3), level, np.uint8)


def test_moments_are_middles_of_closures_and_open_vowels_in_order():
    symbols = ["M", "AA", "T", "IY", "B", "AY", "P", "AE"]
    phones = [TimedPhone(s, i * 0.1, (i + 1) * 0.1) for i, s in enumerate(symbols)]
    moments = moments_of(phones, per_kind=2)
    assert [m.label for m in moments] == ["M", "AA", "P", "AE"]
    assert [m.time_s for m in moments] == pytest.approx([0.05, 0.15, 0.65, 0.75])


def test_silence_offers_nothing_to_look_at():
    with pytest.raises(InputError, match="moments_missing"):
        moments_of([TimedPhone("SIL", 0, 1)], per_kind=3)


def test_times_are_seconds_in_the_given_order():
    assert moments_at("1.24, 0,2") == [Moment(1.24, ""), Moment(0.0, ""), Moment(2.0, "")]


@pytest.mark.parametrize("times", ["", " ", "1,", "soon", "nan", "1,inf", "-0.01", "1e308"])
def test_what_is_no_time_is_refused(times):
    with pytest.raises(InputError, match="times_unreadable"):
        moments_at(times)


def test_the_frame_shown_at_a_time_is_picked_once_per_moment():
    frames = (grey(i) for i in range(100))
    picked = pick_frames(frames, 25.0, [Moment(0.04, ""), Moment(0.999, ""), Moment(0.0, ""), Moment(0.05, "")])
    assert [int(frame[0, 0, 0]) for frame in picked] == [1, 24, 0, 1]
    assert int(next(frames)[0, 0, 0]) == 25, "no more frames are decoded than needed"


def test_times_beyond_the_video_are_refused():
    with pytest.raises(InputError, match=r"time_outside.*0\.40 s"):
        pick_frames((grey(i) for i in range(10)), 25.0, [Moment(0.1, ""), Moment(0.4, "")])


def test_sheet_holds_every_frame_and_a_label():
    frames = [grey(40), grey(80), grey(120)]
    moments = [Moment(0.1, "P"), Moment(0.2, "AA"), Moment(0.3, "M")]
    sheet = contact_sheet(frames, moments, columns=2, tile_px=90)
    height, width = sheet.shape[0] // 2, sheet.shape[1] // 2
    for i, level in enumerate((40, 80, 120)):
        row, column = divmod(i, 2)
        tile = sheet[row * height : (row + 1) * height, column * width : (column + 1) * width]
        assert tile[45, 45, 0] == level
        assert (tile[90:] < 100).any(), "the label is written below"
    assert (sheet[height:, width:] == 255).all()


def test_faces_are_cut_square_and_at_the_picture_border():
    points = np.full((478, 3), 20.0, np.float32)
    points[0], points[1] = (20, 10, 0), (40, 30, 0)
    assert crop_face(grey(1, 100, 100), FaceLandmarks.from_points(points, 1.0)).shape == (27, 27, 3)
    assert crop_face(grey(1, 28, 100), FaceLandmarks.from_points(points, 1.0)).shape == (22, 27, 3)


class OneFace:
    """Finds a face in bright pictures only."""

    def detect(self, image, max_faces=8):
        points = np.full((478, 3), 20.0, np.float32)
        points[0] = 30.0
        return [FaceLandmarks.from_points(points, 1.0)] if image.mean() > 50 else []


def test_frames_without_a_face_stay_whole():
    whole, cut = crop_faces([grey(10), grey(200)], OneFace())
    assert whole.shape == (40, 60, 3)
    assert cut.shape[0] < 40


def test_png_is_written_with_its_folder_and_reads_back(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (8, 9, 3)).astype(np.uint8)
    path = tmp_path / "new" / "sheet.png"
    write_png(path, picture)
    assert np.array_equal(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), picture)


def test_an_unwritable_place_is_a_coded_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="output_unwritable"):
        write_png(tmp_path / "file" / "sheet.png", grey(1))
