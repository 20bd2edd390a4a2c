"""A driver moves the picture: what it shows stays exactly, what it does not show is dreamt."""

import json
from dataclasses import replace

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli import app
from omnihuman.config import ROOT
from omnihuman.errors import InputError
from omnihuman.latents.motion.parameters import INDEX, NUM_PARAMETERS, group_indices
from omnihuman.latents.motion.posing import pose
from omnihuman.media.footage import read_frames
from omnihuman.media.video import VideoWriter
from omnihuman.perception.keypoints import keypoints_of
from omnihuman.perception.pose_file import read_pose, write_pose
from omnihuman.perception.skeleton import draw_skeleton
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.types import Clip
from tests.tiny import draw_face, face_track, hum, tiny_parts, tiny_pipeline
from tests.unit.latents.drawn_reference import POINTS, drawn_reference

SIDE, FPS = 192, 25.0
HEAD, MOUTH, TORSO = (group_indices(group) for group in ("head", "mouth", "torso"))


class Actor:
    """Reports a performance instead of looking: frame after frame, nobody where the actor is away."""

    def __init__(self, parameters, away=()):
        self.parameters, self.away = parameters, set(away)

    def track(self, frames, fps, face=1):
        rig = drawn_reference().rig
        faces = []
        for number, _ in enumerate(frames):
            points = POINTS.copy()
            points[:468] = pose(rig, self.parameters[number])[:468]
            faces.append(None if number in self.away else points)
        return face_track(faces, fps)


def performance(count=60):
    t = np.arange(count)
    parameters = np.zeros((count, NUM_PARAMETERS), np.float32)
    parameters[:, INDEX["jaw_open"]] = np.clip(0.4 * np.sin(t / 3), 0, 1)
    parameters[:, INDEX["head_yaw_deg"]] = 9 * np.sin(t / 9)
    return parameters


def driven(away=(), count=60):
    parts = tiny_parts()
    return OmniHumanPipeline(replace(parts, tracker=Actor(performance(count), away)))


def clip(count=60, fps=FPS, sound=None):
    return Clip(np.zeros((count, 64, 64, 3), np.uint8), fps, sound)


def follows(found, name, count=60):
    return np.corrcoef(found[:count, INDEX[name]], performance(count)[:, INDEX[name]])[0, 1]


@pytest.fixture(scope="module")
def image():
    return draw_face()


def test_lips_and_head_follow_a_silent_video(image, tmp_path):
    result = driven()(image, drive=clip(), seed=1, size=SIDE, output=tmp_path / "a.mp4")
    assert result.duration_s == pytest.approx(60 / FPS)
    assert follows(result.parameters, "head_yaw_deg") > 0.98 and follows(result.parameters, "jaw_open") > 0.95
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert not container.streams.audio and container.streams.video
    record = json.loads((tmp_path / "a.json").read_text())
    assert set(record["inputs_sha256"]) == {"image", "drive"}
    assert record["driving"]["what"] == "lips, head and body from the video" and record["driving"]["sound"] == "none"


def test_with_speech_the_lips_are_the_speechs_and_the_head_is_the_videos(image):
    alone = driven()(image, drive=clip(), seed=1, size=SIDE)
    both = driven()(image, hum(2.4), drive=clip(), seed=1, size=SIDE, motion_strength=0.0)
    np.testing.assert_array_equal(both.parameters[:, HEAD], alone.parameters[:, HEAD])
    assert abs(follows(both.parameters, "jaw_open")) < 0.8
    speech = driven()(image, hum(2.4), seed=1, size=SIDE)
    assert np.abs(both.parameters[:, MOUTH] - alone.parameters[:, MOUTH]).max() > 0.01
    assert not np.array_equal(speech.parameters[:, HEAD], both.parameters[:, HEAD])
    # Nobody saw the torso: it is dreamt, and so it is scaled.
    assert not both.parameters[:, TORSO].any() and alone.parameters[:, TORSO].any()
    assert both.facts["driving"]["what"] == "lips from the sound, the rest from the video"


def test_the_videos_own_sound_becomes_the_sound_of_the_result(image, tmp_path):
    with VideoWriter(tmp_path / "d.mp4", FPS, hum(1.2), {}) as writer:
        for shade in range(40):
            writer.write(np.full((64, 64, 3), shade, np.uint8))
    result = driven()(image, drive=tmp_path / "d.mp4", seed=1, size=SIDE, output=tmp_path / "a.mp4")
    assert result.duration_s == pytest.approx(1.6)
    with av.open(str(tmp_path / "a.mp4")) as container:
        (sound,) = container.streams.audio
        assert float(sound.duration * sound.time_base) == pytest.approx(1.6, abs=0.05)
    assert result.facts["driving"]["sound"] == "the video's own"


