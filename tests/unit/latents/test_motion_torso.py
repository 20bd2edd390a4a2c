"""The turn of the upper body: shoulders turn, hips and head stay, and it is a turn, not a shear."""

from dataclasses import replace

import numpy as np
import pytest

from omnihuman.latents.motion.body.torso import build_body_field, locate_torso, move_body
from omnihuman.latents.motion.face.depth import head_frame
from omnihuman.latents.motion.face.mesh import signed_areas
from omnihuman.latents.motion.parameters import INDEX, vector
from omnihuman.latents.motion.posing import clip_parameters, pose
from omnihuman.perception.body import BodyLandmarks
from tests.unit.latents.drawn_body import SHOULDERS, drawn_body

DRAWN = drawn_body()
REFERENCE = DRAWN.prepared()
TORSO = locate_torso(DRAWN.body, head_frame(DRAWN.landmarks), 640, 512)


def moved(points, torso=TORSO, **values):
    points = np.array(points, np.float32)
    out = points.copy()
    move_body(
        build_body_field(points, np.zeros(len(points), np.float32), torso), out, dict.fromkeys(INDEX, 0.0) | values
    )
    return out


def shoulder_distance(torso=TORSO, **values):
    left, right = moved([SHOULDERS["l"], SHOULDERS["r"]], torso, **values)
    return np.linalg.norm(left - right)


@pytest.mark.parametrize("twist", [-12.0, 12.0])
def test_seen_from_the_front_a_turn_brings_the_shoulders_together(twist):
    assert shoulder_distance(twist_deg=twist) < 0.995 * shoulder_distance()


def test_half_turned_shoulders_go_apart_one_way_and_together_the_other():
    points = DRAWN.body.points.copy()
    points[11, 2], points[12, 2] = 60.0, -60.0
    body = BodyLandmarks(points, DRAWN.body.visibility, 0.95)
    torso = locate_torso(body, head_frame(DRAWN.landmarks), 640, 512)
    apart, together = shoulder_distance(torso, twist_deg=12.0), shoulder_distance(torso, twist_deg=-12.0)
    assert apart > 1.01 * shoulder_distance(torso)
    assert together < 0.99 * shoulder_distance(torso)


def test_the_breast_goes_further_than_the_sides_and_the_hips_not_at_all():
    centre = (SHOULDERS["l"] + SHOULDERS["r"]) / 2 + [0, 30]
    points = [centre, centre + [70, 0], centre - [70, 0], TORSO.root]
    shift = moved(points, twist_deg=12.0) - np.array(points)
    assert shift[0, 0] > 6
    assert shift[0, 0] > 2 * abs(shift[1, 0]) and shift[0, 0] > 2 * abs(shift[2, 0])
    assert np.abs(shift[3]).max() < 1e-3
    back = moved(points, twist_deg=-12.0) - np.array(points)
    assert back[0, 0] == pytest.approx(-shift[0, 0], rel=0.1)


def test_the_side_that_comes_nearer_grows():
    left, right = SHOULDERS["l"] + [0, 60], SHOULDERS["r"] + [0, 60]
    shift = moved([left, right], twist_deg=12.0) - [left, right]
    assert shift[0, 1] < -0.3 and shift[1, 1] > 0.3


def test_a_turn_leaves_the_face_where_it_is_and_folds_nothing():
    points = pose(REFERENCE.rig, clip_parameters(vector(twist_deg=12.0), REFERENCE.rig.frame))
    assert np.abs(points - REFERENCE.rig.points)[:468].max() < 0.05
    mesh = REFERENCE.mesh
    before = signed_areas(mesh.points, mesh.triangles)
    after = signed_areas(points[: len(mesh.points), :2], mesh.triangles)
    assert (after[before > 0.5] > 0).all()


def test_a_torso_that_is_hardly_seen_hardly_turns():
    full = np.abs(moved([SHOULDERS["l"] - [60, -30]], twist_deg=12.0) - (SHOULDERS["l"] - [60, -30])).max()
    hidden = replace(TORSO, visible=0.05)
    little = np.abs(moved([SHOULDERS["l"] - [60, -30]], hidden, twist_deg=12.0) - (SHOULDERS["l"] - [60, -30])).max()
    assert little < 0.15 * full
