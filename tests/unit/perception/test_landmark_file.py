import json
import re
from pathlib import Path

import numpy as np
import pytest

from omnihuman.config import ROOT
from omnihuman.errors import InputError
from omnihuman.perception.landmark_file import ESSENTIAL, landmark_record, read_landmarks, record_text, rescaled
from omnihuman.perception.landmark_names import NAMES
from tests.tiny import POINTS

SIDE = 512


def real():
    return np.load(POINTS)


def record(**changes):
    return {**landmark_record(real(), SIDE, SIDE), **changes}


def few(**moved):
    content = landmark_record(real(), SIDE, SIDE, seen=False)
    content["points"].update(moved)
    return {**content, "points": {name: place for name, place in content["points"].items() if place is not None}}


@pytest.fixture
def read(tmp_path):
    def write_and_read(content, width=SIDE, height=SIDE):
        path = tmp_path / "face.json"
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return read_landmarks(path, width, height)

    return write_and_read


def test_what_is_written_is_read(read):
    assert np.allclose(read(record_text(record())), real(), atol=0.02)


def test_the_text_has_a_point_per_line():
    lines = record_text(record()).splitlines()
    assert any(re.fullmatch(r'\s+"nose_tip": \[[\d.]+, [\d.]+\],', line) for line in lines)
    assert len(lines) < 478 + len(NAMES) + 15


def test_a_moved_name_bends_the_mesh(read):
    content = record()
    content["points"]["chin"][1] += 12
    moved = read(content)
    assert moved[152, 1] == pytest.approx(real()[152, 1] + 12, abs=0.1)
    assert np.abs(moved[[33, 263, 61], :2] - real()[[33, 263, 61], :2]).max() < 0.1


def test_a_moved_pupil_moves_the_iris_alone(read):
    content = record()
    content["points"]["left_eye"][0] += 5
    moved = read(content) - real()
    assert np.allclose(moved[473:478, 0], 5, atol=0.05)
    assert np.abs(moved[:473]).max() < 0.05


def test_six_points_make_a_face(read):
    points = read(few())
    assert np.linalg.norm(points[:, :2] - real()[:, :2], axis=1).mean() < 0.08 * 140
    assert set(ESSENTIAL) == set(few()["points"])


def test_corners_stand_for_an_eye(read):
    content = record()
    names = ("right_eye_outer", "right_eye_inner", "left_eye", "right_mouth", "left_mouth")
    points = {name: content["points"][name] for name in names}
    assert np.abs(read({**few(), "points": points})[[33, 133], :2] - real()[[33, 133], :2]).max() < 0.1


def test_landmarks_follow_the_picture_to_another_size(read):
    grown = read(record(), width=2 * SIDE, height=2 * SIDE)
    assert np.allclose(grown[:, :2], 2 * real()[:, :2] + 0.5, atol=0.05)
    assert np.allclose(grown[:, 2], 2 * real()[:, 2], atol=0.05)
    assert np.allclose(rescaled(grown, (2 * SIDE, 2 * SIDE), (SIDE, SIDE)), real(), atol=0.05)


def swapped():
    content = few()
    points = content["points"]
    for one, other in (("right_eye", "left_eye"), ("right_mouth", "left_mouth")):
        points[one], points[other] = points[other], points[one]
    return content


def folded():
    content = record()
    content["points"]["right_eye_top"], content["points"]["chin"] = content["points"]["chin"], [250, 100]
    content["points"]["nose_tip"], content["points"]["forehead"] = [200, 500], [260, 420]
    return content


BAD = {
    "not JSON": ("{", "not JSON"),
    "a list": ("[1]", "no JSON object"),
    "another schema": (record(schema="x"), "schema"),
    "a later version": (record(version=2), "version"),
    "an unknown key": (record(pionts={}), "pionts"),
    "an unknown name": (few(nose_tpi=[200, 200]), "nose_tpi"),
    "an eye is missing": (few(left_eye=None), "'left_eye' is missing"),
    "no mouth": (few(right_mouth=None), "'right_mouth' is missing"),
    "outside": (few(nose_tip=[900, 200]), "outside the picture"),
    "no number": (few(nose_tip=[float("nan"), 200]), "no number"),
    "beyond": (record(mesh=[[1e300, 1e300, 1e300]] * 478), "beyond every picture"),
    "too large for a float": (few(nose_tip=[10**400, 200]), "nose_tip"),
    "a side without end": (record(width=10**400), "width"),
    "a mesh in one place": (record(mesh=[[9.0, 9.0, 9.0]] * 478, points={}), "in one place"),
    "all names in one place": (few(**dict.fromkeys(ESSENTIAL, [200, 200])), "in one place"),
    "three numbers": (few(nose_tip=[1, 2, 3]), "nose_tip"),
    "short mesh": (record(mesh=[[1, 2]] * 100), "100 rows"),
    "ragged mesh": (record(mesh=[[1, 2]] * 467 + [[1, 2, 3]]), "every row"),
    "other picture": (record(width=SIDE * 2), "cropping and turning"),
    "mirrored": (swapped(), "mirrored"),
    "one place": (few(left_eye=[200, 200], right_eye=[201, 200]), "apart"),
    "on a line": (few(right_mouth=[210, 255], left_mouth=[300, 255], chin=None, nose_tip=None), "one line"),
    "folded": (folded(), "folds"),
}


@pytest.mark.parametrize(("content", "cause"), BAD.values(), ids=BAD)
def test_what_cannot_be_a_face_is_refused_in_one_line(read, content, cause):
    with pytest.raises(InputError, match=r"^error\[landmarks_invalid\]") as caught:
        read(content)
    assert cause in str(caught.value) and "\n" not in str(caught.value)


def test_the_nearest_name_is_suggested(read):
    with pytest.raises(InputError, match="Did you mean 'nose_tip'"):
        read(few(nose_tpi=[200, 200]))


def test_a_missing_file_is_coded(tmp_path):
    for path in (tmp_path / "none.json", tmp_path, Path("/dev/zero")):
        with pytest.raises(InputError, match="landmarks_missing"):
            read_landmarks(path, SIDE, SIDE)


def test_the_documented_example_is_a_face(read):
    page = (ROOT / "docs" / "landmarks.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    assert read(example, 451, 300).shape == (478, 3)
    named = set(re.findall(r"`((?:right|left|upper|lower|nose)_[a-z_]+|chin|forehead)`", page))
    mirrored = {name.replace("right", "left") for name in named if name.startswith("right_")}
    assert set(NAMES) <= named | mirrored
