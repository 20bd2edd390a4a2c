"""A result that does what its driver does meets the bars; one that does something else misses them."""

from dataclasses import replace

import numpy as np

from omnihuman.evaluation.driving import bars_for, load_driving_settings, measure_driving
from omnihuman.evaluation.report import is_met
from omnihuman.latents.motion.parameters import INDEX
from tests.unit.latents.test_motion_drive import acted, performance, standing, turned


def test_the_same_performance_meets_the_bars_and_another_does_not():
    settings = load_driving_settings()
    driver = acted(performance())
    good = measure_driving(driver, acted(0.8 * performance()), settings)
    assert all(good.measurements[name].value > least for name, least in settings.bars.items() if name != "blink_f1")
    bad = measure_driving(driver, acted(performance()[::-1].copy()), settings)
    assert any(bad.measurements[name].value < least for name, least in settings.bars.items())


def test_arms_are_judged_where_they_move():
    settings = load_driving_settings()
    swing = 30 * np.sin(np.arange(60) / 6)
    driver, result = (turned(standing(), 13, 11, share * swing) for share in (1.0, 0.5))
    found = measure_driving(driver, result, settings).measurements
    assert found["left_upper_arm"].value > 0.99 and "right_upper_arm" not in found


def test_what_the_driver_does_later_is_not_asked_for():
    parameters = performance(100)
    for start in (20, 80):
        parameters[start : start + 3, [INDEX["blink_l"], INDEX["blink_r"]]] = 1.0
    found = measure_driving(acted(parameters), acted(parameters[:50]), load_driving_settings())
    assert found.facts["driver_blinks"] == 1 and found.measurements["blink_f1"].value == 1.0


def test_what_could_not_be_measured_misses_its_bar():
    settings = load_driving_settings()
    driver = acted(performance())
    unseen = replace(driver, face_seen=np.zeros(len(driver.times_s), bool))
    found = measure_driving(driver, unseen, settings)
    bars = bars_for(found, settings)
    assert {"yaw", "pitch", "roll", "lip_gap"} <= set(bars)
    assert not any(is_met(found, name, least) for name, least in bars.items())


def test_only_where_nobody_blinks_there_is_no_bar_for_blinks():
    settings = load_driving_settings()
    parameters = performance(100)
    still = acted(parameters.copy())
    parameters[20:23, [INDEX["blink_l"], INDEX["blink_r"]]] = 1.0
    blinking = acted(parameters)
    assert "blink_f1" not in bars_for(measure_driving(still, still, settings), settings)
    for driver, result in ((still, blinking), (blinking, still)):
        found = measure_driving(driver, result, settings)
        assert "blink_f1" in bars_for(found, settings) and not is_met(found, "blink_f1", 0.7)
