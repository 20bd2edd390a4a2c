"""A request becomes a video: the real pipeline and decoder with tiny models, every shipped preset."""

import json

import av
import numpy as np
import pytest
import torch

from omnihuman.config import configs_dir
from omnihuman.errors import InputError, InterruptedRun
from omnihuman.latents.motion.controls import SPEECH_COLUMNS
from omnihuman.media.audio import read_sound
from omnihuman.media.footage import read_frames, read_tags
from omnihuman.media.image import write_image
from omnihuman.types import AnimationRequest, Sound
from tests.tiny import draw_face, hum, tiny_pipeline

PRESETS = sorted(path.stem for path in configs_dir().glob("presets/*.yaml"))
SIDE = 192


@pytest.fixture(scope="module")
def pipe():
    return tiny_pipeline()


@pytest.fixture(scope="module")
def image():
    return draw_face()


@pytest.mark.parametrize("preset", PRESETS)
def test_every_preset_makes_a_video_with_its_record(preset, image, tmp_path):
    events = []
    picture, target = tmp_path / "person.png", tmp_path / "out" / "a.mp4"
    write_image(picture, image)
    request = AnimationRequest(image=picture, say="one two three four", seed=5, size=SIDE, preset=preset)
    result = tiny_pipeline(preset).animate(request, target, events.append)
    frames = list(read_frames(target))
    assert len(frames) == result.facts["video"]["frames"] and frames[0].shape == (SIDE, SIDE, 3)
    assert sorted(p.name for p in target.parent.iterdir()) == ["a.json", "a.mp4"]
    record = json.loads((target.parent / "a.json").read_text())
    assert record["settings"]["seed"] == 5 and record["settings"]["steps"] >= 1
    assert "AI-generated" in read_tags(target)["comment"]
    assert "one two" not in json.dumps(record) + json.dumps(read_tags(target))
    assert [e.stage for e in events if e.done == e.total][-1] == "render" and events[-1].remaining_s == 0.0
    assert np.abs(frames[0].astype(int) - frames[-1]).max() > 0


def test_sound_and_picture_end_together(pipe, image, tmp_path):
    sound = hum(1.33)
    pipe(image, sound, size=SIDE, seed=1, output=tmp_path / "a.mp4")
    with av.open(str(tmp_path / "a.mp4")) as container:
        lengths_s = [float(s.duration * s.time_base) for s in (*container.streams.video, *container.streams.audio)]
    assert max(abs(length_s - sound.duration_s) for length_s in lengths_s) < 1 / 25
    assert read_sound(tmp_path / "a.mp4").duration_s == pytest.approx(sound.duration_s, abs=0.04)


def test_same_seed_same_frames(pipe, image):
    one, two, other = (pipe(image, hum(0.6), seed=seed, size=SIDE) for seed in (7, 7, 8))
    assert np.array_equal(one.frames, two.frames) and one.facts["inputs_sha256"] == two.facts["inputs_sha256"]
    assert not np.array_equal(one.parameters, other.parameters)


def test_generator_is_a_seed(pipe, image):
    generator = torch.Generator().manual_seed(7)
    first, second = (pipe(image, hum(0.6), generator=generator, size=SIDE) for _ in range(2))
    again = pipe(image, hum(0.6), generator=torch.Generator().manual_seed(7), size=SIDE)
    assert first.seed == again.seed != second.seed and np.array_equal(first.frames, again.frames)
    for clip in (first, second):
        repeated = pipe(image, hum(0.6), seed=clip.seed, size=SIDE)
        assert np.array_equal(clip.frames, repeated.frames)
    with pytest.raises(InputError, match="request_invalid"):
        pipe(image, hum(0.6), seed=1, generator=generator)


def test_long_sound_is_windowed(pipe, image):
    result = pipe(image, hum(11.0), seed=3, size=128, motion_strength=0.0)
    assert result.frames.shape[0] == 275 and result.parameters.shape[0] == 275
    assert len({frame.tobytes() for frame in result.frames}) > 100


def test_a_cut_out_brings_its_own_outline(pipe, image, tmp_path, monkeypatch):
    """The transparency of the file, scaled with it, is what the space takes for the person; a frame's is not."""
    from PIL import Image as PillowImage

    taken, prepare = [], pipe.parts.space.prepare

    def spy(picture, person):
        reference = prepare(picture, person)
        taken.append((person.alpha, reference.layers.residual[..., 3]))
        return reference

    monkeypatch.setattr(pipe.parts.space, "prepare", spy)
    y, x = np.mgrid[: len(image), : image.shape[1]] / len(image)
    head = ((x - 0.5) / 0.25) ** 2 + ((y - 0.5) / 0.4) ** 2 < 1
    bust = head | (((x - 0.5) / 0.45) ** 2 + ((y - 1.0) / 0.2) ** 2 < 1)
    for shape in (bust, np.hypot(x - 0.5, y - 0.5) < 0.5):
        PillowImage.fromarray(np.dstack([image, np.uint8(255) * shape])).save(tmp_path / "cut.png")
        pipe(image=tmp_path / "cut.png", audio=hum(0.2), seed=1, size=192)
    (alpha, person), (ignored, _) = taken
    assert ignored is None and alpha.shape == person.shape
    assert np.abs(person - alpha)[alpha > 0.05].max() < 1e-6
    assert abs(float(alpha.mean()) - float(bust.mean())) < 0.02


