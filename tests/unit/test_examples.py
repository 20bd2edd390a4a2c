"""The drawn people: what the script draws is what lies there, and a face is seen in it."""

import importlib.util
import sys

import cv2
import numpy as np
import pytest

from omnihuman.config import ROOT

EXAMPLES = ROOT / "examples"
PEOPLE = ("ada", "omar")


@pytest.fixture(scope="module")
def artist():
    """The drawing script as a module, with its own folder in reach while it is needed."""
    sys.path.insert(0, str(EXAMPLES))
    try:
        spec = importlib.util.spec_from_file_location("examples_draw", EXAMPLES / "draw.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        yield module
    finally:
        sys.path.remove(str(EXAMPLES))
        for name in [name for name in sys.modules if name.split(".")[0] == "studio"]:
            del sys.modules[name]


def shipped(name):
    return cv2.cvtColor(cv2.imread(str(EXAMPLES / f"portrait_{name}.png")), cv2.COLOR_BGR2RGB)


@pytest.mark.parametrize("name", PEOPLE)
def test_the_script_draws_the_shipped_picture(artist, name):
    drawn = artist.draw(name)
    # Other processors round the last bit of a float differently: one level here and there, a hair of a beard at most.
    difference = np.abs(drawn.astype(np.int16) - shipped(name))
    assert (difference > 0).mean() < 0.01
    assert (difference > 1).mean() < 0.001


@pytest.mark.parametrize("name", PEOPLE)
def test_the_file_is_what_the_script_writes_for_the_picture(artist, name):
    content = (EXAMPLES / f"portrait_{name}.png").read_bytes()
    assert len(content) < 600_000
    picture = shipped(name)
    assert picture.shape == (960, 768, 3)
    decoded = cv2.imdecode(np.frombuffer(artist.encode(picture), np.uint8), cv2.IMREAD_COLOR)
    assert np.array_equal(cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB), picture)


@pytest.mark.parametrize("name", PEOPLE)
def test_face_mesh_sees_one_front_face_with_closed_lips(model_handle, name):
    from omnihuman.perception.face import FacePerception, head_pose_deg, inner_lip_gap, iod_px

    faces = FacePerception(model_handle("face-detector"), model_handle("face-mesh")).detect(shipped(name))
    assert len(faces) == 1
    points = faces[0].points
    assert inner_lip_gap(points) < 0.02
    assert iod_px(points) > 140
    assert abs(head_pose_deg(points)[0]) < 5.0
