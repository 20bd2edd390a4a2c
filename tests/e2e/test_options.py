"""Every pair of options, and a sample of triples: a video, or a coded line that names the clash. Never a trace."""

import itertools
import json
import random

import numpy as np
import pytest

from omnihuman.cli.schema import CONSTANT_FIELDS, option_name
from omnihuman.errors import OmniHumanError
from omnihuman.media.footage import read_frames
from omnihuman.media.image import write_image
from omnihuman.media.video import VideoWriter
from omnihuman.perception.keypoints import keypoints_of
from omnihuman.perception.landmark_file import landmark_record
from omnihuman.perception.pose_file import write_pose
from omnihuman.types import AnimationRequest, build_request
from tests.tiny import POINTS, draw_face, face_track, hum, tiny_pipeline

SIDE, FPS = 128, 25.0
SOURCES = ("audio", "say", "drive", "pose", "text")
RECORDED = {"audio", "drive", "pose"}
VALUES = {
    "audio": "talk.mp4", "say": "one two", "drive": "person.mp4", "pose": "track.json", "text": "smiles",
    "duration": 0.4, "trim": "0.08:0.32", "quality": "draft", "steps": 3, "guidance_audio": 2.0, "guidance_text": 0.5,
    "motion_strength": 0.5, "size": 97, "fps": 30.0, "face": 2, "landmarks": "face.json", "expression": "relative",
    "seed": 3, "embed_text": True,
}  # fmt: skip
FILES = {"audio", "drive", "pose", "landmarks"}
PAIRS = list(itertools.combinations(VALUES, 2))
TRIPLES = random.Random(0).sample(list(itertools.combinations(VALUES, 3)), 24)


def test_no_option_is_left_out():
    assert {*VALUES, "image", "preset"} == set(AnimationRequest.model_fields) - CONSTANT_FIELDS


def with_source(names):
    """The options, and something that drives: the sentence where only that makes sense, else the sound."""
    if set(names) & set(SOURCES):
        return names
    return (*names, "text" if {"duration", "guidance_text"} & set(names) else "audio")


def expected(names):
    """The code of the refusal, None where the options go together; the table of docs/command_line.md."""
    given = set(names)
    clashes = [
        ({"audio", "say"} <= given, "request_invalid"),
        ({"drive", "pose"} <= given, "drivers_clash"),
        ("duration" in given and bool(given & (RECORDED | {"say"})), "duration_clash"),
        ("trim" in given and not given & RECORDED, "trim_clash"),
        ("guidance_text" in given and "text" not in given, "guidance_clash"),
        ({"face", "landmarks"} <= given, "face_clash"),
        ("guidance_audio" in given and not given & {"audio", "say", "drive"}, "guidance_clash"),
        ("face" in given, "face_number_invalid"),
    ]
    return next((code for holds, code in clashes if holds), None)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """One file of every kind, half a second each."""
    path = tmp_path_factory.mktemp("options")
    picture = draw_face()[::4, ::4]
    write_image(path / "person.png", np.ascontiguousarray(picture))
    for name, sound in (("talk.mp4", hum(0.5)), ("person.mp4", None)):
        with VideoWriter(path / name, FPS, sound, {}) as writer:
            for _ in range(13):
                writer.write(np.ascontiguousarray(picture))
    points = np.load(POINTS)
    write_pose(path / "track.json", keypoints_of(face_track([points] * 13, FPS)), FPS)
    (path / "face.json").write_text(json.dumps(landmark_record(points, 512, 512)))
    return path


@pytest.fixture(scope="module")
def pipe():
    """The tiny pipeline; what it makes of a picture is kept, for that is not what is tested."""
    pipeline = tiny_pipeline()
    prepare, kept = pipeline.parts.space.prepare, {}

    def prepare_once(image, person):
        key = (image.shape, person.face, person.landmarks is None)
        if key not in kept:
            kept[key] = prepare(image, person)
        return kept[key]

    pipeline.parts.space.prepare = prepare_once
    return pipeline


def request_of(names, folder):
    fields = {name: str(folder / VALUES[name]) if name in FILES else VALUES[name] for name in names}
    return build_request({"image": str(folder / "person.png"), **fields}, option_name)


