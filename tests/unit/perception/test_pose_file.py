"""Key points keep their names, pose files come back as they were, and every doubt about one is named."""

import json
from dataclasses import replace

import numpy as np
import pytest

from omnihuman.errors import InputError, ResourceError
from omnihuman.perception.keypoints import (
    BODY_FROM_33,
    FACE,
    FACE_FROM_MESH,
    HANDS,
    NUM_KEYPOINTS,
    KeypointTrack,
    keypoints_of,
)
from omnihuman.perception.mesh_topology import mirror
from omnihuman.perception.pose_file import read_pose, write_pose
from tests.tiny import face_track
from tests.unit.latents.drawn_reference import POINTS

MIRROR_68 = [
    *range(16, -1, -1), *range(26, 16, -1), 27, 28, 29, 30, 35, 34, 33, 32, 31,
    45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
    54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65,
]  # fmt: skip
"""Counterpart of each of the 68 points on the other side of the face (iBUG 300-W)."""


def track(count=5):
    rng = np.random.default_rng(0)
    points = rng.uniform(0, 480, (count, NUM_KEYPOINTS, 2)).astype(np.float32)
    confidence = rng.uniform(0, 1, (count, NUM_KEYPOINTS)).astype(np.float32)
    return KeypointTrack(((np.arange(count) + 0.5) / 30).astype(np.float32), 640, 480, points, confidence)


def test_the_68_points_are_symmetric_and_where_their_names_say():
    assert len(set(FACE_FROM_MESH)) == 68
    assert [int(mirror()[n]) for n in FACE_FROM_MESH] == [FACE_FROM_MESH[k] for k in MIRROR_68]
    x, y = POINTS[list(FACE_FROM_MESH), :2].T
    assert (np.diff(x[:17]) > 0).all() and y[8] == y[:17].max()
    assert (np.diff(x[17:27]) > 0).all() and y[17:27].max() < y[36:48].min()
    assert (np.diff(y[27:31]) > 0).all() and (np.diff(x[31:36]) > 0).all()
    assert x[36] < x[39] < x[42] < x[45] and x[48] < x[60] < x[64] < x[54]
    assert y[51] < y[62] < y[66] < y[57]


def test_a_person_becomes_points_with_what_is_known_of_them():
    person = face_track([POINTS, None, POINTS], 25.0)
    visibility = np.zeros((3, 33), np.float32)
    visibility[:, 11] = 0.8
    body = np.zeros((3, 33, 3), np.float32)
    body[:, 11, :2] = [300, 400]
    points = keypoints_of(replace(person, body=body, body_visibility=visibility))
    assert BODY_FROM_33[5] == 11 and points.points[0, 5].tolist() == [300, 400]
    assert points.confidence[:, 5] == pytest.approx(0.8) and not points.confidence[:, 6].any()
    assert points.confidence[:, FACE].min(1).tolist() == [1, 0, 1]
    np.testing.assert_allclose(points.points[0, 0], POINTS[1, :2])
    assert not points.confidence[:, HANDS["l"]].any()


def test_a_pose_file_comes_back(tmp_path):
    write_pose(tmp_path / "deep" / "p.json", track(), 30.0)
    found, fps = read_pose(tmp_path / "deep" / "p.json")
    assert fps == 30 and (found.width, found.height) == (640, 480)
    np.testing.assert_allclose(found.points, track().points, atol=0.006)
    np.testing.assert_allclose(found.confidence, track().confidence, atol=0.0006)
    np.testing.assert_allclose(found.times_s, track().times_s, atol=1e-4)


