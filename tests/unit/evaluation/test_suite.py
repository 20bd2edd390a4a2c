import json
import math

import numpy as np
import pytest

from omnihuman.evaluation.rehearsal import nothing_said
from omnihuman.evaluation.report import lines_of, record_of
from omnihuman.evaluation.results import EvaluationResult, all_met, is_met
from omnihuman.evaluation.suite import SpokenClip, load_sync_settings, measure_sync, with_spoiled
from omnihuman.metrics.measurement import Measurement
from omnihuman.types import Sound
from tests.unit.evaluation.spoken import SETTINGS, babble, clip_of, noise_sound, obeying_gap, tracks_of


@pytest.fixture(scope="module")
def phones():
    return babble(np.random.default_rng(2))


def measure(*clips):
    return measure_sync(clips, SETTINGS, np.random.default_rng(0))


def test_obeying_lips_score_high_and_the_controls_do_not(phones):
    result = measure(clip_of(obeying_gap(phones), phones, sound=noise_sound(phones)))
    scores = result.measurements
    assert scores["closure_recall"].value == 1.0
    assert scores["closure_precision"].value == 1.0
    assert scores["gap_correlation"].value > 0.6
    assert abs(scores["offset"].value) < 0.03
    assert scores["rest_in_silence"].value == 1.0
    assert scores["vowels_open"].value == 1.0
    assert scores["shift_f1"].value == result.controls["shift"]["closure_f1"].value
    lead = scores["closure_f1"].value - result.controls["loudness"]["closure_f1"].value
    assert scores["lead_over_loudness"].value == pytest.approx(lead)
    assert lead > 0
    assert result.controls["shift"]["closure_f1"].value < 0.75
    assert result.controls["loudness"]["closure_f1"].value < 1.0


def test_correlation_and_offset_have_intervals_that_shrink_with_the_material(phones):
    def noisy(seed):
        gap = np.roll(obeying_gap(phones), 2)
        return gap + np.random.default_rng(seed).normal(0, 0.05, len(gap)).astype(np.float32)

    one = measure(clip_of(noisy(0), phones)).measurements
    many = measure(*(clip_of(noisy(seed), phones, str(seed)) for seed in range(6))).measurements
    for name in ("gap_correlation", "offset"):
        (low, high), (few_low, few_high) = many[name].interval, one[name].interval
        assert low < many[name].value < high and high - low < few_high - few_low
    assert many["offset"].interval[0] > 0.0, "the delay of two frames is no chance"


def test_late_lips_show_their_delay(phones):
    late = np.roll(obeying_gap(phones), 4)
    scores = measure(clip_of(late, phones)).measurements
    assert scores["offset"].value == pytest.approx(0.16, abs=0.03)
    assert scores["closure_f1"].value < 0.8


def test_without_a_sound_there_is_no_loudness_control(phones):
    assert set(measure(clip_of(obeying_gap(phones), phones)).controls) == {"shift"}


def test_clips_are_pooled_by_events(phones):
    good, still = obeying_gap(phones), np.full(len(obeying_gap(phones)), 0.2, np.float32)
    result = measure(clip_of(good, phones, "good"), clip_of(still, phones, "still"))
    assert result.clips["good"]["closure_f1"].value == 1.0
    assert result.clips["still"]["closure_f1"].value == 0.0
    assert result.measurements["closure_recall"].value == pytest.approx(0.5)
    low, high = result.measurements["closure_recall"].interval
    assert low < 0.5 < high
    assert result.facts["bilabials"] == 2 * result.facts["bilabials_hit"]


def test_turned_heads_are_not_judged(phones):
    gap = obeying_gap(phones)
    clip = clip_of(gap, phones)
    turned = type(clip)("turned", tracks_of(gap, yaw_deg=25.0), phones)
    result = measure(turned)
    assert result.facts["frames_judged"] == 0.0
    assert math.isnan(result.measurements["closure_f1"].value)


