"""A driver's signals -> parameters: signs, neutrals, blinks at every frame rate, cuts, and key points without depth."""

from dataclasses import replace

import numpy as np
import pytest

from omnihuman.latents.motion.drive.body_signal import person_signal
from omnihuman.latents.motion.drive.face_signal import mesh_signal
from omnihuman.latents.motion.drive.fit import fit_face
from omnihuman.latents.motion.drive.fit_body import ArmRest, fit_body
from omnihuman.latents.motion.drive.follow import cuts, follow
from omnihuman.latents.motion.drive.timeline import Clock, soft_limited
from omnihuman.latents.motion.face.depth import head_frame
from omnihuman.latents.motion.parameters import GROUPS, HIGH, INDEX, LOW, NUM_PARAMETERS, SCALE, group_indices
from omnihuman.latents.motion.posing import pose
from omnihuman.latents.motion.space import SPEC
from omnihuman.metrics.driving import blink_times, events_agree
from omnihuman.perception.keypoints import FACE, keypoints_of
from tests.tiny import face_track
from tests.unit.latents.drawn_reference import POINTS, drawn_reference

FPS = 25.0


def acted(parameters, fps=FPS):
    """A driver of the drawn face's own build that performs `parameters`."""
    rig = drawn_reference().rig
    faces = []
    for frame in parameters:
        points = POINTS.copy()
        points[:468] = pose(rig, frame)[:468]
        faces.append(points)
    return face_track(faces, fps)


def performance(count=80):
    t = np.arange(count)
    parameters = np.zeros((count, NUM_PARAMETERS), np.float32)
    parameters[:, INDEX["jaw_open"]] = np.clip(0.5 * np.sin(t / 5), 0, 1)
    parameters[:, INDEX["head_yaw_deg"]] = 9 * np.sin(t / 11)
    parameters[:, INDEX["head_pitch_deg"]] = 6 * np.sin(t / 7)
    parameters[:, INDEX["head_roll_deg"]] = 6 * np.cos(t / 9)
    return parameters


def values_of(track):
    return track.values * SCALE


def standing(count=60):
    """A person at ease: arms hang, nothing moves."""
    person = face_track([POINTS] * count, FPS)
    body = np.zeros((count, 33, 3), np.float32)
    places = {7: (300, 200), 8: (212, 200), 11: (380, 300), 12: (132, 300), 13: (400, 400), 14: (112, 400),
              15: (405, 500), 16: (107, 500), 23: (320, 560), 24: (192, 560)}  # fmt: skip
    for number, place in places.items():
        body[:, number, :2] = place
    visibility = np.zeros((count, 33), np.float32)
    visibility[:, list(places)] = 0.9
    return replace(person, body=body, body_visibility=visibility)


def turned(person, joint, about, degrees):
    """The person with a joint turned about another by `N` degrees, clockwise in the image."""
    body = person.body.copy()
    ray = body[:, joint, :2] - body[:, about, :2]
    angle = np.radians(degrees)
    body[:, joint, 0] = body[:, about, 0] + np.cos(angle) * ray[:, 0] - np.sin(angle) * ray[:, 1]
    body[:, joint, 1] = body[:, about, 1] + np.sin(angle) * ray[:, 0] + np.cos(angle) * ray[:, 1]
    return replace(person, body=body)


def body_fit(person, rests=None):
    clock = Clock(person.times_s.astype(float), person.times_s.astype(float))
    return fit_body(person_signal(person), clock, rests or {})


def column(fit, name):
    return fit.values[:, INDEX[name]]


def test_key_points_without_depth_tell_nearly_the_same_as_the_mesh():
    person = acted(performance())
    mesh = values_of(follow(person, drawn_reference(), SPEC, lips=True))
    flat = follow(keypoints_of(person), drawn_reference(), SPEC, lips=True)
    for name, least in (("head_yaw_deg", 0.98), ("head_pitch_deg", 0.9), ("head_roll_deg", 0.98), ("jaw_open", 0.85)):
        assert np.corrcoef(values_of(flat)[:, INDEX[name]], mesh[:, INDEX[name]])[0, 1] > least, name
    assert not flat.mask[:, group_indices("gaze")].any(), "68 points show no iris"
    assert flat.mask[:, group_indices("head")].all()


def test_a_face_alone_says_nothing_of_the_body_and_speech_keeps_the_mouth():
    person = acted(performance(40))
    for lips in (True, False):
        track = follow(person, drawn_reference(), SPEC, lips)
        seen = {group: bool(track.mask[:, group_indices(group)].any()) for group in GROUPS}
        assert track.mask[:, group_indices("torso")].any(0).sum() == 1
        assert not track.values[:, INDEX["lean_deg"]].any(), "all roll is the head's"
        seen["torso"] = False
        assert seen == {**dict.fromkeys(GROUPS, True), "mouth": lips, "torso": False, "arms": False, "hands": False}
        assert (values_of(track) >= LOW - 1e-5).all() and (values_of(track) <= HIGH + 1e-5).all()
        assert not track.values[track.mask == 0].any()


