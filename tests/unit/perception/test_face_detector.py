import numpy as np
import pytest

from omnihuman.errors import ModelError
from omnihuman.perception.face_detector import FaceDetector, overlap, window_centres
from omnihuman.perception.roi import SquareROI
from omnihuman.perception.single_shot import anchor_centres


@pytest.mark.parametrize(
    ("size", "strides", "per_cell", "count"),
    [(128, (8, 16, 16, 16), 2, 896), (192, (4,), 1, 2304), (224, (8, 16, 32, 32, 32), 2, 2254)],
)
def test_anchors_match_the_networks(size, strides, per_cell, count):
    anchors = anchor_centres(size, strides, per_cell)
    assert anchors.shape == (count, 2)
    np.testing.assert_allclose(anchors[0], [strides[0] / size / 2] * 2, rtol=1e-5)
    np.testing.assert_allclose(anchors[per_cell] - anchors[0], [strides[0] / size, 0], atol=1e-6)


@pytest.mark.parametrize("length", [100.0, 130.0, 500.0, 936.0])
def test_windows_cover_the_length_and_share_half(length):
    side = 100.0
    centres = window_centres(length, side)
    assert centres[0] - side / 2 <= 1e-6
    assert centres[-1] + side / 2 >= length - 1e-6
    assert all(b - a <= side / 2 + 1e-6 for a, b in zip(centres, centres[1:], strict=False))


def test_overlap_counts_the_smaller_square():
    assert overlap(SquareROI(0, 0, 100), SquareROI(10, 0, 20)) == pytest.approx(1.0)
    assert overlap(SquareROI(0, 0, 100), SquareROI(100, 0, 100)) == 0.0
    assert overlap(SquareROI(0, 0, 100), SquareROI(50, 0, 100)) == pytest.approx(0.5)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError) as caught:
        FaceDetector.from_files({}, "cpu")
    assert caught.value.code == "model_file_missing"
    assert "face_detection" in caught.value.cause


def test_an_unreadable_file_is_named(tmp_path, capfd):
    broken = tmp_path / "face_detection_short_range.tflite"
    broken.write_bytes(b"no flatbuffer")
    with pytest.raises(ModelError) as caught:
        FaceDetector.from_files({broken.name: broken, "face_detection_full_range_sparse.tflite": broken}, "cpu")
    assert caught.value.code == "model_unreadable"
    assert broken.name in caught.value.cause
