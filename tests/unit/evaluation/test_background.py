import numpy as np
import pytest

from omnihuman.evaluation.background import measure_background, person_area


class NoFace:
    """Finds nobody."""

    def detect(self, image, max_faces=8):
        return []


class BrightPerson:
    """Whatever is bright is the person."""

    def estimate(self, image, face):
        return (image[..., 0] > 200).astype(np.float32)


def walk(num_frames, flicker=0):
    """A bright square that moves over a grey ground, which may brighten."""
    frames = []
    for i in range(num_frames):
        frame = np.full((100, 100, 3), 90 + flicker * i, np.uint8)
        frame[40:60, 20 + 2 * i : 40 + 2 * i] = 255
        frames.append(frame)
    return frames


def test_the_persons_area_covers_all_samples_with_a_margin():
    frames = walk(10)
    area = person_area([frames[0], frames[9]], NoFace(), BrightPerson())
    assert area[50, 20:58].all()
    assert area[50, 18] == 1.0
    assert area[50, 70] == 0.0


@pytest.mark.parametrize(("flicker", "change"), [(0, 0.0), (2, 10.0)])
def test_a_moving_person_does_not_count_and_a_flickering_ground_does(flicker, change):
    frames = walk(10, flicker)
    measured = measure_background(lambda: iter(frames), len(frames), NoFace(), BrightPerson())
    assert measured.value == pytest.approx(change)
