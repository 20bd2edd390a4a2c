"""Do the lips follow the sound? Closures for p b m, rest in silence, open vowels, correlation and lag of two tracks.

Pure functions of a lip-gap track; where the gap and the phone times come from is the caller's affair. A gap of NaN is
a frame that cannot be judged (face lost or turned away); such frames count neither for nor against.

Legend: T frames; gap = mean inner-lip distance / distance of the outer eye corners; times are frame centres, seconds.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.metrics.measurement import Measurement
from omnihuman.types import Float

Interval = tuple[float, float]
"""Start and end in seconds."""
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class ClosureRule:
    """What counts as closed lips and as a hit.

    Attributes:
        close_below: The lips close where the gap falls under this.
        open_above: Closed lips stay closed until the gap rises over this.
        tolerance_s: A closure this far outside a p, b or m still meets it.
    """

    close_below: float
    open_above: float
    tolerance_s: float


@dataclass(frozen=True)
class ClosureCounts:
    """What was counted; clips add up.

    Attributes:
        events: p, b and m that could be judged.
        hit: Those with a closed frame.
        runs: Closed runs within speech.
        touching: Those that meet a p, b or m.
    """

    events: int = 0
    hit: int = 0
    runs: int = 0
    touching: int = 0

    def __add__(self, other: ClosureCounts) -> ClosureCounts:
        return ClosureCounts(
            self.events + other.events, self.hit + other.hit, self.runs + other.runs, self.touching + other.touching
        )

    @property
    def recall(self) -> float:
        """Share of events that are hit; NaN without events."""
        return self.hit / self.events if self.events else math.nan

    @property
    def precision(self) -> float:
        """Share of runs that touch an event; NaN without runs."""
        return self.touching / self.runs if self.runs else math.nan

    @property
    def f1(self) -> float:
        """Harmonic mean of recall and precision; 0 when nothing is hit, NaN without events."""
        if not self.events:
            return math.nan
        if not self.hit or not self.touching:
            return 0.0
        return 2.0 * self.recall * self.precision / (self.recall + self.precision)

    def measurements(self) -> dict[str, Measurement]:
        """The three scores by name."""
        scores = {"closure_recall": self.recall, "closure_precision": self.precision, "closure_f1": self.f1}
        return {name: Measurement(value, "share", True) for name, value in scores.items()}


@dataclass(frozen=True)
class Lag:
    """Best alignment of two tracks.

    Attributes:
        offset_s: How much later the first track comes than the second.
        correlation: Pearson correlation there.
    """

    offset_s: float
    correlation: float


def closed_frames(gap: Float, rule: ClosureRule) -> Flags:
    """Which frames show closed lips, `T`, by the rule's hysteresis in time order; unknown frames do not."""
    closed = np.zeros(len(gap), bool)
    state = False
    for index, value in enumerate(gap):
        state = bool(value < (rule.open_above if state else rule.close_below))
        closed[index] = state
    return closed


def runs_of(flags: Flags) -> list[tuple[int, int]]:
    """First and last index of every stretch of True."""
    edges = np.diff(np.concatenate([[0], flags.astype(np.int8), [0]]))
    return list(zip(np.flatnonzero(edges == 1).tolist(), (np.flatnonzero(edges == -1) - 1).tolist(), strict=True))


def count_closures(
    gap: Float, times_s: Float, bilabials: Sequence[Interval], speech: Sequence[Interval], rule: ClosureRule
) -> ClosureCounts:
    """Counts how lip closures and p, b, m meet.

    An event is hit when a closed frame lies within the tolerance of it. A run of closed frames is judged when it
    meets an event, or when one of its frames lies deeper inside speech than the tolerance: lips that close for a
    pause are not mistaken.

    Args:
        gap: `T`, NaN where unknown.
        times_s: `T`.
        bilabials: The p, b and m.
        speech: Stretches of speech.
        rule: Thresholds and tolerance.

    Returns:
        The counts; see `closure_blocks` for an interval.
    """
    return _count(gap, times_s, bilabials, speech, rule, (-math.inf, math.inf))


def closure_blocks(
    gap: Float, times_s: Float, bilabials: Sequence[Interval], speech: Sequence[Interval], rule: ClosureRule,
    block_s: float,
) -> list[ClosureCounts]:  # fmt: skip
    """The same counts split into stretches of `block_s`, as items of a bootstrap; they add up to the whole."""
    starts = np.arange(0.0, max(block_s, float(times_s[-1]) if len(times_s) else 0.0), block_s)
    edges = [-math.inf, *starts[1:].tolist(), math.inf]
    blocks = zip(edges[:-1], edges[1:], strict=True)
    return [_count(gap, times_s, bilabials, speech, rule, block) for block in blocks]


def _count(
    gap: Float, times_s: Float, bilabials: Sequence[Interval], speech: Sequence[Interval], rule: ClosureRule,
    block: Interval,
) -> ClosureCounts:  # fmt: skip
    """Counts of the events and runs whose middle lies in one stretch of time."""
    closed, known = closed_frames(gap, rule), np.isfinite(gap)
    reach = rule.tolerance_s + 1e-6
    events = hit = 0
    for start, end in bilabials:
        window = (times_s >= start - reach) & (times_s <= end + reach)
        if (window & known).any() and block[0] <= (start + end) / 2 < block[1]:
            events += 1
            hit += bool(closed[window].any())
    judged = _judged_runs(closed, times_s, bilabials, speech, reach)
    met = [touches for middle_s, touches in judged if block[0] <= middle_s < block[1]]
    return ClosureCounts(events, hit, len(met), sum(met))