@pytest.mark.parametrize("pair", PAIRS, ids="+".join)
def test_a_pair_works_or_is_a_coded_refusal(pair, pipe, folder):
    names = with_source(pair)
    code = expected(names)
    if code is not None:
        with pytest.raises(OmniHumanError) as caught:
            pipe.animate(request_of(names, folder))
        assert caught.value.code == code and caught.value.exit_code == 2 and "\n" not in str(caught.value)
        return
    result = pipe.animate(request_of(names, folder))
    assert len(result.frames) == result.facts["video"]["frames"] == round(result.duration_s * result.fps)
    assert max(result.frames.shape[1:3]) == (98 if "size" in names else SIDE)
    assert result.fps == (30.0 if "fps" in names else FPS)
    if "trim" in names:
        # A spoken sentence sets the length and is not cut.
        assert "say" in names or 0.24 <= result.duration_s <= 0.24 + 2 / FPS


@pytest.mark.parametrize("triple", TRIPLES, ids="+".join)
def test_a_triple_works_or_is_a_coded_refusal(triple, pipe, folder, tmp_path):
    """And its record, read back from the file beside the video, repeats the run."""
    names = with_source(triple)
    target = tmp_path / "a.mp4"
    code = expected(names)
    if code is not None:
        with pytest.raises(OmniHumanError) as caught:
            pipe.animate(request_of(names, folder), target)
        assert caught.value.code == code and list(tmp_path.iterdir()) == []
        return
    made = pipe.animate(request_of(names, folder), target)
    settings = json.loads(target.with_suffix(".json").read_text())["settings"]
    again = AnimationRequest(**request_of(names, folder).model_dump() | settings)
    repeated = pipe.animate(again)
    np.testing.assert_array_equal(made.parameters, repeated.parameters)
    assert len(list(read_frames(target))) == len(repeated.frames)
    assert repeated.facts["settings"] == settings


BAD = [
    ({"audio": "talk.mp4", "trim": "3:4"}, "trim_outside"),
    ({"audio": "talk.mp4", "trim": "0.2:9"}, "trim_outside"),
    ({"audio": "talk.mp4", "trim": "0.2:0.22"}, "audio_too_short"),
    ({"drive": "person.mp4", "trim": "3:"}, "trim_outside"),
    ({"drive": "person.mp4", "trim": "0.1:4"}, "trim_outside"),
    ({"drive": "person.mp4", "trim": "0.1:0.12"}, "driver_too_short"),
    ({"pose": "track.json", "trim": "0.1:4"}, "trim_outside"),
    ({"pose": "track.json", "trim": "0.1:0.12"}, "driver_too_short"),
    ({"say": "one two three four", "drive": "person.mp4", "trim": "3:"}, "trim_outside"),
    ({"audio": "none.wav"}, "audio_missing"),
    ({"drive": "none.mp4"}, "video_missing"),
    ({"pose": "none.json"}, "pose_missing"),
    ({"say": "one", "landmarks": "none.json"}, "landmarks_missing"),
    ({"audio": "person.mp4"}, "audio_unreadable"),
    ({"drive": "person.png"}, "video_unreadable"),
]


@pytest.mark.parametrize(("fields", "code"), BAD, ids=[f"{'+'.join(f)}-{c}" for f, c in BAD])
def test_what_the_files_do_not_have_is_coded(fields, code, pipe, folder):
    whole = {name: str(folder / value) if name in FILES else value for name, value in fields.items()}
    with pytest.raises(OmniHumanError) as caught:
        pipe.animate(build_request({"image": str(folder / "person.png"), "size": SIDE, **whole}, option_name))
    assert caught.value.code == code


def test_a_narrow_picture_names_the_size_that_works(pipe, folder):
    write_image(folder / "narrow.png", np.zeros((400, 80, 3), np.uint8))
    with pytest.raises(OmniHumanError, match="size_impossible.*--size 320"):
        pipe.animate(build_request({"image": str(folder / "narrow.png"), "say": "one", "size": 128}))
