"""Landmarks in files: written for a picture, drawn, and carried into the pipeline at its size."""

import json

import numpy as np
import pytest

from omnihuman.errors import InputError, OmniHumanError
from omnihuman.media.image import read_image, write_image
from omnihuman.perception.landmark_file import ESSENTIAL, landmark_record
from omnihuman.perception.pictured import PersonFinder
from omnihuman.pipeline.inputs import read_picture
from omnihuman.pipeline.landmarks import write_landmarks
from omnihuman.pipeline.preset import load_preset
from omnihuman.types import AnimationRequest
from tests.tiny import POINTS, TinyFace, draw_face

LONGEST_PX = load_preset("motion").at("standard").longest_side_px


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "person.png"
    write_image(path, draw_face())
    return path


def finder():
    return PersonFinder(TinyFace())


def test_a_found_face_is_written_and_drawn(picture, tmp_path):
    out, sheet = tmp_path / "made" / "face.json", tmp_path / "sheet.png"
    located = write_landmarks(picture, out, sheet, finder(), 1)
    content = json.loads(out.read_text())
    assert located.seen and len(content["mesh"]) == 478 and (content["width"], content["height"]) == (512, 512)
    drawn = read_image(sheet)
    red = (drawn[..., 0] > 230) & (drawn[..., 1] < 90) & (drawn[..., 2] < 70)
    assert max(drawn.shape) == pytest.approx(1400, abs=2) and red.sum() > 20 * 25


def test_nobody_gives_a_template_to_move(tmp_path):
    blank = tmp_path / "blank.png"
    write_image(blank, np.full((200, 300, 3), 90, np.uint8))
    located = write_landmarks(blank, tmp_path / "face.json", tmp_path / "s.png", finder(), 1)
    content = json.loads((tmp_path / "face.json").read_text())
    assert not located.seen and set(content["points"]) == set(ESSENTIAL) and "mesh" not in content
    request = AnimationRequest(image=blank, landmarks=tmp_path / "face.json", say="a")
    read = read_picture(request, None, LONGEST_PX)
    assert np.allclose(read.person.landmarks[:, :2].mean(axis=0), [150, 100], atol=20)


@pytest.mark.parametrize(
    ("face", "sheet", "code"),
    [
        (2, None, "face_number_invalid"),
        (1, "s.what", "output_invalid"),
        (1, "s.jpg", "output_invalid"),
        (1, "folder.png", "output_invalid"),
        (1, "a.json", "output_invalid"),
        (1, "person.png/s.png", "output_unwritable"),
    ],
)
def test_what_cannot_be_written_is_coded_and_leaves_nothing(picture, tmp_path, face, sheet, code):
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(OmniHumanError, match=code):
        write_landmarks(picture, tmp_path / "a.json", None if sheet is None else tmp_path / sheet, finder(), face)
    assert {path.name for path in tmp_path.iterdir()} == {"person.png", "folder.png"}


def test_the_picture_is_never_overwritten(picture, tmp_path):
    before = picture.read_bytes()
    named_so = tmp_path / "link.json"
    named_so.symlink_to(picture)
    for out, sheet in ((named_so, None), (tmp_path / "a.json", picture)):
        with pytest.raises(InputError, match="overwrite"):
            write_landmarks(picture, out, sheet, finder(), 1)
    with pytest.raises(InputError, match="output_invalid"):
        write_landmarks(picture, picture, None, finder(), 1)
    assert picture.read_bytes() == before


@pytest.mark.parametrize("size", [None, 256, 1024, 301])
def test_given_landmarks_follow_the_picture_to_its_size(picture, tmp_path, size):
    path = tmp_path / "face.json"
    path.write_text(json.dumps(landmark_record(np.load(POINTS), 512, 512)))
    request = AnimationRequest(image=picture, landmarks=path, face=1, size=size, say="a")
    read = read_picture(request, None, LONGEST_PX)
    scale = (size or 512) / 512
    assert np.allclose(read.person.landmarks[:, :2], (np.load(POINTS)[:, :2] + 0.5) * scale - 0.5, atol=0.05)
    assert set(read.sha256) == {"image", "landmarks"} and read.image.shape[0] % 2 == 0 and read.size == (size or 512)


def test_without_landmarks_only_the_number_is_passed_on(picture):
    read = read_picture(AnimationRequest(image=picture, face=3, say="a"), None, LONGEST_PX)
    assert read.person.face == 3 and read.person.landmarks is None and set(read.sha256) == {"image"}
