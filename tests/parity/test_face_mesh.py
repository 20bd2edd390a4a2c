"""The split attention network against mediapipe 0.10.21, on faces that the tests draw themselves.

Expected points: `FaceMesh(refine_landmarks=True)` on the same picture until nothing moved any more, and the square that
its own rule (box of the landmarks x 1.5, turned by the eye line) gives for them.
"""

import cv2
import numpy as np
import pytest

from omnihuman.perception.face import FacePerception, inner_lip_gap, iod_px
from omnihuman.perception.face_mesh import INPUT_SIZE
from omnihuman.perception.roi import SquareROI
from tests.unit.perception.drawn_face import SIZE, draw_face

EXPECTED = {
    0: (
        (257.86, 298.58, 398.15, 0.0030),
        {
            10: (258.9, 165.9), 152: (255.8, 431.3), 234: (138.7, 278.2), 454: (377.1, 280.1),
            33: (182.5, 254.1), 133: (229.8, 258.4), 362: (284.9, 258.7), 263: (333.1, 254.5),
            159: (203.1, 243.3), 145: (203.7, 264.5), 386: (311.4, 245.6), 374: (312.3, 266.3),
            61: (209.6, 366.6), 291: (302.0, 367.0), 13: (256.6, 368.6), 14: (256.6, 368.5),
            0: (257.1, 354.1), 17: (256.1, 387.6), 1: (256.9, 321.4), 4: (257.0, 311.0),
            70: (161.5, 227.1), 300: (352.6, 224.0), 107: (233.8, 212.6), 336: (278.3, 212.7),
            468: (206.4, 256.5), 471: (194.4, 256.1), 473: (307.3, 256.4), 476: (295.8, 256.3),
        },
    ),
    24: (
        (257.00, 302.39, 409.94, 0.0085),
        {
            10: (257.9, 165.7), 152: (255.6, 439.0), 234: (136.8, 280.7), 454: (377.3, 282.0),
            33: (182.8, 254.0), 133: (231.1, 258.8), 362: (284.4, 259.6), 263: (332.4, 255.3),
            159: (203.3, 243.0), 145: (204.9, 264.4), 386: (311.4, 247.0), 374: (311.8, 266.4),
            61: (213.1, 378.0), 291: (299.8, 377.9), 13: (256.7, 363.9), 14: (257.6, 394.2),
            0: (256.5, 352.6), 17: (257.8, 411.5), 1: (256.1, 317.1), 4: (256.2, 306.9),
            70: (161.6, 226.9), 300: (352.3, 224.2), 107: (234.1, 213.8), 336: (278.9, 213.6),
            468: (206.3, 256.0), 471: (194.6, 255.4), 473: (307.1, 256.6), 476: (295.4, 256.7),
        },
    ),
}  # fmt: skip
"""Lip gap of the drawing -> (square, landmark -> x, y)."""


@pytest.fixture
def face_perception(model_handle):
    return FacePerception(model_handle("face-detector"), model_handle("face-mesh"))


def only_face(perception, picture):
    faces = perception.detect(picture)
    assert len(faces) == 1
    return faces[0]


def errors_px(points, expected):
    return np.linalg.norm(points[list(expected), :2] - np.array(list(expected.values())), axis=1)


@pytest.mark.parametrize("lip_gap_px", EXPECTED)
def test_network_matches_mediapipe(model_handle, lip_gap_px):
    square, expected = EXPECTED[lip_gap_px]
    roi = SquareROI(*square)
    # mediapipe cuts out without averaging, so this comparison does too.
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    matrix = roi.matrix(INPUT_SIZE).astype(np.float64)
    crop = cv2.warpAffine(
        draw_face(lip_gap_px), matrix, (INPUT_SIZE, INPUT_SIZE), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    with model_handle("face-mesh")() as mesh:
        points, score = mesh.landmarks(crop)
    assert score > 0.9
    assert errors_px(roi.to_image(points, INPUT_SIZE), expected).max() < 0.5


@pytest.mark.parametrize("lip_gap_px", EXPECTED)
def test_detection_ends_where_mediapipe_does(face_perception, lip_gap_px):
    errors = errors_px(only_face(face_perception, draw_face(lip_gap_px)).points, EXPECTED[lip_gap_px][1])
    assert errors.mean() < 1.2
    assert errors.max() < 3.0


@pytest.mark.parametrize(("turn_deg", "scale"), [(20, 1.0), (-35, 0.8), (90, 0.9), (180, 0.6), (0, 0.2), (0, 1.6)])
def test_landmarks_move_with_the_picture(face_perception, turn_deg, scale):
    picture = draw_face(12)
    upright = only_face(face_perception, picture).points
    matrix = cv2.getRotationMatrix2D((SIZE / 2, SIZE * 0.55), turn_deg, scale)
    moved = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_AREA, borderValue=(170, 190, 200))
    found = only_face(face_perception, moved).points
    apart = found[:, :2] - (upright[:, :2] @ matrix[:, :2].T + matrix[:, 2])
    assert np.linalg.norm(apart, axis=1).mean() < 0.04 * iod_px(upright) * scale


def test_lip_gap_follows_the_drawing(face_perception):
    gaps = [inner_lip_gap(only_face(face_perception, draw_face(gap_px)).points) for gap_px in (0, 12, 24, 36)]
    assert gaps[0] < 0.02
    assert np.diff(gaps).min() > 0.03


def test_a_face_in_a_large_picture_is_found(face_perception):
    picture = np.full((1500, 900, 3), (170, 190, 200), np.uint8)
    picture[200:296, 600:696] = cv2.resize(draw_face(0), (96, 96), interpolation=cv2.INTER_AREA)
    face = only_face(face_perception, picture)
    assert abs(face.roi.x - 648) < 8
    assert abs(face.roi.y - 256) < 10


def test_two_faces_are_found_largest_first(face_perception):
    picture = np.full((SIZE, 2 * SIZE, 3), (170, 190, 200), np.uint8)
    picture[156:412, 100:356] = cv2.resize(draw_face(0), (256, 256), interpolation=cv2.INTER_AREA)
    picture[:, SIZE:] = draw_face(0)
    assert [round(face.roi.x / SIZE, 1) for face in face_perception.detect(picture)] == [1.5, 0.4]


def test_nothing_is_found_in_an_empty_room(face_perception):
    assert face_perception.detect(np.full((300, 400, 3), 128, np.uint8)) == []


def test_tracking_follows_a_moving_face(face_perception):
    picture = draw_face(0)
    frames = [np.roll(picture, 6 * k, axis=1) for k in range(6)]
    xs = [face.roi.x for face in face_perception.track(frames)]
    np.testing.assert_allclose(np.diff(xs), 6.0, atol=1.5)
