"""What the parameters do to the mesh and to the pixels: lips, lids, head, body, and no tears anywhere."""

import numpy as np
import pytest

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.mesh import EYE_L, EYE_R, SKIN, inside_polygon, signed_areas
from omnihuman.latents.motion.parameters import HIGH, LOW, NAMES, vector
from omnihuman.latents.motion.posing import clip_parameters, lip_gaps, pose
from omnihuman.latents.motion.renderer import FrameRenderer
from tests.unit.latents.drawn_reference import drawn_reference, drawn_with_body

REFERENCE = drawn_reference()
RIG = REFERENCE.rig
IOD = RIG.frame.iod_px


def posed(**values):
    return pose(RIG, clip_parameters(vector(**values), RIG.frame))


def gap_iod(**values):
    return lip_gaps(posed(**values), RIG.frame) / IOD


def test_the_lips_open_steadily_with_the_jaw():
    gaps = [gap_iod(jaw_open=v).mean() for v in np.linspace(0, 1, 21)]
    assert (np.diff(gaps) > 0.003).all()
    assert gap_iod(jaw_open=1.0).max() > 0.25


@pytest.mark.parametrize("others", [{}, {"jaw_open": 0.6}, {"jaw_open": 1.0, "upper_lip_raise": 1.0, "funnel": 1.0}])
def test_a_full_seal_closes_whatever_else_is_asked(others):
    gaps = gap_iod(seal=1.0, **others)
    assert gaps.max() <= 0.006
    assert gaps.min() >= 0.0


def test_half_a_seal_halves_the_gap():
    whole, half = gap_iod(jaw_open=0.6).mean(), gap_iod(jaw_open=0.6, seal=0.5).mean()
    assert half == pytest.approx(whole / 2, rel=0.05)


def test_rounded_lips_are_narrow_and_spread_lips_wide():
    def width(**values):
        points = posed(**values)
        return np.linalg.norm(points[61] - points[291]) / IOD

    assert width(pucker=1.0) < 0.75 * width()
    assert width(stretch_l=1.0, stretch_r=1.0) > 1.35 * width()


def test_a_left_smile_lifts_the_left_corner_alone():
    moved = posed(smile_l=1.0) - RIG.points
    assert moved[291, 1] < -0.06 * IOD
    assert abs(moved[61, 1]) < 0.01 * IOD


def test_f_leaves_a_strip_for_the_upper_teeth_whatever_the_jaw_does():
    for jaw in (0.0, 0.2):
        assert 0.06 < gap_iod(labiodental=1.0, jaw_open=jaw)[4] < 0.09


@pytest.mark.parametrize("side", ["l", "r"])
def test_a_blink_closes_one_eye(side):
    def opening(points, which):
        first, last = topo.LID_CORNERS[which]
        x, y = points[[first, *topo.UPPER_LID[which], last, *topo.LOWER_LID[which][::-1]], :2].T
        return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1))

    other = "r" if side == "l" else "l"
    shut = posed(**{f"blink_{side}": 1.0})
    assert opening(shut, side) < 0.12 * opening(RIG.points, side)
    assert opening(shut, other) == pytest.approx(opening(RIG.points, other), rel=0.02)


def test_a_shut_eye_shows_skin_instead_of_the_iris():
    x, y = REFERENCE.eyes["l"].centre.round().astype(int)
    shut = FrameRenderer(REFERENCE).draw(vector(blink_l=1.0, blink_r=1.0))
    skin = REFERENCE.image[y + 30 : y + 45, x - 10 : x + 10].reshape(-1, 3).mean(0)
    before, after = (p[y - 4 : y + 1, x - 3 : x + 4].reshape(-1, 3).mean(0) for p in (REFERENCE.image, shut))
    assert np.linalg.norm(after - skin) < 0.6 * np.linalg.norm(before - skin)


@pytest.mark.parametrize(("name", "axis"), [("gaze_x", 1), ("gaze_y", 0)])
def test_the_iris_goes_where_the_gaze_goes(name, axis):
    x, y = REFERENCE.eyes["r"].centre.round().astype(int)

    def dark_middle(value):
        window = FrameRenderer(REFERENCE).draw(vector(**{name: value}))[y - 9 : y + 10, x - 18 : x + 19].sum(2)
        return np.argwhere(window < 260).mean(0)[axis]

    assert dark_middle(0.7) > dark_middle(0.0) + 1.0 > dark_middle(-0.7) + 2.0 - 0.5