def stray_closures(
    gap: Float, times_s: Float, bilabials: Sequence[Interval], speech: Sequence[Interval], rule: ClosureRule
) -> list[float]:
    """Middles, in seconds, of the closed runs within speech that meet no p, b or m."""
    judged = _judged_runs(closed_frames(gap, rule), times_s, bilabials, speech, rule.tolerance_s + 1e-6)
    return [middle_s for middle_s, touches in judged if not touches]


def _judged_runs(
    closed: Flags, times_s: Float, bilabials: Sequence[Interval], speech: Sequence[Interval], reach: float
) -> list[tuple[float, bool]]:
    """Middle of every closed run that is judged, and whether it meets a p, b or m; see `count_closures`."""
    inside = _inside(times_s, speech, -reach)
    judged = []
    for first, last in runs_of(closed):
        begin, finish = float(times_s[first]), float(times_s[last])
        touches = any(begin <= end + reach and finish >= start - reach for start, end in bilabials)
        if touches or inside[first : last + 1].any():
            judged.append(((begin + finish) / 2, touches))
    return judged


def rest_in_silence(
    gap: Float, times_s: Float, silences: Sequence[Interval], rule: ClosureRule, settle_s: float
) -> Measurement:
    """Share of judged frames with closed lips, among those at least `settle_s` inside a silence."""
    judged = _inside(times_s, silences, -settle_s) & np.isfinite(gap)
    share = float(closed_frames(gap, rule)[judged].mean()) if judged.any() else math.nan
    return Measurement(share, "share", True)


def vowel_openness(gap: Float, times_s: Float, vowels: Sequence[Interval], rule: ClosureRule) -> Measurement:
    """Share of vowels during which the lips open wider than the rule's upper threshold."""
    wide = []
    for interval in vowels:
        values = gap[_inside(times_s, [interval], 0.0)]
        values = values[np.isfinite(values)]
        if values.size:
            wide.append(bool(values.max() > rule.open_above))
    return Measurement(float(np.mean(wide)) if wide else math.nan, "share", True)


def peaks_within(track: Float, times_s: Float, intervals: Sequence[Interval]) -> Float:
    """The largest value of a track `T` in each interval; NaN where none of its frames is known."""
    peaks = np.full(len(intervals), np.nan)
    for index, interval in enumerate(intervals):
        values = track[_inside(times_s, [interval], 0.0)]
        if np.isfinite(values).any():
            peaks[index] = np.nanmax(values)
    return peaks


def correlation(track: Float, target: Float) -> float:
    """Pearson correlation over frames known in both; 0 for a track that never moves, NaN under three frames."""
    known = np.isfinite(track) & np.isfinite(target)
    if known.sum() < 3:
        return math.nan
    a, b = (x[known].astype(np.float64) - x[known].mean(dtype=np.float64) for x in (track, target))
    spread = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / spread if spread > 1e-12 else 0.0


def best_lag(track: Float, target: Float, fps: float, max_lag_s: float) -> Lag:
    """Finds the shift at which two tracks agree most, to a fraction of a frame by a parabola through three lags.

    Args:
        track: `T`, for instance a measured lip gap.
        target: `T`, for instance the gap that the phones ask for.
        fps: Frames per second of both.
        max_lag_s: Largest shift tried, either way.

    Returns:
        The lag; NaN and 0 when no shift correlates at all.
    """
    reach = min(round(max_lag_s * fps), len(track) - 3)
    lags = range(-reach, reach + 1)
    return highest(np.array([_shifted_correlation(track, target, lag) for lag in lags]), fps)


def highest(scores: NDArray[np.float64], fps: float) -> Lag:
    """The best of correlations `L` at the lags -L/2 .. L/2 frames; NaN and 0 when none correlates at all."""
    if not np.isfinite(scores).any() or np.nanmax(np.abs(scores)) < 1e-6:
        return Lag(math.nan, 0.0)
    top = int(np.nanargmax(scores))
    return Lag((top - len(scores) // 2 + _peak_fraction(scores, top)) / fps, float(scores[top]))


def _shifted_correlation(track: Float, target: Float, lag: int) -> float:
    if lag >= 0:
        return correlation(track[lag:], target[: len(target) - lag])
    return correlation(track[:lag], target[-lag:])


def _peak_fraction(scores: NDArray[np.float64], top: int) -> float:
    """Where the parabola through a peak and its neighbours is highest, -0.5..0.5 of a step."""
    if not 0 < top < len(scores) - 1:
        return 0.0
    before, here, after = scores[top - 1 : top + 2]
    curvature = before - 2.0 * here + after
    return float(np.clip(0.5 * (before - after) / curvature, -0.5, 0.5)) if curvature < -1e-12 else 0.0


def _inside(times_s: Float, intervals: Sequence[Interval], grow_s: float) -> Flags:
    """Which times lie in one of the intervals after these grow (or, below 0, shrink) at both ends."""
    inside = np.zeros(len(times_s), bool)
    for start, end in intervals:
        inside |= (times_s >= start - grow_s) & (times_s < end + grow_s)
    return inside
