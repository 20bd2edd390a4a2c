import numpy as np
import pytest

from omnihuman.perception.face_geometry import iod_px
from omnihuman.perception.face_landmarks import FaceLandmarks
from tests.tiny import POINTS, draw_face

FACE = FaceLandmarks.from_points(np.load(POINTS), 1.0)


def test_another_mesh_network_sees_the_same_face(model_handle):
    with model_handle("face-mesh-plain")() as mesh:
        points, score = mesh.landmarks(draw_face(), FACE.roi)
        _, nothing = mesh.landmarks(np.full((512, 512, 3), 90, np.uint8), FACE.roi)
    apart = np.linalg.norm(points[:, :2] - FACE.points[:468, :2], axis=1)
    assert points.shape == (468, 3) and score > 0.9 > 0.2 > nothing
    assert apart.mean() < 0.06 * iod_px(FACE.points)
    assert np.corrcoef(points[:, 2], FACE.points[:468, 2])[0, 1] > 0.9


@pytest.mark.parametrize(("side", "centre", "outer"), [("r", 468, 33), ("l", 473, 263)])
def test_the_iris_network_sees_both_eyes(model_handle, side, centre, outer):
    with model_handle("iris")() as model:
        eye = model.landmarks(draw_face(), FACE.points, side)
    unit = iod_px(FACE.points)
    assert np.linalg.norm(eye.iris[0, :2] - FACE.points[centre, :2]) < 0.06 * unit
    assert np.linalg.norm(eye.contour[:, :2] - FACE.points[outer, :2], axis=1).min() < 0.08 * unit
    assert eye.iris.shape == (5, 3) and eye.contour.shape == (71, 3)
