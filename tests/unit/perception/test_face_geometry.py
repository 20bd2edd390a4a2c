import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihuman.perception import face_geometry as geometry
from omnihuman.perception import mesh_topology as topology


def posed_face(yaw=0.0, pitch=0.0, roll=0.0, scale=100.0):
    """The mean face turned; points that it lacks stay at the origin."""
    numbers, mean_face = geometry._mean_face()
    points = np.zeros((478, 3), np.float32)
    points[numbers] = mean_face @ geometry.head_rotation(yaw, pitch, roll).T * scale + 200
    return points


@given(st.floats(-60, 60), st.floats(-60, 60), st.floats(-170, 170))
def test_pose_inverts_rotation(yaw, pitch, roll):
    assert geometry.head_pose_deg(posed_face(yaw, pitch, roll)) == pytest.approx((yaw, pitch, roll), abs=0.05)


def test_signs_of_the_pose():
    """A nose that points right turns by +yaw, one that points down nods by +pitch; clockwise tilt is +roll."""
    assert geometry.head_rotation(20, 0, 0)[0, 2] > 0
    assert geometry.head_rotation(0, 20, 0)[1, 2] > 0
    assert geometry.head_rotation(0, 0, 20)[1, 0] > 0


def test_turning_the_picture_changes_roll_alone():
    points = posed_face(25.0, 10.0, 5.0)
    turned = points @ geometry.head_rotation(0, 0, 30).T
    assert geometry.head_pose_deg(turned) == pytest.approx((25.0, 10.0, 35.0), abs=0.05)


def test_pose_survives_noise():
    points = posed_face(15.0, -8.0, 3.0)
    noise = np.random.default_rng(0).normal(scale=1.0, size=points.shape).astype(np.float32)
    assert geometry.head_pose_deg(points + noise) == pytest.approx((15.0, -8.0, 3.0), abs=1.5)


def test_similarity_recovers_its_parts():
    rng = np.random.default_rng(0)
    source = rng.normal(size=(20, 3)).astype(np.float32)
    rotation = geometry.head_rotation(30, -20, 70)
    scale, found, shift = geometry.similarity(source, 2.5 * source @ rotation.T + [3, -4, 5])
    assert scale == pytest.approx(2.5, abs=1e-4)
    np.testing.assert_allclose(found, rotation, atol=1e-4)
    np.testing.assert_allclose(shift, [3, -4, 5], atol=1e-3)


def test_similarity_never_mirrors():
    source = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)
    _, found, _ = geometry.similarity(source, source * [-1, 1, 1])
    assert np.linalg.det(found) == pytest.approx(1.0, abs=1e-4)


def test_mean_face_has_unit_iod_and_is_upright():
    points = posed_face(scale=1.0)
    assert geometry.iod_px(points) == pytest.approx(1.0, abs=1e-3)
    assert geometry.head_pose_deg(points) == pytest.approx((0.0, 0.0, 0.0), abs=1e-3)


def test_openings_are_relative_to_the_iod():
    points = posed_face(scale=100.0)
    for row in (topology.LIPS_INNER_UPPER, topology.EYE_RIGHT_UPPER[1:-1], topology.EYE_LEFT_UPPER[1:-1]):
        points[list(row)] = 0
    points[list(topology.LIPS_INNER_LOWER[1:-1])] = [0, 20, 0]
    points[list(topology.EYE_RIGHT_LOWER[1:-1])] = [0, 8, 0]
    points[list(topology.EYE_LEFT_LOWER[1:-1])] = [0, 4, 0]
    assert geometry.inner_lip_gap(points) == pytest.approx(0.20, abs=1e-3)
    assert geometry.eye_aperture(points) == pytest.approx((0.08, 0.04), abs=1e-3)
