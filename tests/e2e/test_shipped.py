"""The product as a person meets it: the command line with the real models and the drawn character of `examples/`."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from omnihuman.config import ROOT
from omnihuman.media.footage import read_frames
from omnihuman.media.image import read_image
from omnihuman.perception.face import FacePerception
from omnihuman.perception.face_geometry import inner_lip_gap
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.pipeline.preset import load_preset
from omnihuman.speech.inventory import BILABIALS, VOWELS

ADA = ROOT / "examples" / "portrait_ada.png"
SENTENCE = "Maybe my baby will buy a big apple pie from Bob."


@pytest.fixture(params=["motion", "tiny"])
def preset(request, model_handle):
    for model_id in load_preset(request.param).model_ids:
        model_handle(model_id)
    return request.param


def test_one_command_makes_a_marked_video(preset, tmp_path):
    command = [sys.executable, "-m", "omnihuman", "animate", "--preset", preset, "--image", str(ADA), "--say", "Hello."]
    command += ["--out", str(tmp_path / "a.mp4"), "--size", "256", "--seed", "1", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["seed"] == 1 and told["facts"]["digital_source_type"].endswith("AlgorithmicMedia")
    frames = list(read_frames(tmp_path / "a.mp4"))
    assert len(frames) == told["facts"]["video"]["frames"]
    assert np.abs(frames[0].astype(int) - frames[len(frames) // 2]).max() > 20


def test_lips_close_for_m_b_p_and_open_for_vowels(model_handle, hub):
    """On the rendered frames, found again by the face mesh: what the transformer was trained for."""
    faces = FacePerception(model_handle("face-detector"), model_handle("face-mesh"))
    model_handle("motion-dit")
    with model_handle("voice-hibari")() as voice:
        speech = voice.speak(SENTENCE)
    pipe = OmniHumanPipeline.from_pretrained("motion", hub=hub)
    result = pipe(read_image(ADA), speech.sound, seed=2, size=640)
    gaps = np.array([inner_lip_gap(face.points) for face in faces.track(result.frames)])

    def during(symbols, pick):
        spans = [(p.start_s, p.end_s) for p in speech.phones if p.symbol in symbols and p.end_s - p.start_s > 0.04]
        return np.array([pick(gaps[int(a * 25) : int(np.ceil(b * 25)) + 1]) for a, b in spans])

    assert np.mean(during(BILABIALS, np.min) < 0.06) >= 0.8
    assert np.mean(during(VOWELS, np.max) > 0.06) >= 0.6


def test_same_seed_same_frames_with_the_real_models(model_handle, hub):
    for model_id in load_preset("motion").model_ids:
        model_handle(model_id)
    pipe = OmniHumanPipeline.from_pretrained("motion", hub=hub)
    one, two = (pipe(read_image(ADA), say="Good day.", seed=4, size=192) for _ in range(2))
    assert np.array_equal(one.frames, two.frames)