@pytest.mark.parametrize("fps", [25.0, 30.0, 50.0, 60.0])
def test_no_blink_is_lost_at_any_frame_rate(fps):
    starts_s = np.array([0.6, 1.31, 2.07, 2.85])
    t = np.arange(int(3.6 * fps)) / fps
    parameters = np.zeros((len(t), NUM_PARAMETERS), np.float32)
    shut = ((t[:, None] >= starts_s) & (t[:, None] < starts_s + 0.1)).any(1)
    parameters[shut, INDEX["blink_l"]] = parameters[shut, INDEX["blink_r"]] = 1.0
    found = values_of(follow(acted(parameters, fps), drawn_reference(), SPEC, lips=True))
    aperture = 1 - found[:, [INDEX["blink_l"], INDEX["blink_r"]]].mean(1)
    times = blink_times(aperture, SPEC.times_s(len(found)))
    assert events_agree(times, starts_s + 0.05).value == 1.0
    assert all(aperture[np.abs(SPEC.times_s(len(found)) - s - 0.05) < 0.05].min() < 0.2 for s in starts_s)


def test_uneven_times_keep_their_place():
    truth = performance(80)
    person = acted(truth)
    kept = np.sort(np.random.default_rng(0).permutation(80)[:60])
    kept[0], kept[-1] = 0, 79
    uneven = face_track(list(person.face[kept]), FPS)
    found = values_of(follow(replace(uneven, times_s=person.times_s[kept]), drawn_reference(), SPEC, lips=True))
    assert len(found) == 80
    assert np.corrcoef(found[:, INDEX["head_yaw_deg"]], truth[:, INDEX["head_yaw_deg"]])[0, 1] > 0.99


def test_a_cut_makes_a_new_driver():
    person = acted(performance(80))
    jumped = person.face.copy()
    jumped[40:] = 1.8 * jumped[40:] + [400, 90, 0]
    cut = replace(person, face=jumped)
    assert cuts(person) == [] and cuts(cut) == [40]
    track = follow(cut, drawn_reference(), SPEC, lips=True)
    head = track.mask[:, INDEX["head_yaw_deg"]]
    assert not head[38:42].any() and head[:36].all() and head[44:].all()
    assert np.abs(values_of(track)[:, INDEX["head_x"]]).max() < 0.2


def test_arms_lift_outwards_on_either_side():
    swing = 30 * np.clip(np.sin(np.arange(60) / 6), 0, 1)
    for elbow, shoulder, sign, side in ((13, 11, -1, "l"), (14, 12, 1, "r")):
        fit = body_fit(turned(standing(), elbow, shoulder, sign * swing))
        lifted = column(fit, f"arm_shoulder_deg_{side}")
        assert np.corrcoef(lifted, swing)[0, 1] > 0.98 and lifted.max() > 15
        assert fit.mask[:, INDEX[f"arm_shoulder_deg_{side}"]].all()
        other = "r" if side == "l" else "l"
        assert not column(fit, f"arm_shoulder_deg_{other}").any()


def test_a_hanging_arm_is_not_pushed_into_the_body():
    """The driver's forearm is mostly up; the picture's hangs, and so does the driver's lowest pose."""
    swing = np.where(np.arange(60) < 45, 70.0, 0.0)
    person = turned(standing(), 15, 13, -swing)
    median = column(body_fit(person), "arm_elbow_deg_l")
    rest = ArmRest({"arm_elbow_deg": 8.0}, {"arm_elbow_deg": (-20.0, 40.0)})
    from_rest = column(body_fit(person, {"l": rest}), "arm_elbow_deg_l")
    assert median.min() < -20 and from_rest.min() > -5
    assert 30 < from_rest.max() <= 40 and np.corrcoef(from_rest, swing)[0, 1] > 0.95


def test_a_limb_towards_the_camera_is_not_believed():
    person = standing()
    body = person.body.copy()
    body[20:40, 13, :2] = body[20:40, 11, :2] + 5
    fit = body_fit(replace(person, body=body))
    mask = fit.mask[:, INDEX["arm_shoulder_deg_l"]]
    assert mask[:18].all() and mask[42:].all() and not mask[22:38].any()


