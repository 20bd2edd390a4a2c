"""The mesh covers the frame once, unfolded, and the layers add up to the picture."""

import numpy as np
import pytest

from omnihuman.latents.motion.face.mesh import build_mesh, inside_polygon, signed_areas, untangle
from omnihuman.latents.motion.face.seam import snap_to_lip_line
from omnihuman.latents.motion.scene.layers import split_layers
from omnihuman.latents.motion.scene.raster import triangle_map
from tests.unit.latents.drawn_reference import POINTS, busy_picture, drawn_matte, drawn_reference


@pytest.mark.parametrize("size", [(512, 512), (512, 800), (380, 420)])
def test_the_mesh_covers_the_frame_without_folds(size):
    height, width = size
    mesh = build_mesh(POINTS, height, width)
    assert (signed_areas(mesh.points, mesh.triangles) > 0).all()
    assert (triangle_map(mesh.points, mesh.triangles, height, width) >= 0).all()
    assert len(mesh.labels) == len(mesh.triangles)


def test_each_edge_of_the_mesh_has_at_most_two_triangles():
    triangles = drawn_reference().mesh.triangles
    edges = np.sort(np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]), 1)
    _, uses = np.unique(edges, axis=0, return_counts=True)
    assert uses.max() == 2


def test_untangle_mends_a_folded_triangle_and_leaves_good_ones():
    square = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [5, -3]], np.float32)
    fan = np.array([[0, 1, 4], [1, 2, 4], [2, 3, 4], [3, 0, 4]], np.int32)
    mended = untangle(square, fan, min_area=1.0)
    assert (signed_areas(mended, fan) >= 1.0).all()
    good = np.array([[0, 0], [10, 0], [10, 10], [0, 10], [5, 5]], np.float32)
    np.testing.assert_array_equal(untangle(good, fan, min_area=1.0), good)


def test_inside_polygon_agrees_with_a_circle():
    angle = np.linspace(0, 2 * np.pi, 200, endpoint=False)
    circle = np.stack([np.cos(angle), np.sin(angle)], 1)
    points = np.random.default_rng(0).uniform(-1.5, 1.5, (500, 2))
    radius = np.linalg.norm(points, axis=1)
    clear = np.abs(radius - 1) > 0.01
    np.testing.assert_array_equal(inside_polygon(points, circle)[clear], (radius < 1)[clear])


def test_the_layers_add_up_and_the_fill_knows_nothing_of_the_person():
    picture, matte = busy_picture(), drawn_matte()
    layers = split_layers(picture, matte, 100.0)
    alpha = layers.residual[..., 3:]
    total = layers.residual[..., :3] + (1 - alpha) * layers.background.astype(np.float32)
    np.testing.assert_allclose(total, picture, atol=1e-3)
    np.testing.assert_array_equal(layers.background[:60, :60], picture[:60, :60])
    behind_hair = layers.background[200:300, 110:130].reshape(-1, 3).mean(0)
    np.testing.assert_allclose(behind_hair, (170, 190, 200), atol=12)


def test_the_slit_is_pulled_onto_the_drawn_lip_line():
    picture, frame = busy_picture(), drawn_reference().rig.frame
    middle = [13, 14]
    for error_px in (-5.0, 5.0):
        wrong = POINTS[:468].copy()
        lips = np.linalg.norm(wrong[:, :2] - wrong[middle, :2].mean(0), axis=1) < 70
        wrong[lips, 1] += error_px
        snapped = snap_to_lip_line(picture, wrong, frame)
        before = abs(wrong[middle, 1].mean() - 368)
        after = abs(snapped[middle, 1].mean() - 368)
        assert after < min(before, 3.0), (error_px, before, after)
