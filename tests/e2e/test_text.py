"""A sentence alone, or beside a sound, through the real pipeline with tiny models."""

import json

import numpy as np
import pytest
import torch

from omnihuman.errors import InputError
from omnihuman.pipeline.generate import OmniHumanPipeline
from tests.tiny import draw_face, hum, tiny_denoiser, tiny_parts, tiny_pipeline

SIDE = 192


@pytest.fixture(scope="module")
def pipe():
    """A denoiser that listens to the text: a fresh one does not."""
    model = tiny_denoiser()
    with torch.no_grad():
        model.text_modulation.weight.normal_(std=0.5)
    return OmniHumanPipeline(tiny_parts("motion", model))


@pytest.fixture(scope="module")
def image():
    return draw_face()


def test_a_sentence_alone_makes_a_clip_of_the_length_asked(image):
    pipe = tiny_pipeline()
    assert len(pipe(image, text="smiles", duration=0.72, seed=1, size=SIDE).frames) == 18
    shots = json.dumps({"shots": [{"start_s": 0, "end_s": 0.4, "prompt": "smiles"}]})
    assert len(pipe(image, text=shots, seed=1, size=SIDE).frames) == 10


def test_another_sentence_another_motion_and_the_same_seed_the_same(pipe, image):
    one, same, other = (pipe(image, hum(0.6), text=t, seed=3, size=SIDE) for t in ("smiles", "smiles", "nods"))
    assert np.array_equal(one.parameters, same.parameters)
    assert not np.array_equal(one.parameters, other.parameters)


def test_text_guidance_of_one_leaves_what_was_learned_and_more_exaggerates(pipe, image):
    bare = pipe(image, hum(0.6), seed=3, size=SIDE, guidance_audio=1.0).parameters
    plain, strong = (
        pipe(image, hum(0.6), text="smiles", seed=3, size=SIDE, guidance_audio=1.0, guidance_text=g).parameters
        for g in (1.0, 3.0)
    )
    assert 0 < np.abs(plain - bare).mean() < np.abs(strong - bare).mean()


def test_the_prompt_stays_out_of_the_record_unless_asked(image, tmp_path):
    for embed in (False, True):
        result = tiny_pipeline()(image, text="smiles shyly", duration=0.4, seed=1, size=SIDE, embed_text=embed)
        assert ("smiles shyly" in json.dumps(result.facts)) == embed
        assert ("text" in result.facts["inputs_sha256"]) == embed
        assert "minilm" in result.facts["models_sha256"]
    assert "minilm" not in tiny_pipeline()(image, hum(0.4), seed=1, size=SIDE).facts["models_sha256"]


def test_a_joint_preset_refuses_a_scale_of_its_own_for_the_text(image):
    parts = tiny_parts()
    sampler = parts.settings.sampler.model_copy(update={"guidance_form": "joint"})
    object.__setattr__(parts, "settings", parts.settings.model_copy(update={"sampler": sampler}))
    with pytest.raises(InputError, match="guidance_clash"):
        OmniHumanPipeline(parts)(image, text="smiles", duration=0.4, guidance_text=2.0, size=SIDE)
    assert OmniHumanPipeline(parts)(image, text="smiles", duration=0.4, size=SIDE).frames is not None


def test_a_schedule_sets_the_length_within_the_limit_and_tells_what_comes_too_late(pipe, image):
    shots = [{"start_s": 0, "end_s": 0.4, "prompt": "smiles"}, {"start_s": 50, "end_s": 51, "prompt": "nods"}]
    told = pipe(image, text=json.dumps({"shots": shots}), duration=0.4, seed=1, size=SIDE)
    assert len(told.frames) == 10 and any("at 50 s begins after the end" in line for line in told.facts["warnings"])
    with pytest.raises(InputError) as caught:
        pipe(image, text=json.dumps({"shots": [{**shots[0], "end_s": 1e11}]}), size=SIDE)
    assert caught.value.code == "duration_too_long"
