import math

import numpy as np
import pytest

from omnihuman.metrics.sync import (
    ClosureCounts,
    ClosureRule,
    best_lag,
    closed_frames,
    closure_blocks,
    correlation,
    count_closures,
    peaks_within,
    rest_in_silence,
    runs_of,
    stray_closures,
    vowel_openness,
)

FPS = 25.0
RULE = ClosureRule(close_below=0.06, open_above=0.08, tolerance_s=0.04)
OPEN, SHUT = 0.15, 0.01


def clock(num_frames):
    return ((np.arange(num_frames) + 0.5) / FPS).astype(np.float32)


def mouth(num_frames, *shut):
    """A mouth that is open but for the frames first..last given."""
    gap = np.full(num_frames, OPEN, np.float32)
    for first, last in shut:
        gap[first : last + 1] = SHUT
    return gap


def frames_s(first, last):
    """The time from the first to the last frame's centre."""
    return (first + 0.5) / FPS, (last + 0.5) / FPS


def test_hysteresis_closes_low_and_opens_high():
    gap = np.array([0.07, 0.05, 0.07, 0.079, 0.081, 0.07, 0.059], np.float32)
    assert closed_frames(gap, RULE).tolist() == [False, True, True, True, False, False, True]


def test_unknown_frame_ends_a_closed_run():
    gap = np.array([0.05, math.nan, 0.07], np.float32)
    assert closed_frames(gap, RULE).tolist() == [True, False, False]


def test_runs_are_first_and_last_index():
    assert runs_of(np.array([True, True, False, True])) == [(0, 1), (3, 3)]
    assert runs_of(np.zeros(4, bool)) == []


def test_every_closure_in_place_scores_one():
    gap = mouth(100, (20, 22), (50, 51))
    counts = count_closures(gap, clock(100), [frames_s(20, 22), frames_s(50, 51)], [(0.0, 4.0)], RULE)
    assert counts == ClosureCounts(events=2, hit=2, runs=2, touching=2)
    assert (counts.recall, counts.precision, counts.f1) == (1.0, 1.0, 1.0)


def test_missed_and_superfluous_closures_lower_recall_and_precision():
    gap = mouth(100, (20, 22), (70, 72), (80, 82))
    counts = count_closures(gap, clock(100), [frames_s(20, 22), frames_s(50, 51)], [(0.0, 4.0)], RULE)
    assert counts == ClosureCounts(events=2, hit=1, runs=3, touching=1)
    assert counts.recall == 0.5
    assert counts.precision == pytest.approx(1 / 3)
    assert counts.f1 == pytest.approx(0.4)


@pytest.mark.parametrize(("frames_late", "hit"), [(0, 1), (1, 1), (2, 0), (-1, 1), (-2, 0)])
def test_a_closure_may_be_one_frame_off_and_no_more(frames_late, hit):
    gap = mouth(60, (30 + frames_late, 30 + frames_late))
    counts = count_closures(gap, clock(60), [frames_s(30, 30)], [(0.0, 2.4)], RULE)
    assert (counts.hit, counts.touching) == (hit, hit)


def test_lips_closed_for_a_pause_are_no_mistake_but_closed_within_speech_are():
    speech = [(0.0, 1.0), (2.0, 3.0)]
    pause = count_closures(mouth(75, (24, 50)), clock(75), [], speech, RULE)
    assert pause.runs == 0
    too_long = count_closures(mouth(75, (24, 56)), clock(75), [], speech, RULE)
    assert too_long == ClosureCounts(events=0, hit=0, runs=1, touching=0)


def test_events_without_a_judged_frame_are_left_out():
    gap = mouth(60, (30, 31))
    gap[8:14] = math.nan
    counts = count_closures(gap, clock(60), [frames_s(10, 11), frames_s(30, 31)], [(0.0, 2.4)], RULE)
    assert (counts.events, counts.hit) == (1, 1)


def test_a_mouth_that_stays_shut_recalls_all_with_a_single_run():
    events = [frames_s(i, i) for i in range(10, 90, 10)]
    counts = count_closures(np.full(100, SHUT, np.float32), clock(100), events, [(0.0, 4.0)], RULE)
    assert counts == ClosureCounts(events=8, hit=8, runs=1, touching=1)


