"""The bench of pictures: what it holds, what it reads, and that it says so when something is broken."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli.evaluate import app
from omnihuman.evaluation.pictures import invariants
from omnihuman.evaluation.pictures.bench import PictureVerdict
from omnihuman.evaluation.pictures.invariants import Check, check_invariants
from omnihuman.evaluation.pictures.poses import BODY_POSES, FACE_POSES, random_poses
from omnihuman.evaluation.pictures.quantities import QUANTITIES, expression_of, gaze_of, place_of
from omnihuman.evaluation.pictures.redetection import Readers, asked, compare, read_poses
from omnihuman.evaluation.pictures.report import header, markdown_of, missed, record_of, rows_of
from omnihuman.evaluation.pictures.settings import load_picture_settings
from omnihuman.evaluation.pictures.sheets import head_sheet
from omnihuman.latents.motion.parameters import HIGH, LOW, vector
from omnihuman.media.image import write_image
from tests.unit.latents.drawn_reference import POINTS, drawn_reference

REFERENCE = drawn_reference()
FAR_IOD = 0.75
SETTINGS = load_picture_settings().model_copy(update={"fuzz_frames": 3})


def test_the_drawn_face_holds_every_invariant():
    checks = check_invariants(REFERENCE, SETTINGS, np.random.default_rng(0), drawn=False)
    assert {check.name: check.met for check in checks} == {check.name: True for check in checks}


def test_a_changed_picture_is_no_zero_difference():
    image = REFERENCE.image.copy()
    image[100, 100] ^= 8
    assert invariants.zero_difference(replace(REFERENCE, image=image)) == 8


def test_a_missing_triangle_uncovers_pixels():
    torn = replace(REFERENCE, order=replace(REFERENCE.order, face=REFERENCE.order.face[40:]))
    assert invariants.uncovered_pixels(torn, vector()[None]) > 20
    assert invariants.uncovered_pixels(REFERENCE, vector()[None]) == 0


def test_lips_and_lids_that_do_not_answer_are_noticed():
    shapes = REFERENCE.rig.basis.shapes.copy()
    names = list(REFERENCE.rig.basis.names)
    for name in ("jaw_open", "blink_l"):
        shapes[names.index(name)] = 0
    stiff = replace(REFERENCE, rig=replace(REFERENCE.rig, basis=replace(REFERENCE.rig.basis, shapes=shapes)))
    assert invariants.jaw_step(stiff) < SETTINGS.least_jaw_step_iod < invariants.jaw_step(REFERENCE)
    assert invariants.blink_left(stiff) > 0.9 > 0.25 > invariants.blink_left(REFERENCE)
    columns = replace(REFERENCE.rig.basis, columns=0 * REFERENCE.rig.basis.columns)
    assert invariants.sealed_gap(replace(REFERENCE, rig=replace(REFERENCE.rig, basis=columns))) > 0.1


def test_a_background_that_bends_with_the_head_is_noticed():
    assert invariants.far_background(REFERENCE, FAR_IOD) == 0
    whole = replace(REFERENCE, rig=replace(REFERENCE.rig, head_weight=np.ones_like(REFERENCE.rig.head_weight)))
    everywhere = replace(whole, layers=replace(whole.layers, background=255 - whole.layers.background))
    assert invariants.far_background(everywhere, FAR_IOD) > 0
    assert math.isnan(invariants.far_background(REFERENCE, 50.0))


def test_a_check_without_material_holds_and_bounds_work_both_ways():
    assert Check("x", math.nan, "", 0).met
    assert not Check("x", 0.1, "", 0).met
    assert not Check("x", 0.1, "", 0.2, at_most=False).met


def test_random_poses_stay_in_the_table_and_repeat_with_the_seed():
    first, again = (random_poses(np.random.default_rng(4), 50) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first >= LOW - 1e-6).all()
    assert (first <= HIGH + 1e-6).all()
    assert (random_poses(np.random.default_rng(5), 50) != first).any()
    assert all((p.parameters >= LOW).all() and (p.parameters <= HIGH).all() for p in FACE_POSES + BODY_POSES)


def test_quantities_follow_the_geometry():
    points = POINTS[:468].copy()
    before = expression_of(points)
    raised = points.copy()
    raised[[300, 293, 334, 296, 336, 276, 283, 282, 295, 285], 1] -= 10
    after = expression_of(raised)
    assert after["brow_l"] > before["brow_l"] + 0.03
    assert after["brow_r"] == pytest.approx(before["brow_r"])
    moved = place_of(points + np.array([5, -3, 0]), 100.0)
    rest = place_of(points, 100.0)
    assert moved["shift_x"] - rest["shift_x"] == pytest.approx(0.05, abs=1e-5)
    assert moved["shift_y"] - rest["shift_y"] == pytest.approx(-0.03, abs=1e-5)
    assert place_of(2 * points, 100.0)["scale"] == pytest.approx(2 * rest["scale"], rel=1e-5)
    irises = {"l": POINTS[473, :2], "r": POINTS[468, :2]}
    looking = {side: place + [4.0, 2.0] for side, place in irises.items()}
    assert gaze_of(points, looking)["gaze_x"] > gaze_of(points, irises)["gaze_x"] + 0.01
    assert gaze_of(points, looking)["gaze_y"] > gaze_of(points, irises)["gaze_y"] + 0.005


def test_what_is_asked_is_measured_on_the_posed_mesh():
    wanted, _ = asked(REFERENCE, vector(jaw_open=0.5, head_yaw_deg=-7, head_x=0.2, gaze_x=0.5))
    rest, rest_centre = asked(REFERENCE, vector())
    assert wanted["yaw"] == -7
    assert wanted["lip_gap"] > rest["lip_gap"] + 0.08
    centre = asked(REFERENCE, vector(head_x=0.2))[1]
    assert centre[0] - rest_centre[0] > 0.15 * REFERENCE.rig.frame.iod_px
    assert wanted["gaze_x"] > 0.03
    assert math.isnan(asked(REFERENCE, vector(blink_l=1, blink_r=1))[0]["gaze_x"]), "a shut eye shows no iris"


def test_lost_faces_lower_the_found_share_not_the_agreement():
    values = [dict.fromkeys(QUANTITIES, float(k)) for k in range(20)]
    result = compare([(value, None if k % 4 == 0 else value) for k, value in enumerate(values)])
    assert result.found == 0.75
    assert result.agreements["yaw"].correlation == pytest.approx(1.0)
    assert result.agreements["yaw"].count == 15


def verdict(name, r, drawn=False):
    noise = np.random.default_rng(0).normal(size=60)
    base = np.linspace(-1, 1, 60)
    read = base if r else noise
    pairs = [
        (dict.fromkeys(QUANTITIES, float(a)), dict.fromkeys(QUANTITIES, float(b)))
        for a, b in zip(base, read, strict=True)
    ]
    checks = [Check("zero_difference", 0.0, "levels", 0), Check("blink_left", 0.4, "share", 0.25, binding=not drawn)]
    return PictureVerdict(name, drawn, checks, compare(pairs), 1.0, 5.0, {"width": 4}, [f"{name}_head.png"])


def test_the_report_names_what_is_missed():
    good, bad = verdict("good", r=True, drawn=True), verdict("bad", r=False)
    assert missed(good, SETTINGS) == []
    assert good.met(SETTINGS)
    assert not bad.met(SETTINGS)
    text = " ".join(missed(bad, SETTINGS))
    assert "blink_left 0.4" in text
    assert "lip_gap" in text
    record = json.loads(json.dumps(record_of([good, bad], SETTINGS, 0)))
    assert record["pictures"]["good"]["met"]
    assert not record["met"]
    assert not record["pictures"]["bad"]["bars"]["yaw"]["met"]
    rows = rows_of([good, bad], SETTINGS)
    assert all(len(row) == len(header()) for row in rows)
    page = markdown_of([good, bad], SETTINGS)
    assert "![bad_head.png](bad_head.png)" in page
    assert page.count("!|") == 0
    assert "1.00 (1.00)" in page


def test_a_sheet_shows_every_pose_in_a_tile_of_its_own():
    sheet = head_sheet(REFERENCE, FACE_POSES[:7])
    assert sheet.shape[0] > 2 * 380
    assert sheet.shape[1] > 6 * 380
    assert (sheet[:380, :380] != sheet[:380, 2 * 384 : 2 * 384 + 380]).any(), "rest and an open mouth differ"


def run(*arguments):
    return CliRunner().invoke(app, ["pictures", *(str(argument) for argument in arguments)])


def test_the_command_refuses_nothing_and_repeated_names(tmp_path):
    result = run("--out", tmp_path, "--json")
    assert json.loads(result.stdout)["error"]["code"] == "pictures_missing"
    write_image(tmp_path / "one.png", REFERENCE.image)
    result = run(tmp_path / "one.png", "--drawn", tmp_path / "one.png", "--out", tmp_path, "--json")
    assert json.loads(result.stdout)["error"]["code"] == "names_repeated"
    (tmp_path / "file").touch()
    result = run(tmp_path / "one.png", "--out", tmp_path / "file" / "folder", "--json")
    assert result.exit_code == 3


def test_poses_are_found_again_by_other_networks(model_handle):
    from omnihuman.perception.face import FacePerception

    readers = Readers(
        FacePerception(model_handle("face-detector"), model_handle("face-mesh")),
        model_handle("face-mesh-plain"),
        model_handle("iris"),
    )
    poses = np.stack(
        [
            vector(head_yaw_deg=y, jaw_open=j)
            for y, j in zip(np.linspace(-15, 15, 9), np.linspace(0, 0.6, 9), strict=True)
        ]
    )
    result = compare(list(read_poses(REFERENCE, poses, readers)))
    assert result.found == 1.0
    assert result.agreements["lip_gap"].correlation > 0.9
    assert result.agreements["yaw"].correlation > 0.95
