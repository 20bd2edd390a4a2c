"""A drawn skeleton is read back to within a few pixels, through a video and in either order of its colours."""

import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.media.footage import timed_frames
from omnihuman.media.video import VideoWriter
from omnihuman.perception.keypoints import NUM_KEYPOINTS
from omnihuman.perception.skeleton import COLOURS, draw_skeleton
from omnihuman.perception.skeleton_reader import read_skeleton, read_skeletons

STANDING = {
    0: (320, 90), 1: (335, 78), 2: (305, 78), 3: (355, 88), 4: (285, 88), 5: (390, 170), 6: (250, 170),
    7: (420, 250), 8: (215, 250), 9: (400, 320), 10: (190, 180), 11: (360, 330), 12: (280, 330), 13: (362, 420),
    14: (278, 420), 15: (364, 470), 16: (276, 470),
}  # fmt: skip


def person(shift=0.0):
    points, confidence = np.zeros((NUM_KEYPOINTS, 2)), np.zeros(NUM_KEYPOINTS)
    for number, place in STANDING.items():
        points[number], confidence[number] = np.add(place, (shift, 0)), 1.0
    points[9, 0] += 4 * shift
    return points, confidence


def canvas():
    return np.zeros((480, 640, 3), np.uint8)


def test_the_colours_are_the_usual_ones():
    assert COLOURS[:4] == ((255, 0, 0), (255, 85, 0), (255, 170, 0), (255, 255, 0)) and COLOURS[17] == (255, 0, 85)


def test_the_canvas_is_left_alone_and_unknown_points_are_not_drawn():
    ground = canvas()
    drawn = draw_skeleton(ground, *person())
    assert not ground.any() and drawn.any()
    assert not draw_skeleton(ground, person()[0], np.zeros(NUM_KEYPOINTS)).any()


@pytest.mark.parametrize("backwards", [False, True])
def test_drawn_written_and_read_back(tmp_path, backwards):
    path = tmp_path / "s.mp4"
    with VideoWriter(path, 25.0, None, {}) as writer:
        for shift in range(6):
            frame = draw_skeleton(canvas(), *person(shift))
            writer.write(frame[..., ::-1] if backwards else frame)
    times_s = list(np.arange(6) / 25)
    found = read_skeletons((frame for _, frame in timed_frames(path)), times_s, "s.mp4")
    for shift in range(6):
        points, confidence = person(shift)
        known = confidence > 0
        assert (found.confidence[shift][known] > 0).mean() > 0.9
        both = known & (found.confidence[shift] > 0)
        apart = np.linalg.norm(found.points[shift] - points, axis=1)[both]
        assert np.median(apart) < 2 and apart.max() < 6


def test_a_person_cut_by_the_border_keeps_the_limbs_that_are_seen():
    points, confidence = person()
    confidence[[7, 9, 11, 12, 13, 14, 15, 16]] = 0
    found = read_skeleton(draw_skeleton(canvas(), points, confidence))
    assert 4 in found.joints and 6 not in found.joints
    np.testing.assert_allclose(found.joints[4], points[10], atol=4)


def test_what_is_no_skeleton_is_coded():
    noise = np.random.default_rng(0).integers(0, 255, (4, 120, 160, 3)).astype(np.uint8)
    for frames in (noise, np.zeros_like(noise)):
        with pytest.raises(InputError, match="pose_unreadable"):
            read_skeletons(iter(frames), [0.0, 0.04, 0.08, 0.12], "x.mp4")