def test_joints_that_are_not_seen_say_nothing_of_a_limbs_length():
    t = 20 * np.sin(np.arange(60) / 6)
    person = turned(standing(), 15, 13, t)
    body, visibility = person.body.copy(), person.body_visibility.copy()
    body[30:, 15], visibility[30:, 15] = 0.0, 0.0
    fit = body_fit(replace(person, body=body, body_visibility=visibility))
    mask = fit.mask[:, INDEX["arm_elbow_deg_l"]]
    assert mask[:28].all() and not mask[32:].any()
    assert abs(np.corrcoef(column(fit, "arm_elbow_deg_l")[:28], t[:28])[0, 1]) > 0.95


@pytest.mark.parametrize("seen", [20, 70])
def test_a_head_without_a_face_is_followed_however_seldom_it_is_seen(seen):
    points = keypoints_of(acted(performance()))
    confidence = points.confidence.copy()
    confidence[:, FACE] = 0
    confidence[seen:] = 0
    track = follow(
        replace(points, points=points.points * (confidence > 0)[..., None], confidence=confidence),
        drawn_reference(),
        SPEC,
        lips=True,
    )
    roll = values_of(track)[:seen, INDEX["head_roll_deg"]]
    assert np.isfinite(track.values).all() and track.mask[: seen - 1, INDEX["head_roll_deg"]].all()
    assert np.corrcoef(roll, performance()[:seen, INDEX["head_roll_deg"]])[0, 1] > 0.95


def test_an_iris_moves_as_far_as_the_driver_s():
    """What the eye draws for full gaze is what full gaze is read from."""
    look = np.array([0.0, 0.0, 0.4] * 20)
    faces = []
    for share in look:
        points = POINTS.copy()
        frame = head_frame(points)
        points[468:478] += 0.075 * share * frame.iod_px * frame.axes[:, 1]
        points[468:478] += 0.10 * share * frame.iod_px * frame.axes[:, 0]
        faces.append(points)
    fit = fit_face(
        mesh_signal(np.stack(faces)), np.ones(60, bool), Clock(*[np.arange(60) * 1.0] * 2), drawn_reference()
    )
    for name in ("gaze_x", "gaze_y"):
        assert fit.values[:, INDEX[name]] == pytest.approx(look, abs=0.03), name


def test_sway_lean_twist_and_shrug_have_their_signs():
    t = np.sin(np.arange(60) / 8)
    person = standing()
    body = person.body.copy()
    body[..., 0] += 8 * t[:, None]
    assert np.corrcoef(column(body_fit(replace(person, body=body)), "sway_x"), t)[0, 1] > 0.98
    body = person.body.copy()
    body[:, [11, 12], 0] += 15 * t[:, None]
    assert np.corrcoef(column(body_fit(replace(person, body=body)), "lean_deg"), t)[0, 1] > 0.98
    body = person.body.copy()
    body[:, 11, 2] -= 60 * t
    assert np.corrcoef(column(body_fit(replace(person, body=body)), "twist_deg"), t)[0, 1] > 0.98
    body = person.body.copy()
    body[25:40, 11, 1] -= 30
    fit = body_fit(replace(person, body=body))
    assert column(fit, "shrug_l")[30:35].min() > 0.5 and column(fit, "shrug_l")[:15].max() < 0.1
    assert not column(fit, "shrug_r").any() and not fit.mask[:, INDEX["breathe"]].any()


def test_a_fist_is_a_curl_and_an_unseen_hand_is_nothing():
    person = standing()
    hand = np.zeros((21, 2), np.float32)
    for finger in range(5):
        for joint in range(4):
            hand[1 + 4 * finger + joint] = [8.0 * (finger - 2), 30.0 + 12.0 * joint]
    hands, score = np.zeros((60, 2, 21, 3), np.float32), np.zeros((60, 2), np.float32)
    hands[:, 0, :, :2], score[:, 0] = hand, 0.9
    for finger in range(1, 5):
        hands[30:, 0, 2 + 4 * finger : 5 + 4 * finger, 1] = 30.0 + 4.0
    fit = body_fit(replace(person, hands=hands, hand_score=score))
    assert column(fit, "finger_curl_l")[:25].max() < 0.1 and column(fit, "finger_curl_l")[35:].min() > 0.5
    assert not fit.mask[:, INDEX["finger_curl_r"]].any()


def test_soft_limits_keep_the_shape():
    wave = np.sin(np.arange(200) / 9)
    for size in (0.5, 1.0, 3.0, 10.0):
        limited = soft_limited(size * wave, 1.0)
        assert np.abs(limited).max() <= 1.0 and np.corrcoef(limited, wave)[0, 1] > 0.9
    np.testing.assert_allclose(soft_limited(0.5 * wave, 1.0), 0.5 * wave)