def test_of_several_persons_the_one_who_stays_is_taken(tmp_path):
    write_pose(tmp_path / "p.json", track(), 30.0)
    record = json.loads((tmp_path / "p.json").read_text())
    passer_by = [[1.0, 2.0, 1.0]] * NUM_KEYPOINTS
    record["frames"][2]["persons"].insert(0, {"id": 0, "keypoints": passer_by})
    record["frames"][3]["persons"] = []
    for frame in record["frames"]:
        del frame["time_s"]
    (tmp_path / "p.json").write_text(json.dumps(record))
    found, _ = read_pose(tmp_path / "p.json")
    np.testing.assert_allclose(found.points[2], track().points[2], atol=0.006)
    assert not found.confidence[3].any()
    assert found.times_s == pytest.approx((np.arange(5) + 0.5) / 30)


def first_point(value):
    return lambda r: r["frames"][1]["persons"][0]["keypoints"].__setitem__(7, value)


@pytest.mark.parametrize(
    ("spoil", "code", "words"),
    [
        (lambda r: r.update(version=2), "pose_version", "version 2"),
        (lambda r: r.pop("version"), "pose_version", "None"),
        (lambda r: r.update(frames=[]), "pose_empty", "no frames"),
        (lambda r: [f.update(persons=[]) for f in r["frames"]], "pose_empty", "person"),
        (
            lambda r: [f["persons"][0].update(keypoints=[[5, 5, 0]] * NUM_KEYPOINTS) for f in r["frames"]],
            "pose_empty",
            "no point",
        ),
        (lambda r: r.update(fps=0), "pose_invalid", "fps"),
        (lambda r: r.update(fps=10**400), "pose_invalid", "fps"),
        (lambda r: r.update(fps=float("nan")), "pose_invalid", "fps is not a number"),
        (lambda r: r.update(size=[10**400, 480]), "pose_invalid", "size"),
        (lambda r: r["frames"][2].update(time_s=-(10**400)), "pose_invalid", "time_s of frame 2"),
        (first_point([10**400, 2, 1]), "pose_invalid", "of frame 1"),
        (lambda r: r.update(size=[640]), "pose_invalid", "size"),
        (lambda r: r.update(size=[640, "x"]), "pose_invalid", "size"),
        (first_point([1, 2]), "pose_invalid", "key point 7 of frame 1"),
        (first_point([1, 2, 3]), "pose_invalid", "key point 7 of frame 1"),
        (first_point([float("nan"), 2, 1]), "pose_invalid", "key point 7 of frame 1"),
        (first_point(["a", 2, 1]), "pose_invalid", "key point 7 of frame 1"),
        (lambda r: r["frames"][1]["persons"][0]["keypoints"].pop(), "pose_invalid", "frame 1 has 132"),
        (lambda r: r["frames"][1].pop("persons"), "pose_invalid", "frame 1"),
        (lambda r: r["frames"][1]["persons"][0].pop("id"), "pose_invalid", "frame 1"),
        (lambda r: r["frames"][1]["persons"].append(r["frames"][1]["persons"][0]), "pose_invalid", "twice"),
        (lambda r: r["frames"][3].update(time_s=0.0), "pose_invalid", "time_s does not grow at frame 3"),
        (lambda r: r.update(people=[]), "pose_invalid", "OpenPose"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, spoil, code, words):
    write_pose(tmp_path / "p.json", track(), 30.0)
    record = json.loads((tmp_path / "p.json").read_text())
    spoil(record)
    (tmp_path / "p.json").write_text(json.dumps(record))
    with pytest.raises(InputError, match=words) as caught:
        read_pose(tmp_path / "p.json")
    assert caught.value.code == code


@pytest.mark.parametrize(("text", "code"), [(None, "pose_missing"), ("{", "pose_unreadable"), ("[]", "pose_invalid")])
def test_what_is_no_pose_file(tmp_path, text, code):
    if text is not None:
        (tmp_path / "p.json").write_text(text)
    with pytest.raises(InputError, match=code):
        read_pose(tmp_path / "p.json")


def test_a_place_that_refuses_is_coded(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="output_unwritable"):
        write_pose(tmp_path / "file" / "p.json", track(), 30.0)
