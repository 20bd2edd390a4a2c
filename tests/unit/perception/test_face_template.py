import numpy as np
import pytest

from omnihuman.perception.face_geometry import head_pose_deg, head_rotation, inner_lip_gap, iod_px
from omnihuman.perception.face_template import bend_to, lay_template, mean_mesh, with_depth
from omnihuman.perception.mesh_topology import EYE_RIGHT, IRIS_LEFT, mirror, triangles
from tests.tiny import POINTS

FEW = [EYE_RIGHT, tuple(int(mirror()[n]) for n in EYE_RIGHT), (1,), (61,), (291,)]
MORE = [(33,), (133,), (362,), (263,), (1,), (61,), (291,), (13,), (14,), (152,)]


def means(points, places):
    return np.array([points[list(numbers), :2].mean(axis=0) for numbers in places])


def turned(points):
    a, b, c = (points[triangles()[:, k], :2] for k in range(3))
    return float(((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0] < 0).mean())


def test_the_mean_face_is_symmetric_upright_and_calm():
    mesh = mean_mesh()
    assert np.allclose(mesh[mirror()] * [-1, 1, 1], mesh, atol=2e-3)
    assert iod_px(mesh) == pytest.approx(1.0, abs=0.05) and inner_lip_gap(mesh) < 0.02
    assert max(map(abs, head_pose_deg(mesh))) < 3 and turned(mesh) < 0.02


@pytest.mark.parametrize(("places", "miss"), [(FEW, 0.06), (MORE, 0.05)], ids=["five points", "ten points"])
def test_a_few_points_bring_the_rest_near(places, miss):
    """Against the landmarks that the network gave for the drawn face, a stranger to the mean."""
    real = np.load(POINTS)
    laid = lay_template(places, means(real, places))
    apart = np.linalg.norm(laid[:, :2] - real[:, :2], axis=1) / iod_px(real)
    assert apart.mean() < miss and np.percentile(apart, 95) < 0.2
    assert np.allclose(means(laid, places), means(real, places), atol=0.01 * iod_px(real))
    depth = (laid[:468, 2] - laid[:468, 2].mean()) / iod_px(laid), (real[:468, 2] - real[:468, 2].mean()) / iod_px(real)
    assert np.corrcoef(*depth)[0, 1] > 0.9


@pytest.mark.parametrize(("yaw", "roll"), [(0, 0), (25, 0), (-25, 0), (10, 40), (0, 170)])
def test_a_turned_face_is_laid_turned(yaw, roll):
    posed = 120 * mean_mesh() @ head_rotation(yaw, 0, roll).T + [300, 260, 0]
    laid = lay_template(MORE, means(posed, MORE))
    apart = np.linalg.norm(laid[:, :2] - posed[:, :2], axis=1) / 120
    assert apart.mean() < 0.03
    found = head_pose_deg(laid)
    assert found[0] == pytest.approx(yaw, abs=9) and (found[2] - roll + 180) % 360 - 180 == pytest.approx(0, abs=5)


def test_an_open_mouth_opens_and_nothing_folds():
    posed = 100 * mean_mesh() + [200, 200, 0]
    known = means(posed, MORE)
    known[8, 1] += 35
    known[9, 1] += 30
    laid = lay_template(MORE, known)
    assert inner_lip_gap(laid) > 0.15 and turned(laid) < 0.05
    assert np.abs(laid[[159, 386, 10], :2] - posed[[159, 386, 10], :2]).max() < 8


def test_bending_to_where_points_are_changes_nothing():
    real = np.load(POINTS)
    assert np.allclose(bend_to(real, MORE, means(real, MORE)), real, atol=1e-2)


def test_bending_is_local_and_keeps_irises_round():
    real = np.load(POINTS)
    places = [(n,) for n in (33, 133, 362, 263, 1, 61, 291, 152, 10, 127, 356, 159, 145)]
    known = means(real, places)
    known[11, 1] -= 10
    bent = bend_to(real, places, known)
    assert bent[159, 1] == pytest.approx(real[159, 1] - 10, abs=0.1)
    assert np.abs(bent[[61, 291, 152, 263], :2] - real[[61, 291, 152, 263], :2]).max() < 0.1
    assert np.allclose(bent[:, 2], real[:, 2])
    axes = bent[list(IRIS_LEFT[1:]), :2] - bent[IRIS_LEFT[0], :2]
    before = real[list(IRIS_LEFT[1:]), :2] - real[IRIS_LEFT[0], :2]
    assert np.allclose(np.linalg.norm(axes, axis=1) / np.linalg.norm(before, axis=1), 1, atol=0.15)


@pytest.mark.parametrize(("rows", "width"), [(468, 2), (478, 2), (468, 3)])
def test_depth_and_irises_are_filled_in(rows, width):
    real = np.load(POINTS)
    full = with_depth(real[:rows, :width])
    assert full.shape == (478, 3) and np.array_equal(full[:rows, :width], real[:rows, :width])
    assert np.linalg.norm(full[[468, 473], :2] - real[[468, 473], :2], axis=1).max() < 0.12 * iod_px(real)
    assert np.corrcoef(full[:468, 2], real[:468, 2])[0, 1] > 0.85
