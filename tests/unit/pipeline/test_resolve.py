"""What is left open is filled in once: the record repeats the run. A wrong value is told the nearest right one."""

import pytest

from omnihuman.config import configs_dir
from omnihuman.errors import InputError
from omnihuman.pipeline.clashes import CLASHES
from omnihuman.pipeline.preset import load_preset
from omnihuman.pipeline.resolve import Settled, resolved, sampler_of, settled
from omnihuman.types import AnimationRequest, build_request

MOTION = load_preset("motion")
PRESETS = sorted(path.stem for path in configs_dir().glob("presets/*.yaml"))


def asked(**fields):
    return build_request({"image": "a.png", **({"say": "hello"} | fields)}, lambda name: f"--{name.replace('_', '-')}")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_better_quality_costs_more(preset):
    draft, standard, best = (load_preset(preset).at(quality) for quality in ("draft", "standard", "best"))
    assert draft.steps < standard.steps < best.steps
    assert draft.longest_side_px < standard.longest_side_px < best.longest_side_px
    assert draft.encoding.crf > standard.encoding.crf > best.encoding.crf


def test_the_quality_decides_and_an_explicit_value_beats_it():
    assert resolved(asked(quality="best"), "motion", MOTION).steps == MOTION.quality.best.steps
    assert resolved(asked(quality="best", steps=3), "motion", MOTION).steps == 3
    assert sampler_of(resolved(asked(quality="draft"), "motion", MOTION), MOTION).steps == MOTION.quality.draft.steps


def test_what_is_resolved_twice_is_the_same():
    for fields in ({}, {"text": "nods"}, {"say": None, "text": "nods"}, {"say": None, "pose": "p.json"}):
        once = settled(resolved(asked(**fields), "motion", MOTION), Settled(512, 25.0, 3.0))
        again = AnimationRequest(**once.model_dump())
        assert settled(resolved(again, "motion", MOTION), Settled(512, 25.0, 3.0)) == once
        assert not [clash.code for clash in CLASHES if clash.holds(again)]


def test_guidance_of_what_is_not_there_stays_open():
    spoken, told = resolved(asked(), "motion", MOTION), resolved(asked(say=None, text="nods"), "motion", MOTION)
    assert (spoken.guidance_audio is None, spoken.guidance_text is None) == (False, True)
    assert (told.guidance_audio is None, told.guidance_text is None) == (True, False)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"size": 0}, "--size.*nearest that works is 64"),
        ({"size": -7}, "--size.*nearest that works is 64"),
        ({"size": 10**9}, "--size.*nearest that works is 4096"),
        ({"size": float("nan")}, "--size.*Give a number"),
        ({"fps": 240.0}, "--fps.*nearest that works is 60"),
        ({"fps": float("nan")}, "--fps.*Give a number"),
        ({"fps": 0.0}, "--fps.*nearest that works is 5"),
        ({"seed": 2**31}, "--seed.*nearest that works is 2147483647"),
        ({"duration": float("inf")}, "--duration.*Give a number"),
        ({"quality": "good"}, "--quality.*Choose 'draft'"),
        ({"guidance_txt": 2.0}, "--guidance-txt.*'guidance_text'"),
        ({"audio": "a.wav"}, "audio or say.*Leave one of them out"),
    ],
)
def test_the_nearest_right_value_is_offered(fields, told):
    with pytest.raises(InputError, match=told):
        asked(**fields)


def test_every_clash_names_its_options_and_a_way_out():
    for clash in CLASHES:
        assert clash.code == "nothing_drives" or "--" in clash.cause
        assert clash.way_out.endswith(".")
