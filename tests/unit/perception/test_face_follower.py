import numpy as np

from omnihuman.perception.face_follower import FaceFollower, colour_patch, patch_difference
from omnihuman.perception.face_landmarks import FaceLandmarks

RED, BLUE, GREEN = (200, 60, 50), (40, 60, 190), (60, 160, 70)


def face_at(x, side=60.0):
    points = np.full((478, 3), (x, 100, 0), np.float32)
    points[:468, :2] = np.stack([np.linspace(-1, 1, 468), np.linspace(1, -1, 468)], -1) * side / 2 + [x, 100]
    points[33], points[263] = (x - 12, 92, 0), (x + 12, 92, 0)
    return FaceLandmarks.from_points(points, 1.0)


class People:
    """A finder for pictures of coloured discs on black: each disc is a face; what is drawn last is in front."""

    def __init__(self):
        self.people = {}

    def picture(self, **places):
        """A picture with people (colour name -> x) in drawing order."""
        self.people = places
        image = np.zeros((200, 600, 3), np.uint8)
        y, x = np.mgrid[:200, :600]
        for name, place in places.items():
            image[np.hypot(x - place, y - 100) < 62] = globals()[name]
        return image

    def find(self, image, effort):
        front = list(self.people.values())
        seen = [x for k, x in enumerate(front) if all(abs(x - other) > 70 for other in front[k + 1 :])]
        return [face_at(x) for x in seen]

    def refine(self, image, roi, passes):
        close = [x for x in self.people.values() if abs(x - roi.x) < 60]
        return face_at(close[-1]) if close else None


def followed(pictures, first=1):
    people = People()
    follower = FaceFollower(people, first)
    return [None if (face := follower.step(people.picture(**p))) is None else round(face.roi.x) for p in pictures]


def crossing(steps=40):
    """RED stands, BLUE walks through in front."""
    return [{"RED": 300, "BLUE": 100 + 400 * k // (steps - 1)} for k in range(steps)]


def test_the_first_choice_is_kept_when_someone_passes_in_front():
    places = followed(crossing())
    assert places[0] == 300 and places[-1] == 300
    assert {place for place in places if place is not None} == {300}
    assert None in places


def test_the_passer_by_can_be_chosen_instead():
    assert followed(crossing(), first=2)[-1] == 500


def test_a_person_who_is_not_there_is_not_replaced_by_another():
    assert followed([{"RED": 300}, {"RED": 300, "GREEN": 100}], first=2) == [None, 100]
    assert followed([{"RED": 300}], first=5) == [None]


def test_a_short_loss_is_survived():
    assert followed([{"RED": 300}] * 3 + [{}] * 4 + [{"RED": 330}]) == [300] * 3 + [None] * 4 + [330]


def test_nobody_else_is_followed_when_the_person_leaves():
    assert followed([{"RED": 300}] * 3 + [{"GREEN": 300}] * 20)[-20:] == [None] * 20


def test_after_a_long_time_whoever_is_there_is_the_person():
    assert followed([{"RED": 300}] * 3 + [{"GREEN": 300}] * 120)[-1] == 300


def test_light_changes_little_and_another_person_much():
    people = People()
    image = people.picture(RED=300)
    noisy = np.clip(image.astype(int) + np.random.default_rng(1).integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    dark = (image * 0.85).astype(np.uint8)
    other = people.picture(BLUE=300)
    look, *others = (colour_patch(picture, face_at(300)) for picture in (image, noisy, dark, other))
    same, darker, stranger = (patch_difference(look, patch) for patch in others)
    assert same < darker < 10 < stranger
