"""Faces are cut out upright wherever they are; a network of the right shape is run, another is refused."""

import json
from contextlib import nullcontext

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli.evaluate import app
from omnihuman.errors import InputError, ModelError
from omnihuman.evaluation.face_identity import FaceIdentity, aligned_crop, embed_frames, embed_picture
from omnihuman.evaluation.likeness import load_identity_settings, measure_identity
from omnihuman.media.image import write_image
from omnihuman.media.video import VideoWriter
from omnihuman.perception.face import FaceLandmarks
from tests.tiny import POINTS, TinyFace
from tests.unit.evaluation.tiny_onnx import mean_colour_network
from tests.unit.perception.drawn_face import draw_face

FACE, MESH = draw_face(), np.load(POINTS).astype(np.float32)


@pytest.fixture
def network(tmp_path):
    path = tmp_path / "tiny.onnx"
    path.write_bytes(mean_colour_network())
    return FaceIdentity.from_files({"tiny.onnx": path})


def moved(degrees, scale, shift):
    """The drawn face and its mesh, turned, scaled and moved."""
    matrix = cv2.getRotationMatrix2D((256, 256), degrees, scale)
    matrix[:, 2] += shift
    points = MESH.copy()
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    picture = cv2.warpAffine(FACE, matrix, (700, 700), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(picture, np.uint8), points


@pytest.mark.parametrize("move", [(20, 1.0, (0, 0)), (-15, 0.6, (80, 40)), (0, 1.3, (30, 10))])
def test_the_crop_is_the_same_wherever_the_face_is(move):
    here, there = aligned_crop(FACE, MESH), aligned_crop(*moved(*move))
    assert here.shape == there.shape == (112, 112, 3)
    inner = slice(20, 92)
    apart = np.abs(here[inner, inner].astype(float) - there[inner, inner])
    assert apart.mean() < 6
    assert np.abs(here[inner, inner].astype(float) - here[inner, inner][::-1]).mean() > 12, "upside down is another"


def test_vectors_are_the_networks_own_of_the_crop_in_red_green_blue(network):
    vector = network.embed(FACE, FaceLandmarks.from_points(MESH, 0.9))
    assert vector == pytest.approx(aligned_crop(FACE, MESH).reshape(-1, 3).mean(0), rel=1e-4)


@pytest.mark.parametrize("content", [b"", b"no network", mean_colour_network(64)])
def test_another_network_is_refused(tmp_path, content):
    path = tmp_path / "bad.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match="identity_broken"):
        FaceIdentity.from_files({"bad.onnx": path})


def test_frames_without_a_face_are_rows_of_nothing(network):
    grey = np.full_like(FACE, 90)
    rows = embed_frames([FACE, FACE, grey, FACE, FACE], TinyFace(), lambda: nullcontext(network), every=2)
    assert np.isfinite(rows).all(1).tolist() == [True, False, True]
    with pytest.raises(InputError, match="face_missing"):
        embed_frames([grey], TinyFace(), lambda: nullcontext(network), every=1)
    with pytest.raises(InputError, match="face_missing"):
        embed_picture(grey, TinyFace(), lambda: nullcontext(network))


def test_a_stranger_scores_lower_and_is_named():
    rng = np.random.default_rng(0)
    me, other = rng.normal(size=(2, 64))
    frames = me + 0.3 * rng.normal(size=(30, 64))
    result = measure_identity(frames, me, other, load_identity_settings())
    assert result.measurements["identity_mean"].value > 0.9
    assert abs(result.controls["stranger"]["identity_mean"].value) < 0.4
    assert result.measurements["lead_over_stranger"].value > 0.5
    assert not measure_identity(frames, me, None, load_identity_settings()).controls


def test_the_command_compares_video_and_picture(network, tmp_path, monkeypatch):
    with VideoWriter(tmp_path / "v.mp4", 25.0, None, {}) as writer:
        for _ in range(10):
            writer.write(FACE)
    write_image(tmp_path / "me.png", FACE)
    write_image(tmp_path / "green.png", FACE // np.array([4, 1, 4], np.uint8))
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.face_of", lambda hub: TinyFace())
    monkeypatch.setattr("omnihuman.modelhub.hub.ModelHub.handle", lambda hub, name: lambda: nullcontext(network))
    arguments = ["identity", tmp_path / "v.mp4", "--image", tmp_path / "me.png", "--stranger", tmp_path / "green.png"]
    result = CliRunner().invoke(app, [str(argument) for argument in (*arguments, "--check", "--json")])
    record = json.loads(result.stdout)
    assert result.exit_code == 0
    assert record["measurements"]["identity_low"]["value"] > 0.99
    assert record["measurements"]["lead_over_stranger"]["value"] > 0.01
    assert record["facts"]["network"] == "face-identity"


def test_sface_knows_the_drawn_face_again(model_handle):
    with model_handle("face-identity")() as sface:
        here = sface.embed(FACE, FaceLandmarks.from_points(MESH, 0.9))
        picture, points = moved(12, 0.8, (60, 30))
        again = sface.embed(picture, FaceLandmarks.from_points(points, 0.9))
        blank = sface.embed(np.full_like(FACE, 120), FaceLandmarks.from_points(MESH, 0.9))
    assert here.shape == (128,)
    assert cosine(here, again) > 0.8
    assert cosine(here, blank) < 0.5


def cosine(a, b):
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))
