"""Eyes: taken apart and put together elsewhere, shut under plain skin, found where drawings have them."""

import cv2
import numpy as np
import pytest

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.contours import widen_lids
from omnihuman.latents.motion.face.depth import head_frame
from omnihuman.latents.motion.face.eyeball import build_eyeball, iris_radius
from omnihuman.latents.motion.parameters import vector
from omnihuman.latents.motion.reference import build_reference
from omnihuman.latents.motion.renderer import FrameRenderer
from tests.unit.latents.drawn_reference import POINTS, drawn_matte, drawn_reference
from tests.unit.perception.drawn_face import draw_face

REFERENCE = drawn_reference()
FRAME = head_frame(POINTS)


def ring_of(points, side):
    first, last = topo.LID_CORNERS[side]
    return points[[first, *topo.UPPER_LID[side], last, *topo.LOWER_LID[side][::-1]], :2]


def area(ring):
    x, y = ring.T
    return abs(x @ np.roll(y, 1) - y @ np.roll(x, 1)) / 2


def big_eyed():
    """The drawn face with cartoon eyes: round whites of 44 pixels with irises of 24."""
    picture = draw_face()
    for x in (206, 306):
        cv2.circle(picture, (x, 262), 46, (226, 182, 156), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 262), 44, (250, 248, 244), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, 260), 24, (110, 60, 20), -1, cv2.LINE_AA)
    points = POINTS.copy()
    for side, x in (("r", 206), ("l", 306)):
        centre, *rim = topo.IRIS[side]
        points[centre, :2] = (x, 260)
        points[rim, :2] = [(x - 14, 260), (x, 246), (x + 14, 260), (x, 274)]
    return cv2.GaussianBlur(picture, (0, 0), 1.0), points


def test_the_rim_of_the_iris_is_found_and_a_flat_patch_keeps_the_guess():
    patch = np.full((80, 80, 3), 240, np.float32)
    cv2.circle(patch, (40, 40), 20, (60, 80, 70), -1)
    known = np.ones((80, 80), np.uint8)
    centre = np.array([40.0, 40.0], np.float32)
    assert iris_radius(patch, known, centre, 14.0) == pytest.approx(20, abs=1.5)
    assert iris_radius(np.full_like(patch, 200), known, centre, 14.0) == 14.0


def test_an_eye_is_taken_apart_into_white_and_a_whole_iris():
    picture = draw_face()
    ball = build_eyeball(picture, ring_of(POINTS, "l"), POINTS[473, :2], 11.0, FRAME.iod_px)
    x, y = (POINTS[473, :2] - ball.origin).round().astype(int)
    assert ball.white[y - 4 : y + 5, x - 6 : x + 7, :3].min() > 170, "no iris is left in the white"
    alpha = ball.iris[..., 3]
    assert alpha.sum() == pytest.approx(np.pi * ball.radius**2, rel=0.25)
    assert ball.iris[y - 3 : y + 4, x - 3 : x + 4, :3].max() < 120
    hidden = ball.iris[y - round(0.9 * ball.radius), x]
    assert hidden[3] > 0.9, "what the lid hides of the iris is there"
    assert hidden[:3].max() < 185


@pytest.mark.parametrize("look", [{"gaze_x": 0.8}, {"gaze_x": -0.8}, {"gaze_y": -0.8}])
def test_a_looking_eye_has_one_iris_of_the_same_size(look):
    def dark(frame):
        x, y = REFERENCE.eyes["l"].centre.round().astype(int)
        window = frame[y - 9 : y + 12, x - 22 : x + 23].astype(int)
        return (window.sum(2) < 300).astype(np.uint8)

    before, after = dark(REFERENCE.image), dark(FrameRenderer(REFERENCE).draw(vector(**look)))
    assert 0.35 * before.sum() < after.sum() < 1.35 * before.sum()
    count, _, stats, _ = cv2.connectedComponentsWithStats(after)
    assert count > 1
    assert stats[1:, cv2.CC_STAT_AREA].max() > 0.85 * after.sum(), "one blob, not an iris here and a rest of it there"


def test_a_shut_lid_is_plain_skin_without_streaks():
    shut = FrameRenderer(REFERENCE).draw(vector(blink_l=1.0)).astype(int)
    ring = ring_of(REFERENCE.rig.points, "l")
    left, right = int(ring[:, 0].min()) + 4, int(ring[:, 0].max()) - 3
    top, bottom = int(ring[:, 1].min()) + 2, int(np.median(ring[:, 1]))
    lid = shut[top:bottom, left:right]
    skin = np.median(REFERENCE.image[300:330, 290:330].reshape(-1, 3), 0)
    off = np.linalg.norm(lid - skin, axis=2)
    assert np.median(off) < 40
    assert lid.sum(2).max() < skin.sum() + 75, "nothing is brighter than skin: no white shines through"


def test_lids_that_hardly_move_are_left_to_the_picture():
    frame = FrameRenderer(REFERENCE).draw(vector(blink_l=0.02))
    x, y = REFERENCE.eyes["l"].centre.round().astype(int)
    above = slice(y - 45, y - 22), slice(x - 20, x + 20)
    assert np.abs(frame[above].astype(int) - REFERENCE.image[above]).max() < 30


def test_large_drawn_eyes_get_lids_where_they_are_drawn():
    picture, points = big_eyed()
    widened = widen_lids(picture, points, FRAME)
    for side, x in (("r", 206), ("l", 306)):
        ring = ring_of(widened, side)
        assert area(ring) > 2.5 * area(ring_of(points, side))
        distance = np.linalg.norm(ring - (x, 262), axis=1)
        assert distance.max() < 44 + 0.06 * FRAME.iod_px
        assert distance.min() > 32
        assert (widened[list(topo.UPPER_LID_FOLD[side]), 1] < widened[list(topo.UPPER_LID[side]), 1]).all()


def test_large_drawn_eyes_close():
    picture, points = big_eyed()
    reference = build_reference(picture, points, drawn_matte(), None)
    np.testing.assert_array_equal(FrameRenderer(reference).draw(vector()), picture)
    shut = FrameRenderer(reference).draw(vector(blink_l=1.0, blink_r=1.0))
    for x in (206, 306):
        window = np.s_[238:286, x - 38 : x + 38]
        white = (shut[window].min(2) > 225).mean()
        assert white < 0.10 < 0.3 < (picture[window].min(2) > 225).mean()


def test_human_eyes_keep_their_lids():
    picture = draw_face()
    moved = np.linalg.norm(widen_lids(picture, POINTS, FRAME)[:, :2] - POINTS[:468, :2], axis=1)
    assert moved.max() < 0.09 * FRAME.iod_px