def test_speech_that_outlasts_the_driver_is_taken_over_without_a_jump(image):
    result = driven()(image, hum(4.0), drive=clip(), seed=1, size=SIDE)
    assert len(result.parameters) == 100
    yaw = result.parameters[:, INDEX["head_yaw_deg"]]
    steps = np.abs(np.diff(yaw))
    assert follows(result.parameters, "head_yaw_deg") > 0.98 and steps[59] < 0.05
    assert yaw[85:].any() and np.abs(yaw[85:]).max() < 9


def test_speech_that_ends_first_ends_the_video(image):
    result = driven()(image, hum(1.0), drive=clip(), seed=1, size=SIDE)
    assert result.duration_s == pytest.approx(1.0)


def test_frames_without_the_person_are_dreamt(image):
    away = range(20, 45)
    found = driven(away)(image, drive=clip(), seed=1, size=SIDE)
    assert found.facts["driving"]["observed"] == pytest.approx(35 / 60, abs=1e-3)
    assert "58%" in found.facts["warnings"][0]
    seen = np.delete(np.arange(60), away)
    truth = performance()[seen, INDEX["head_yaw_deg"]]
    assert np.corrcoef(found.parameters[seen, INDEX["head_yaw_deg"]], truth)[0, 1] > 0.98
    # The tiny transformer's own motion is noise; where the person goes and comes back there is no step.
    steps = np.abs(np.diff(found.parameters[:, INDEX["head_yaw_deg"]]))
    assert steps[[19, 44]].max() < 0.5


@pytest.mark.parametrize("fps", [12.0, 30.0, 50.0])
def test_frame_rate_of_the_result(image, tmp_path, fps):
    result = driven()(image, drive=clip(30), fps=fps, seed=1, size=SIDE, output=tmp_path / "a.mp4")
    assert len(list(read_frames(tmp_path / "a.mp4"))) == result.facts["video"]["frames"] == round(1.2 * fps + 0.49)
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert float(container.streams.video[0].average_rate) == fps == result.fps


@pytest.mark.parametrize("driver_fps", [12.5, 30.0, 60.0])
def test_frame_rate_of_the_driver(image, driver_fps):
    count = 60
    result = driven(count=count)(image, drive=clip(count, driver_fps), seed=1, size=SIDE)
    assert len(result.parameters) == np.ceil(count / driver_fps * 25 - 1e-6)
    times = (np.arange(len(result.parameters)) + 0.5) / 25 * driver_fps - 0.5
    truth = np.interp(times, np.arange(count), performance(count)[:, INDEX["head_yaw_deg"]])
    assert np.corrcoef(result.parameters[:, INDEX["head_yaw_deg"]], truth)[0, 1] > 0.97


def test_progress_tells_of_watching(image):
    events = []
    driven()(image, drive=clip(), seed=1, size=SIDE, progress=events.append)
    assert [(e.done, e.total) for e in events if e.stage == "watch"][-1] == (60, 60)
    assert events[-1].remaining_s == 0.0


def test_drivers_that_cannot_work_are_coded(image, tmp_path):
    cases = [
        ({"drive": clip(1)}, "driver_too_short"),
        ({"drive": tmp_path / "none.mp4"}, "video_missing"),
        ({"drive": 3.0}, "video_unreadable"),
        ({"drive": "a.mp4", "pose": "b.json"}, "drivers_clash"),
    ]
    for fields, code in cases:
        with pytest.raises(InputError, match=code):
            driven()(image, **fields)
    with pytest.raises(InputError, match="driver_empty"):
        driven(away=range(60))(image, drive=clip())


def test_the_driver_is_never_overwritten(image, tmp_path):
    with VideoWriter(tmp_path / "d.mp4", FPS, None, {}) as writer:
        for shade in range(4):
            writer.write(np.full((64, 64, 3), shade, np.uint8))
    with pytest.raises(InputError, match="overwrite"):
        driven()(image, drive=tmp_path / "d.mp4", output=tmp_path / "d.mp4")