def test_no_motion_is_the_picture(pipe, image):
    """Silence, no strength: lips rest; zero parameters give the picture back bit for bit."""
    reference = pipe.parts.space.prepare(image)
    (frame,) = pipe.parts.space.decode(torch.zeros(1, pipe.parts.space.spec.channels, 1), reference)
    assert np.array_equal(frame, image)


@pytest.mark.parametrize(
    ("stage", "done", "kept"),
    [("denoise", 3, []), ("render", 0, []), ("render", 3, ["a.partial.mp4"]), ("render", 25, ["a.partial.mp4"])],
)
def test_stopped_at_any_step_or_frame_it_leaves_a_partial_or_nothing(pipe, image, tmp_path, stage, done, kept):
    def stop(event):
        if event.stage == stage and event.done == done:
            raise KeyboardInterrupt if done == 3 else InterruptedRun("interrupted", "stopped", "again")

    with pytest.raises((KeyboardInterrupt, InterruptedRun)):
        pipe(image, hum(1.0), size=SIDE, seed=1, output=tmp_path / "a.mp4", progress=stop)
    assert [path.name for path in tmp_path.iterdir()] == kept
    if kept:
        assert len(list(read_frames(tmp_path / "a.partial.mp4"))) == done
        assert "AI-generated" in read_tags(tmp_path / "a.partial.mp4")["comment"]


def test_steps_are_counted_one_by_one_and_notes_are_recorded(pipe, image, tmp_path):
    events = []
    write_image(tmp_path / "person.png", image)
    request = AnimationRequest(image=tmp_path / "person.png", say="hello", steps=5, size=SIDE)
    result = pipe.animate(request, progress=events.append, notes=["made smaller"])
    assert [event.done for event in events if event.stage == "denoise"] == [0, 1, 2, 3, 4, 5]
    assert result.facts["warnings"][0] == "made smaller"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "nothing_drives"),
        ({"say": "  "}, "text_empty"),
        ({"say": "hello", "output": "a.avi"}, "output_invalid"),
        ({"say": "hello", "output": "."}, "output_invalid"),
    ],
)
def test_requests_that_cannot_work_are_refused_at_once(pipe, image, fields, code):
    with pytest.raises(InputError, match=code):
        pipe(image, **fields)


def test_output_never_overwrites_an_input(pipe, image, tmp_path):
    sound = tmp_path / "talk.mp4"
    pipe(image, hum(0.5), size=SIDE, output=sound)
    before = sound.read_bytes()
    with pytest.raises(InputError, match="overwrite"):
        pipe(image, sound, output=sound)
    assert sound.read_bytes() == before


def test_odd_sizes_are_recorded_as_they_are_written(pipe, image, tmp_path):
    result = pipe(image[:511, :401], hum(0.3), seed=1, output=tmp_path / "a.mp4")
    frame = next(read_frames(tmp_path / "a.mp4"))
    assert frame.shape[:2] == (512, 402) == (result.facts["video"]["height"], result.facts["video"]["width"])


def test_spoken_text_cannot_be_guessed_from_the_record(pipe, image):
    assert "audio" not in pipe(image, say="secret", seed=1, size=128).facts["inputs_sha256"]
    assert "audio" in pipe(image, say="secret", seed=1, size=128, embed_text=True).facts["inputs_sha256"]


@pytest.mark.parametrize("fields", [{"steps": 0}, {"say": "a"}, {"seed": -1}])
def test_bad_arguments_are_coded(pipe, image, fields):
    with pytest.raises(InputError, match="request_invalid"):
        pipe(image, hum(0.3), **fields)


def test_a_request_for_another_preset_is_refused(pipe):
    with pytest.raises(InputError, match="preset"):
        pipe.animate(AnimationRequest(image="a.png", say="hello", preset="tiny"))


def test_nobody_in_the_picture_is_coded(pipe, tmp_path):
    with pytest.raises(InputError, match="face_not_found"):
        pipe(np.full((256, 256, 3), 90, np.uint8), hum(0.5), output=tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == []


def test_silence_is_a_warning_and_a_resting_mouth(pipe, image):
    silent = hum(0.6)
    silent = type(silent)(silent.samples * 0, silent.rate_hz)
    result = pipe(image, silent, seed=1, size=SIDE)
    assert result.facts["warnings"] and not result.parameters[:, 0].any()


def test_what_was_heard_is_recorded_and_a_sound_without_a_voice_warns(pipe, image):
    steady = np.random.default_rng(0).standard_normal(16000).astype(np.float32) * 0.05
    result = pipe(image, Sound(steady, 16000), seed=1, size=SIDE)
    assert result.facts["heard"]["noise_or_music"] == 1.0
    assert any("no voice is heard" in warning for warning in result.facts["warnings"])
    assert not result.parameters[:, SPEECH_COLUMNS].any()
    spoken = pipe(image, hum(1.0), seed=1, size=SIDE)
    assert spoken.facts["heard"]["speech"] > 0.5 and not any("voice" in w for w in spoken.facts["warnings"])
