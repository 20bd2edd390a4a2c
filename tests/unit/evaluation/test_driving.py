"""A result that does what its driver does meets the bars; one that does something else misses them."""

import numpy as np

from omnihuman.evaluation.driving import load_driving_settings, measure_driving
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
