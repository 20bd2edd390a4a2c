import json
import math

import numpy as np
import pytest

from omnihuman.evaluation.report import is_met, lines_of, record_of
from omnihuman.evaluation.suite import EvaluationResult, load_sync_settings, measure_motion, measure_sync
from omnihuman.metrics.measurement import Measurement
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
    assert result.controls["shift_0.7_s"]["closure_f1"].value < 0.75
    assert result.controls["loudness"]["closure_f1"].value < 1.0


def test_late_lips_show_their_delay(phones):
    late = np.roll(obeying_gap(phones), 4)
    scores = measure(clip_of(late, phones)).measurements
    assert scores["offset"].value == pytest.approx(0.16, abs=0.03)
    assert scores["closure_f1"].value < 0.8


def test_without_a_sound_there_is_no_loudness_control(phones):
    assert set(measure(clip_of(obeying_gap(phones), phones)).controls) == {"shift_0.7_s"}


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


def test_motion_of_a_still_face_is_none():
    still = tracks_of(np.full(100, 0.01, np.float32))
    scores = measure_motion(still).measurements
    assert scores["blink_rate"].value == 0.0
    assert scores["head_yaw_spread"].value == 0.0


def test_shipped_settings_load_and_order_their_thresholds():
    settings = load_sync_settings()
    assert settings.close_below < settings.open_above
    assert "closure_f1" in settings.bars