def test_a_mouth_that_never_shuts_scores_zero_not_nothing():
    counts = count_closures(mouth(50), clock(50), [frames_s(10, 11)], [(0.0, 2.0)], RULE)
    assert counts.recall == 0.0
    assert math.isnan(counts.precision)
    assert counts.f1 == 0.0


def test_nothing_to_judge_is_undefined():
    assert all(math.isnan(value) for value in (ClosureCounts().recall, ClosureCounts().precision, ClosureCounts().f1))


def test_blocks_add_up_to_the_whole():
    rng = np.random.default_rng(0)
    gap = rng.uniform(0.0, 0.2, 500).astype(np.float32)
    events = [(s, s + 0.08) for s in np.sort(rng.uniform(0, 19.9, 40))]
    whole = count_closures(gap, clock(500), events, [(0.0, 20.0)], RULE)
    blocks = closure_blocks(gap, clock(500), events, [(0.0, 20.0)], RULE, block_s=4.0)
    assert len(blocks) == 5
    assert sum(blocks, ClosureCounts()) == whole
    assert all(block.events > 0 for block in blocks)


def test_rest_is_judged_away_from_speech_only():
    gap = mouth(100, (0, 49))
    measured = rest_in_silence(gap, clock(100), [(0.0, 1.0), (2.0, 4.0)], RULE, settle_s=0.2)
    closed, judged = 15 + 0, 15 + 40
    assert measured.value == pytest.approx(closed / judged)
    assert math.isnan(rest_in_silence(gap, clock(100), [(0.0, 0.3)], RULE, settle_s=0.2).value)


def test_vowels_count_as_open_by_their_widest_frame():
    gap = mouth(100, (20, 40))
    gap[30] = OPEN
    vowels = [frames_s(28, 33), frames_s(35, 39), frames_s(60, 64)]
    assert vowel_openness(gap, clock(100), vowels, RULE).value == pytest.approx(2 / 3)
    assert math.isnan(vowel_openness(gap, clock(100), [], RULE).value)


def test_correlation_of_degenerate_tracks():
    track = np.array([0.0, 1.0, 0.5, 2.0], np.float32)
    assert correlation(track, 3 * track + 1) == pytest.approx(1.0)
    assert correlation(track, -track) == pytest.approx(-1.0)
    assert correlation(np.full(4, 7.0, np.float32), track) == 0.0
    assert math.isnan(correlation(track[:2], track[:2]))
    assert correlation(np.array([0.0, 1.0, math.nan, 2.0]), track) > 0.99


@pytest.mark.parametrize("late_s", [-0.12, -0.013, 0.0, 0.02, 0.09])
def test_lag_is_found_to_a_fraction_of_a_frame(late_s):
    def wave(t):
        return np.sin(7.0 * t) + 0.6 * np.sin(17.0 * t + 1.0)

    times = clock(200)
    lag = best_lag(wave(times - late_s), wave(times), FPS, max_lag_s=0.4)
    assert lag.offset_s == pytest.approx(late_s, abs=0.004)
    assert lag.correlation > 0.97


def test_lag_of_a_still_mouth_is_undefined():
    lag = best_lag(np.full(50, SHUT, np.float32), np.sin(clock(50)), FPS, max_lag_s=0.4)
    assert math.isnan(lag.offset_s)
    assert lag.correlation == 0.0


def test_stray_closures_are_the_runs_that_meet_nothing():
    gap = mouth(100, (20, 22), (50, 50), (96, 99))
    strays = stray_closures(gap, clock(100), [frames_s(20, 22)], [(0.0, 3.6)], RULE)
    assert strays == pytest.approx([50.5 / FPS])


def test_peaks_are_the_widest_known_frames_of_each_interval():
    gap = np.array([0.1, 0.3, math.nan, 0.2, math.nan], np.float32)
    times = clock(5)
    peaks = peaks_within(gap, times, [(0.0, 0.08), (0.08, 0.16), (0.16, 0.2)])
    assert peaks[:2] == pytest.approx([0.3, 0.2])
    assert math.isnan(peaks[2])
