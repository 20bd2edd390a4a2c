"""Progress counts up to the total and its estimate follows what is measured."""

import time

from omnihuman.pipeline.progress import ProgressMeter, Stage


def test_events_count_up_and_remaining_falls_to_zero():
    events = []
    meter = ProgressMeter(events.append, [Stage("one", 2, 10.0), Stage("two", 3, 0.0)])
    assert list(meter.each("one", [1, 2])) == [1, 2]
    assert list(meter.each("two", "abc")) == ["a", "b", "c"]
    assert [(e.stage, e.done, e.total) for e in events] == [
        *(("one", i, 2) for i in range(3)),
        *(("two", i, 3) for i in range(4)),
    ]
    assert events[0].remaining_s == 20.0 and events[-1].remaining_s == 0.0


def test_measured_cost_replaces_the_prior():
    events = []
    meter = ProgressMeter(events.append, [Stage("render", 4, 100.0)])
    for _ in meter.each("render", range(2)):
        time.sleep(0.01)
    assert 0.0 < events[-1].remaining_s < 10.0


def test_nobody_needs_to_listen():
    assert list(ProgressMeter(None, [Stage("one", 1, 1.0)]).each("one", [5])) == [5]