def test_a_pose_file_drives_with_and_without_speech(image, tmp_path):
    points = keypoints_of(Actor(performance()).track(range(60), FPS))
    write_pose(tmp_path / "p.json", points, FPS)
    alone = driven()(image, pose=tmp_path / "p.json", seed=1, size=SIDE)
    assert alone.duration_s == pytest.approx(60 / FPS)
    assert follows(alone.parameters, "head_yaw_deg") > 0.97 and follows(alone.parameters, "jaw_open") > 0.8
    assert alone.facts["driving"]["what"] == "lips, head and body from the pose track"
    assert set(alone.facts["inputs_sha256"]) == {"image", "pose"}
    both = driven()(image, hum(2.4), pose=tmp_path / "p.json", seed=1, size=SIDE)
    np.testing.assert_array_equal(both.parameters[:, HEAD], alone.parameters[:, HEAD])


def test_a_drawn_skeleton_drives_the_head(image, tmp_path):
    points = keypoints_of(Actor(performance()).track(range(60), FPS))
    shoulders = points.points.copy()
    shoulders[:, 5], shoulders[:, 6] = (400, 480), (112, 480)
    confidence = points.confidence.copy()
    confidence[:, 5:7] = 1.0
    with VideoWriter(tmp_path / "s.mp4", FPS, None, {}) as writer:
        for row, sure in zip(shoulders, confidence, strict=True):
            sure[23:] = 0
            writer.write(draw_skeleton(np.zeros((512, 512, 3), np.uint8), row, sure))
    result = driven()(image, pose=tmp_path / "s.mp4", seed=1, size=SIDE)
    assert follows(result.parameters, "head_yaw_deg") > 0.9


def test_pose_draw_and_extract_refuse_and_draw(tmp_path):
    points = keypoints_of(Actor(performance()).track(range(10), FPS))
    write_pose(tmp_path / "p.json", points, FPS)
    run = CliRunner().invoke
    done = run(
        app, ["pose", "draw", str(tmp_path / "p.json"), "--out", str(tmp_path / "s.mp4"), "--size", "256x256", "-q"]
    )
    assert done.exit_code == 0, done.output
    frames = list(read_frames(tmp_path / "s.mp4"))
    assert len(frames) == 10 and frames[0].shape == (256, 256, 3) and (frames[0] > 200).all(2).any()
    for words in (
        ["draw", str(tmp_path / "p.json"), "--out", str(tmp_path / "s.avi")],
        ["draw", str(tmp_path / "p.json"), "--out", str(tmp_path / "s2.mp4"), "--size", "12"],
        ["draw", str(tmp_path / "none.json"), "--out", str(tmp_path / "s2.mp4")],
        ["extract", str(tmp_path / "p.json"), "--out", str(tmp_path / "p.json")],
    ):
        assert run(app, ["pose", *words, "-q"]).exit_code == 2, words
    assert not (tmp_path / "s2.mp4").exists()


def test_extract_finds_the_drawn_character(model_handle, tmp_path):
    """With the real models: the face of `examples/`, its skeleton drawn over the picture."""
    for model_id in ("face-detector", "face-mesh", "body-pose", "hands"):
        model_handle(model_id)
    ada = ROOT / "examples" / "portrait_ada.png"
    words = [
        "pose",
        "extract",
        str(ada),
        "--out",
        str(tmp_path / "p.json"),
        "--draw",
        str(tmp_path / "p.mp4"),
        "--json",
    ]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["seen"]["face"] == 1.0
    found, _ = read_pose(tmp_path / "p.json")
    assert len(found.times_s) == 1 and found.confidence[0, 23:91].min() == 1
    assert len(list(read_frames(tmp_path / "p.mp4"))) == 1


def test_a_driver_that_ends_early_is_told_and_one_over_the_limit_is_refused(image):
    pipe = tiny_pipeline()
    driver = Clip(np.repeat(image[None], 5, 0), 25.0)
    result = pipe(image, hum(1.2), drive=driver, seed=1, size=192)
    assert result.facts["driving"]["observed"] == pytest.approx(5 / 30, abs=0.05)
    assert any("made up" in warning for warning in result.facts["warnings"])
    limits = pipe.parts.settings.limits.model_copy(update={"duration_s": 0.1})
    object.__setattr__(pipe.parts, "settings", pipe.parts.settings.model_copy(update={"limits": limits}))
    with pytest.raises(InputError, match="driver_too_long"):
        pipe(image, drive=Clip(np.repeat(image[None], 25, 0), 25.0), seed=1, size=192)