def test_a_lost_face_is_not_judged_either(phones):
    gap = obeying_gap(phones)
    gap[: len(gap) // 2] = math.nan
    whole, half = measure(clip_of(obeying_gap(phones), phones)), measure(clip_of(gap, phones))
    assert 0 < half.facts["bilabials"] < whole.facts["bilabials"]
    assert half.measurements["closure_recall"].value == 1.0


def test_report_says_whether_bars_are_met(phones):
    result = measure(clip_of(obeying_gap(phones), phones))
    record = record_of(result, {"closure_f1": 0.6, "rest_in_silence": 1.1, "no_such_thing": 0.0})
    assert {name: bar["met"] for name, bar in record["bars"].items()} == {
        "closure_f1": True, "rest_in_silence": False, "no_such_thing": False,
    }  # fmt: skip
    lines = lines_of(result, SETTINGS.bars)
    assert any(line.startswith("closure_f1") and line.endswith("bar 0.6: met") for line in lines)
    assert json.loads(json.dumps(record, allow_nan=False)) == record


def test_undefined_numbers_neither_meet_a_bar_nor_break_json():
    result = EvaluationResult({"x": Measurement(math.nan, "share", True)}, facts={"least": math.nan})
    assert not is_met(result, "x", 0.0)
    record = record_of(result, {"x": 0.0})
    assert record["measurements"]["x"]["value"] is None
    assert record["facts"]["least"] is None
    assert any("-" in line for line in lines_of(result, {}))


def test_a_pair_is_a_lowest_and_a_highest_value():
    def of(value):
        return EvaluationResult({"offset": Measurement(value, "s", None)})

    bar = {"offset": (-0.02, 0.02)}
    assert all_met(of(0.02), bar) and not all_met(of(-0.03), bar) and not all_met(of(math.nan), bar)
    assert record_of(of(0.0), bar)["bars"]["offset"] == {"least": -0.02, "most": 0.02, "met": True}
    assert lines_of(of(0.03), bar)[0].endswith("bar -0.02 .. 0.02: NOT met")
    assert lines_of(of(0.03), {"missing": 1.0})[1] == "missing: NOT measured, bar 1"


def test_speakers_are_also_pooled_apart(phones):
    good, still = obeying_gap(phones), np.full(len(obeying_gap(phones)), 0.2, np.float32)
    clips = [SpokenClip(name, tracks_of(gap), phones, None, who)
             for name, gap, who in (("a", good, "ann"), ("b", good, "ann"), ("c", still, "bob"))]  # fmt: skip
    result = measure(*clips)
    assert result.groups["ann"]["closure_f1"].value == 1.0
    assert result.groups["bob"]["closure_f1"].value == 0.0


def test_lips_rest_or_do_not_where_nobody_speaks(phones):
    quiet = nothing_said(Sound(np.zeros(32000, np.float32), 8000))
    shut, open_ = np.full(100, 0.01, np.float32), np.full(100, 0.2, np.float32)
    spoken = clip_of(obeying_gap(phones), phones)
    result = measure(spoken, clip_of(shut, quiet, "silence"), clip_of(open_, quiet, "music"))
    assert result.measurements["rest_when_silent"].value == pytest.approx(0.5)
    alone = measure(spoken)
    assert "rest_when_silent" not in alone.measurements
    assert result.measurements["gap_correlation"].value == pytest.approx(alone.measurements["gap_correlation"].value)
    assert "rest_when_silent" in SETTINGS.bars_of(result) and "rest_when_silent" not in SETTINGS.bars_of(alone)


def test_closures_on_other_phones_are_named(phones):
    gap = obeying_gap(phones)
    vowel = [p for p in phones if p.symbol == "AA" and p.end_s - p.start_s > 0.25][3]
    middle = int((vowel.start_s + vowel.end_s) / 2 * 25)
    gap[middle] = 0.0
    assert measure(clip_of(gap, phones)).facts["strays_on"] == "AA 1"
    assert measure(clip_of(obeying_gap(phones), phones)).facts["strays_on"] == "none"


def test_vowels_that_open_more_where_more_is_asked_correlate(phones):
    def score(gap):
        return measure(clip_of(gap.astype(np.float32), phones)).measurements["vowel_correlation"].value

    from omnihuman.evaluation.expected import expected_gap

    asked = expected_gap(phones, tracks_of(obeying_gap(phones)).times_s)
    assert score(asked) == pytest.approx(1.0)
    assert score(0.3 - asked) < 0.5


def test_spoiled_sounds_show_what_they_cost(phones):
    clean = measure(clip_of(obeying_gap(phones), phones))
    worse = measure(clip_of(np.roll(obeying_gap(phones), 3), phones))
    both = with_spoiled(clean, {"8k": worse})
    cost = clean.measurements["closure_f1"].value - worse.measurements["closure_f1"].value
    assert both.measurements["f1_loss_8k"].value == pytest.approx(cost) and cost > 0.1
    assert both.groups["sound 8k"]["closure_f1"].value == worse.measurements["closure_f1"].value


def test_shipped_settings_load_and_order_their_thresholds():
    settings = load_sync_settings()
    assert settings.close_below < settings.open_above
    assert {"closure_recall", "closure_precision", "closure_f1", "gap_correlation", "offset"} <= settings.bars.keys()
    assert settings.fast().close_below == settings.fast_close_below < settings.fast_open_above