def test_head_turns_and_shifts_go_the_way_the_table_says():
    nose = topo.NOSE_TIP
    assert (posed(head_yaw_deg=15) - RIG.points)[nose, 0] > 0.1 * IOD
    assert (posed(head_pitch_deg=15) - RIG.points)[nose, 1] > 0.1 * IOD
    assert (posed(head_roll_deg=15) - RIG.points)[topo.FOREHEAD, 0] > 0.1 * IOD
    shifted = posed(head_x=0.2, head_y=-0.1) - RIG.points
    np.testing.assert_allclose(shifted[nose, :2] / IOD, [0.2, -0.1], atol=0.01)


def test_the_torso_carries_the_head_and_stays_at_its_root():
    rig = drawn_with_body().rig

    def moved(**values):
        return pose(rig, clip_parameters(vector(**values), rig.frame)) - rig.points

    sway = moved(sway_x=0.08)
    assert sway[topo.NOSE_TIP, 0] == pytest.approx(0.08 * rig.body.width_px * rig.body.gain, rel=0.02)
    assert rig.body.gain > 0.2
    np.testing.assert_array_equal(sway[rig.points[:, 1] > rig.body.root[1]], 0)
    assert moved(lean_deg=5)[topo.FOREHEAD, 0] > 0
    assert moved(breathe=1)[topo.NOSE_TIP, 1] < 0
    shrug = moved(shrug_l=1)
    np.testing.assert_array_equal(shrug[:468], 0)
    assert shrug[:, 1].min() < -0.012 * rig.body.width_px
    assert (shrug[rig.points[:, 0] < 200, 1] > -0.01 * rig.body.width_px).all(), "the right shoulder stays"


def test_a_close_up_without_shoulders_has_no_torso_motion():
    assert REFERENCE.facts.torso_visible < 0.05
    np.testing.assert_allclose(posed(sway_x=0.08, lean_deg=5, breathe=1.5), RIG.points, atol=1e-3)


def test_no_pixel_of_the_face_is_uncovered_over_the_whole_range():
    rng = np.random.default_rng(5)
    renderer = FrameRenderer(REFERENCE)
    height, width = REFERENCE.image.shape[:2]
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).reshape(-1, 2).astype(np.float32)
    for _ in range(12):
        frame = rng.uniform(LOW, HIGH).astype(np.float32)
        drawn = renderer.draw(frame)
        assert drawn.shape == REFERENCE.image.shape
        oval = pose(RIG, clip_parameters(frame, RIG.frame))[list(topo.OVAL), :2]
        inside = inside_polygon(pixels, oval).reshape(height, width)
        assert (renderer.covered[inside] > 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_single_parameter_folds_the_skin(name):
    for value in (LOW[NAMES.index(name)], HIGH[NAMES.index(name)]):
        points = posed(**{name: float(value)})
        assert np.isfinite(points).all()
        skin = REFERENCE.mesh.triangles[REFERENCE.mesh.labels == SKIN]
        folded = signed_areas(points[:, :2], skin) < -0.5
        turning = name.startswith("head_")
        assert folded.mean() < (0.10 if turning else 0.03)


def test_values_beyond_the_range_and_nonsense_are_clipped():
    wild = vector(jaw_open=9.0, head_yaw_deg=-400.0, seal=float("nan"))
    clipped = clip_parameters(wild, RIG.frame)
    assert clipped[NAMES.index("jaw_open")] == 1.0
    assert clipped[NAMES.index("head_yaw_deg")] == -20.0
    assert clipped[NAMES.index("seal")] == 0.0


def test_an_open_mouth_shows_something_darker_than_lips_and_teeth_above():
    x, y = RIG.points[13, :2].round().astype(int)
    drawn = FrameRenderer(REFERENCE).draw(vector(jaw_open=0.6)).astype(int)
    lower_lip = posed(jaw_open=0.6)[14, 1]
    column = drawn[y + 2 : int(lower_lip) - 1, x - 3 : x + 4].mean(1)
    teeth, cavity = column[: len(column) // 4].max(0), column.min(0)
    assert teeth.min() > cavity.max() + 40
    assert np.ptp(teeth) < 60, "teeth are nearly grey"


def test_eye_triangles_keep_their_labels_apart():
    labels = REFERENCE.mesh.labels
    assert (labels == EYE_R).sum() == (labels == EYE_L).sum() == 14


def test_teeth_show_with_the_opening():
    """A slit is dark, a wide mouth has teeth: nothing white glints between lips that hardly part."""
    x = int(RIG.points[13, 0])

    def brightest(**values):
        points = posed(**values)
        top, bottom = int(np.floor(points[13, 1])), int(np.ceil(points[14, 1])) + 1
        return FrameRenderer(REFERENCE).draw(vector(**values))[top:bottom, x - 4 : x + 5].min(2).max()

    assert brightest(jaw_open=0.02) < 130 < 150 < brightest(jaw_open=0.5)
