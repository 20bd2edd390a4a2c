import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.perception import body as joints
from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.face_geometry import head_pose_deg, iod_px
from omnihuman.perception.face_template import mean_mesh
from omnihuman.perception.pictured import PersonFinder, is_topped
from omnihuman.types import ANYBODY, PersonChoice

PICTURE = np.zeros((600, 400, 3), np.uint8)
IOD_PX = 60.0


def face_at(x, y, iod=IOD_PX, score=1.0):
    return FaceLandmarks.from_points((mean_mesh() * iod + [x, y, 0]).astype(np.float32), score)


def body_under(face, sideways=False):
    """A body whose head points lie on a face, or on its outline when it is seen from the side."""
    points = np.full((33, 3), (200, 300, 0), np.float32)
    middle = face.points[:, :2].mean(axis=0)
    points[:11, :2] = middle + [np.array([6.0, 0.0]) if sideways else 0.0]
    if not sideways:
        for number, landmark in ((0, 1), (1, 362), (3, 263), (4, 133), (6, 33), (9, 291), (10, 61)):
            points[number, :2] = face.points[landmark, :2]
        points[2, :2], points[5, :2] = face.points[473, :2], face.points[468, :2]
        points[7, :2], points[8, :2] = face.points[356, :2], face.points[127, :2]
    points[joints.SHOULDER_LEFT, :2] = middle + [100, 120]
    points[joints.SHOULDER_RIGHT, :2] = middle + [-100, 120]
    return BodyLandmarks(points, np.ones(33, np.float32), 0.9)


class Faces:
    """A detector that finds `faces`, and a mesh network that sees `hidden` where it is told to look."""

    def __init__(self, faces=(), hidden=None):
        self.faces, self.hidden, self.looked_at = list(faces), hidden, []

    def detect(self, image, max_faces=8):
        return self.faces

    def look(self, image, squares):
        self.looked_at = list(squares)
        return self.hidden


class Bodies:
    def __init__(self, faceless=None):
        self.faceless, self.asked = faceless, []

    def detect(self, image, face):
        self.asked.append(face)
        return body_under(face)

    def detect_faceless(self, image):
        return self.faceless


TWO = [face_at(120, 150, 80), face_at(300, 160, 50)]


def test_the_largest_face_is_taken_with_its_body():
    bodies = Bodies()
    person = PersonFinder(Faces(TWO), bodies).find(PICTURE, ANYBODY)
    assert person.face is TWO[0] and person.num_faces == 2 and person.face_seen
    assert bodies.asked == [TWO[0]]


def test_a_number_chooses():
    assert PersonFinder(Faces(TWO), Bodies()).find(PICTURE, PersonChoice(2)).face is TWO[1]


@pytest.mark.parametrize(("faces", "number"), [(TWO, 3), (TWO[:1], 2), ([], 2)])
def test_a_number_too_high_tells_how_many_there_are(faces, number):
    with pytest.raises(InputError, match=rf"face_number_invalid.*face {number} .*: {len(faces)}\."):
        PersonFinder(Faces(faces), Bodies()).find(PICTURE, PersonChoice(number))


def test_given_landmarks_need_no_detector():
    given = face_at(200, 300).points
    person = PersonFinder(Faces(TWO), None).find(PICTURE, PersonChoice(7, given))
    assert np.array_equal(person.face.points, given) and person.face_seen and person.body is None


def test_a_face_is_looked_for_where_the_body_has_its_head():
    hidden = face_at(200, 150, score=0.3)
    faces = Faces(hidden=hidden)
    person = PersonFinder(faces, Bodies(body_under(hidden))).find(PICTURE, ANYBODY)
    assert person.face is hidden and person.face_seen
    middle = hidden.points[:, :2].mean(axis=0)
    assert all(np.hypot(s.x - middle[0], s.y - middle[1]) < 0.4 * hidden.size_px for s in faces.looked_at)
    assert min(s.side_px for s in faces.looked_at) < 1.6 * hidden.size_px < max(s.side_px for s in faces.looked_at)


def test_a_face_elsewhere_is_not_the_face_of_the_body():
    away = face_at(350, 500, score=0.9)
    person = PersonFinder(Faces(hidden=away), Bodies(body_under(face_at(200, 150)))).find(PICTURE, ANYBODY)
    assert not person.face_seen


@pytest.mark.parametrize("sideways", [False, True], ids=["front", "side"])
def test_a_body_alone_carries_a_template_face_on_its_head(sideways):
    true = face_at(200, 150)
    person = PersonFinder(Faces(), Bodies(body_under(true, sideways))).find(PICTURE, ANYBODY)
    assert not person.face_seen and person.num_faces == 0
    apart = person.face.points[:, :2].mean(axis=0) - true.points[:, :2].mean(axis=0)
    assert np.hypot(*apart) < 0.3 * true.size_px
    assert iod_px(person.face.points) == pytest.approx(IOD_PX, rel=0.25)
    assert abs(head_pose_deg(person.face.points)[2]) < 5


def test_nobody_at_all_is_coded_and_names_the_way_out():
    for bodies in (None, Bodies()):
        with pytest.raises(InputError, match=r"face_not_found.*--landmarks"):
            PersonFinder(Faces(), bodies).find(PICTURE, ANYBODY)


def test_a_head_below_the_top_of_the_person_is_none():
    face = face_at(200, 300)
    matte = np.zeros((600, 400), np.float32)
    matte[230:] = 1.0
    assert is_topped(face, matte)
    matte[60:] = 1.0
    assert not is_topped(face, matte)
    assert is_topped(face_at(200, 40), matte)
