import math

import cv2
import numpy as np
import pytest

from omnihuman.perception.roi import SquareROI


def picture_with_dot(x, y, radius=9, size=(400, 600)):
    picture = np.zeros((*size, 3), np.uint8)
    cv2.circle(picture, (x, y), radius, (255, 255, 255), -1)
    return picture


def centroid(picture):
    weight = picture[..., 0].astype(np.float64)
    rows, columns = np.indices(weight.shape)
    return np.array([(columns * weight).sum(), (rows * weight).sum()]) / weight.sum()


@pytest.mark.parametrize("side", [90.0, 250.0, 700.0])
@pytest.mark.parametrize("roll_deg", [0.0, 30.0, -110.0])
def test_a_point_of_the_cut_comes_back(side, roll_deg):
    roi = SquareROI(320.0, 210.0, side, math.radians(roll_deg))
    cut = roi.crop(picture_with_dot(330, 200), 96, cv2.BORDER_CONSTANT)
    found = roi.to_image(centroid(cut)[None].astype(np.float32), 96)[0]
    np.testing.assert_allclose(found, [330, 200], atol=0.01 * side + 0.1)


@pytest.mark.parametrize("centre", [(-50.0, -50.0), (610.0, 395.0), (2000.0, 2000.0)])
def test_outside_the_picture_is_allowed(centre):
    cut = SquareROI(*centre, 500.0, 0.4).crop(picture_with_dot(30, 30), 64)
    assert cut.shape == (64, 64, 3)


def test_shrinking_averages():
    stripes = np.zeros((512, 512, 3), np.uint8)
    stripes[:, ::2] = 255
    cut = SquareROI(256.0, 256.0, 512.0).crop(stripes, 64)
    assert np.ptp(cut[4:-4, 4:-4].astype(int)) <= 2


def test_z_takes_the_scale():
    carried = SquareROI(0.0, 0.0, 200.0, 1.0).to_image(np.array([[0, 0, 7]], np.float32), 100)
    assert carried[0, 2] == pytest.approx(14.0)


def test_around_holds_the_points_tightly():
    roll = math.radians(25)
    square = np.array([[-40, -20], [40, -20], [40, 20], [-40, 20]], np.float32)
    turn = np.array([[math.cos(roll), math.sin(roll)], [-math.sin(roll), math.cos(roll)]], np.float32)
    roi = SquareROI.around(square @ turn + [100, 80], roll, 1.5)
    assert (roi.x, roi.y, roi.side_px) == pytest.approx((100, 80, 120), abs=1e-3)
