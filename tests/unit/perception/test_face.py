from contextlib import nullcontext

import numpy as np
import pytest

from omnihuman.config import ROOT
from omnihuman.media.image import read_image
from omnihuman.perception.face import FaceLandmarks, FacePerception
from omnihuman.perception.face_detector import Effort, FaceBox
from omnihuman.perception.face_template import mean_mesh
from omnihuman.perception.roi import SquareROI

FRAME = np.zeros((200, 300, 3), np.uint8)


class ListedFaces:
    """A detector that finds what it is told and remembers how hard it looked."""

    def __init__(self, rois, needs=Effort.QUICK):
        self.rois, self.needs, self.efforts = rois, needs, []

    def detect(self, image, effort):
        self.efforts.append(effort)
        boxes = [FaceBox(0.9, roi, np.zeros((6, 2), np.float32)) for roi in self.rois]
        return boxes if effort >= self.needs else []


class FlatMesh:
    """A mesh network that sees the mean face filling two thirds of every crop; `flags` are used up in turn."""

    def __init__(self, flags=(), drift_px=0.0):
        self.flags, self.drift_px, self.calls = list(flags), drift_px, 0

    def landmarks(self, crop):
        self.calls += 1
        mesh = mean_mesh()
        middle = (mesh.max(axis=0) + mesh.min(axis=0))[:2] / 2
        points = mesh * len(crop) * 2 / 3 / np.ptp(mesh[:, 1])
        points[:, :2] += (len(crop) - 1) / 2 - middle * points[1, 1] / mesh[1, 1]
        points[:, 0] += self.drift_px
        return points.astype(np.float32), self.flags.pop(0) if self.flags else 1.0


def perception(detector, mesh):
    return FacePerception(lambda: nullcontext(detector), lambda: nullcontext(mesh))


def test_largest_face_comes_first():
    faces = perception(ListedFaces([SquareROI(50, 50, 30), SquareROI(200, 100, 90)]), FlatMesh()).detect(FRAME)
    assert [round(f.size_px) for f in faces] == [90, 30]
    assert faces[0].points.shape == (478, 3)
    assert faces[0].points.dtype == np.float32


def test_max_faces_keeps_the_largest():
    rois = [SquareROI(50, 50, 30), SquareROI(200, 100, 90)]
    faces = perception(ListedFaces(rois), FlatMesh()).detect(FRAME, max_faces=1)
    assert [round(f.size_px) for f in faces] == [90]


def test_nothing_found_is_an_empty_list_after_looking_hard():
    detector = ListedFaces([])
    assert perception(detector, FlatMesh()).detect(FRAME) == []
    assert detector.efforts == [Effort.THOROUGH, Effort.DESPERATE]


def test_hard_faces_need_the_hard_look():
    detector = ListedFaces([SquareROI(100, 100, 60)], needs=Effort.DESPERATE)
    assert len(perception(detector, FlatMesh()).detect(FRAME)) == 1


def test_the_mesh_has_the_last_word():
    assert perception(ListedFaces([SquareROI(100, 100, 60)]), FlatMesh([0.1, 0.1])).detect(FRAME) == []


def test_a_doubtful_face_beside_a_certain_one_is_dropped():
    rois = [SquareROI(50, 50, 30), SquareROI(200, 100, 90)]
    faces = perception(ListedFaces(rois), FlatMesh([1.0, 1.0, 0.7, 0.7])).detect(FRAME)
    assert [round(f.size_px) for f in faces] == [30]


def test_two_finds_of_one_face_are_one():
    rois = [SquareROI(100, 100, 60), SquareROI(104, 98, 66)]
    assert len(perception(ListedFaces(rois), FlatMesh()).detect(FRAME)) == 1


def test_tracking_looks_once_per_frame():
    detector, mesh = ListedFaces([SquareROI(100, 100, 60)]), FlatMesh()
    tracked = list(perception(detector, mesh).track([FRAME] * 5))
    assert all(face is not None for face in tracked)
    assert len(detector.efforts) == 1
    assert mesh.calls == 2 + 4


def test_tracking_searches_again_when_the_flag_drops():
    detector = ListedFaces([SquareROI(100, 100, 60)])
    tracked = list(perception(detector, FlatMesh([1, 1, 1, 0.1, 1, 1, 1])).track([FRAME] * 4))
    assert all(face is not None for face in tracked)
    assert len(detector.efforts) == 2


def test_tracking_yields_none_while_the_face_is_away():
    detector = ListedFaces([SquareROI(100, 100, 60)])
    tracked = list(perception(detector, FlatMesh([1, 1, 0.1, 0.1, 0.1, 1, 1])).track([FRAME] * 4))
    assert [face is None for face in tracked] == [False, True, True, False]


def test_tracking_stays_with_its_person():
    detector = ListedFaces([SquareROI(60, 100, 60)])
    follower = perception(detector, FlatMesh([1, 1, 0.1]))

    def frames():
        yield FRAME
        detector.rois = [SquareROI(220, 100, 100), SquareROI(64, 100, 60)]
        yield FRAME

    assert [round(face.roi.x) for face in follower.track(frames())] == [60, 64]


def test_box_holds_the_points():
    points = np.zeros((478, 3), np.float32)
    points[7], points[9] = (-5, 3, 1), (40, 90, 2)
    assert FaceLandmarks.from_points(points, 0.5).box == (-5.0, 0.0, 40.0, 90.0)


def test_what_the_mirror_shows_elsewhere_is_no_face():
    assert perception(ListedFaces([SquareROI(100, 100, 60)]), FlatMesh(drift_px=8)).detect(FRAME) == []


def test_a_look_at_given_squares_takes_the_surest_face():
    flags = [0.3, 0.3, 0.4, 0.4, 0.1, 0.3, 0.3]
    face = perception(ListedFaces([]), FlatMesh(flags)).look(FRAME, [SquareROI(x, 100, 90) for x in (50, 150, 250)])
    assert round(face.roi.x) == 150
    assert perception(ListedFaces([]), FlatMesh([0.1])).look(FRAME, [SquareROI(50, 100, 90)]) is None


@pytest.mark.parametrize("name", ["portrait_ada.png", "portrait_omar.png"])
def test_drawn_people_are_found_and_textures_are_not(model_handle, name):
    faces = FacePerception(model_handle("face-detector"), model_handle("face-mesh"))
    assert len(faces.detect(read_image(ROOT / "examples" / name))) == 1
    noise = np.random.default_rng(3).integers(0, 255, (12, 12, 3), dtype=np.uint8)
    assert faces.detect(np.kron(noise, np.ones((20, 20, 1), np.uint8))) == []
