"""What `evaluate sync` measures: face tracks and phone times -> measurements, pooled over clips, beside controls."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.controls import envelope_gap, shifted_gap
from omnihuman.evaluation.expected import expected_gap
from omnihuman.evaluation.phone_times import intervals_of, silences_of, speech_of
from omnihuman.evaluation.results import Bar, EvaluationResult
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.metrics.lagged import Sums, correlations, lagged_sums
from omnihuman.metrics.measurement import Measurement, bootstrap_interval
from omnihuman.metrics.sync import (
    ClosureCounts,
    ClosureRule,
    best_lag,
    closed_frames,
    closure_blocks,
    correlation,
    highest,
    peaks_within,
    rest_in_silence,
    stray_closures,
    vowel_openness,
)
from omnihuman.speech.inventory import BILABIALS, SILENCE, VOWELS, TimedPhone
from omnihuman.types import Float, Sound

OPEN_VOWELS = frozenset({"AA", "AE", "AO", "AW", "AY"})
"""Vowels that ask for a dropped jaw."""


class SyncSettings(StrictModel):
    """How closures are judged; configs/evaluation/sync.yaml."""

    close_below: float = Field(gt=0, description="Lips close under this gap, IOD.")
    open_above: float = Field(gt=0, description="Closed lips open over this gap, IOD.")
    fast_close_below: float = Field(gt=0, description="The same for a gap computed from parameters.")
    fast_open_above: float = Field(gt=0, description="The same for a gap computed from parameters.")
    tolerance_s: float = Field(ge=0, description="A closure this far outside a p, b or m still meets it.")
    max_yaw_deg: float = Field(gt=0, description="Frames with the head turned farther are not judged.")
    settle_s: float = Field(ge=0, description="Rest is judged this far inside a silence.")
    max_lag_s: float = Field(gt=0, description="Largest offset between lips and sound that is tried.")
    shift_s: float = Field(gt=0, description="Shift of the control that must fail.")
    block_s: float = Field(gt=0, description="Stretch of speech that the bootstrap draws as one.")
    bootstrap_draws: int = Field(ge=100, description="Resamples of the bootstrap.")
    bars: dict[str, Bar] = Field(description="Least value of a measurement, or lowest and highest, by name.")
    bars_where_measured: dict[str, Bar] = Field(description="Bars of what only some material shows.")
    language_bars: dict[str, Bar] = Field(description="Bars for languages that the networks were not made for.")

    @property
    def rule(self) -> ClosureRule:
        """Thresholds of the closure scores."""
        return ClosureRule(self.close_below, self.open_above, self.tolerance_s)

    def bars_of(self, result: EvaluationResult) -> dict[str, Bar]:
        """The bars, and those that only count where their measurement exists."""
        measured = {name: bar for name, bar in self.bars_where_measured.items() if name in result.measurements}
        return self.bars | measured

    def fast(self) -> SyncSettings:
        """The same for gaps that were computed from parameters instead of looked at."""
        return self.model_copy(update={"close_below": self.fast_close_below, "open_above": self.fast_open_above})


@dataclass(frozen=True)
class SpokenClip:
    """One clip to judge.

    Attributes:
        name: For the report.
        tracks: The face.
        phones: When each phone is said.
        sound: For the loudness control; None leaves it out.
        speaker: Whose scores are also pooled apart; empty = nobody's.
    """

    name: str
    tracks: FaceTracks
    phones: Sequence[TimedPhone]
    sound: Sound | None = None
    speaker: str = ""


def load_sync_settings() -> SyncSettings:
    """Reads configs/evaluation/sync.yaml; raises ConfigError."""
    return load(SyncSettings, configs_dir() / "evaluation" / "sync.yaml")


def measure_sync(clips: Sequence[SpokenClip], settings: SyncSettings, rng: np.random.Generator) -> EvaluationResult:
    """Scores how the lips follow the sound, over all clips together.

    Args:
        clips: At least one.
        settings: Thresholds.
        rng: Source of the bootstrap.
    """
    gaps = [clip.tracks.judged_gap(settings.max_yaw_deg) for clip in clips]
    blocks = _blocks(clips, gaps, settings)
    measurements = _closure_scores(blocks, settings, rng) | _pooled_tracks(clips, gaps, settings)
    controls = _controls(clips, gaps, settings, rng)
    measurements |= _against_controls(measurements, controls)
    for name, interval in _track_intervals(clips, gaps, settings, rng).items():
        measurements[name] = measurements[name].within(interval)
    single, speakers = {}, {}
    for clip, gap in zip(clips, gaps, strict=True):
        single[clip.name] = sum(_blocks([clip], [gap], settings), ClosureCounts()).measurements()
    for speaker in dict.fromkeys(clip.speaker for clip in clips if clip.speaker):
        own = [(clip, gap) for clip, gap in zip(clips, gaps, strict=True) if clip.speaker == speaker]
        own_clips, own_gaps = [clip for clip, _ in own], [gap for _, gap in own]
        scores = sum(_blocks(own_clips, own_gaps, settings), ClosureCounts()).measurements()
        speakers[speaker] = scores | _pooled_tracks(own_clips, own_gaps, settings)
    return EvaluationResult(measurements, controls, speakers, single, _facts(clips, gaps, blocks, settings))


def with_spoiled(clean: EvaluationResult, spoiled: Mapping[str, EvaluationResult]) -> EvaluationResult:
    """The clean result with what spoiled sounds cost: `f1_loss_NAME`, and their scores as groups."""
    lost = {
        f"f1_loss_{name}": Measurement(
            clean.measurements["closure_f1"].value - result.measurements["closure_f1"].value, "share", False
        )
        for name, result in spoiled.items()
    }
    groups = clean.groups | {f"sound {name}": result.measurements for name, result in spoiled.items()}
    return EvaluationResult(clean.measurements | lost, clean.controls, groups, clean.clips, clean.facts)


def _controls(
    clips: Sequence[SpokenClip], gaps: Sequence[Float], settings: SyncSettings, rng: np.random.Generator
) -> dict[str, dict[str, Measurement]]:
    """Mouths that must fail: the measured one late, and one that opens with the loudness."""
    late = [shifted_gap(gap, clip.tracks.fps, settings.shift_s) for clip, gap in zip(clips, gaps, strict=True)]
    controls = {"shift": _closure_scores(_blocks(clips, late, settings), settings, rng)}
    heard = [(c, envelope_gap(c.sound, c.tracks.times_s, g)) for c, g in zip(clips, gaps, strict=True) if c.sound]
    if heard:
        loud = _blocks([clip for clip, _ in heard], [gap for _, gap in heard], settings)
        controls["loudness"] = _closure_scores(loud, settings, rng)
    return controls


def _against_controls(
    scores: Mapping[str, Measurement], controls: Mapping[str, Mapping[str, Measurement]]
) -> dict[str, Measurement]:
    found = {"shift_f1": Measurement(controls["shift"]["closure_f1"].value, "share", False)}
    if "loudness" in controls:
        lead = scores["closure_f1"].value - controls["loudness"]["closure_f1"].value
        found["lead_over_loudness"] = Measurement(lead, "share", True)
    return found


def _blocks(clips: Sequence[SpokenClip], gaps: Sequence[Float], settings: SyncSettings) -> list[ClosureCounts]:
    blocks: list[ClosureCounts] = []
    for clip, gap in zip(clips, gaps, strict=True):
        speech = speech_of(clip.phones, _duration_s(clip))
        bilabials = intervals_of(clip.phones, BILABIALS)
        blocks += closure_blocks(gap, clip.tracks.times_s, bilabials, speech, settings.rule, settings.block_s)
    return blocks


def _closure_scores(
    blocks: list[ClosureCounts], settings: SyncSettings, rng: np.random.Generator
) -> dict[str, Measurement]:
    scores = sum(blocks, ClosureCounts()).measurements()
    judged = [block for block in blocks if block.events or block.runs]
    for name, measured in scores.items():

        def score(drawn: Sequence[ClosureCounts], name: str = name) -> float:
            return sum(drawn, ClosureCounts()).measurements()[name].value

        scores[name] = measured.within(bootstrap_interval(score, judged, rng, settings.bootstrap_draws))
    return scores


def _pooled_tracks(
    clips: Sequence[SpokenClip], gaps: Sequence[Float], settings: SyncSettings
) -> dict[str, Measurement]:
    """Measures that weigh each clip by its length."""
    rows, peaks = [], []
    for clip, gap in zip(clips, gaps, strict=True):
        times_s = clip.tracks.times_s
        wanted = expected_gap(clip.phones, times_s) if is_spoken(clip.phones) else np.full(len(gap), np.nan)
        vowels = intervals_of(clip.phones, VOWELS)
        silences = silences_of(clip.phones, _duration_s(clip))
        rows.append(
            (
                float(len(gap)),
                correlation(gap, wanted),
                best_lag(gap, wanted, clip.tracks.fps, settings.max_lag_s).offset_s,
                rest_in_silence(gap, times_s, silences, settings.rule, settings.settle_s).value,
                vowel_openness(gap, times_s, vowels, settings.rule).value,
            )
        )
        peaks.append(np.stack([peaks_within(track, times_s, vowels) for track in (gap, wanted)]))
    at_rest = {}
    if resting := [(row[0], row[3]) for row, clip in zip(rows, clips, strict=True) if not is_spoken(clip.phones)]:
        lengths, shares = np.array(resting).T
        at_rest["rest_when_silent"] = Measurement(_weighted(shares, lengths), "share", True)
    weights, *columns = (np.array(column) for column in zip(*rows, strict=True))
    gap_correlation, offset_s, rest, openness = (_weighted(column, weights) for column in columns)
    return {
        "gap_correlation": Measurement(gap_correlation, "", True),
        "offset": Measurement(offset_s, "s", None),
        "rest_in_silence": Measurement(rest, "share", True),
        "vowels_open": Measurement(openness, "share", True),
        "vowel_correlation": Measurement(correlation(*np.concatenate(peaks, axis=1)), "", True),
        **at_rest,
    }


def _track_intervals(
    clips: Sequence[SpokenClip], gaps: Sequence[Float], settings: SyncSettings, rng: np.random.Generator
) -> dict[str, tuple[float, float]]:
    """Bootstrap intervals of correlation and offset: stretches are drawn, each clip is then scored by those it has."""
    stretches: list[tuple[int, Sums]] = []
    for number, (clip, gap) in enumerate(zip(clips, gaps, strict=True)):
        if is_spoken(clip.phones) and len(gap) > 2:
            reach = min(round(settings.max_lag_s * clip.tracks.fps), len(gap) - 3)
            wanted = expected_gap(clip.phones, clip.tracks.times_s)
            sums = lagged_sums(gap, wanted, reach, max(1, round(settings.block_s * clip.tracks.fps)))
            stretches += [(number, block) for block in sums]

    def interval(score: Callable[[Sums, float], float]) -> tuple[float, float]:
        def pooled(drawn: Sequence[tuple[int, Sums]]) -> float:
            own: dict[int, Sums] = {}
            for number, block in drawn:
                own[number] = own[number] + block if number in own else block
            values = [score(sums, clips[number].tracks.fps) for number, sums in own.items()]
            return _weighted(np.array(values), np.array([sums[len(sums) // 2, 0] for sums in own.values()]))

        return bootstrap_interval(pooled, stretches, rng, settings.bootstrap_draws)

    return {
        "gap_correlation": interval(lambda sums, _: float(correlations(sums[len(sums) // 2]))),
        "offset": interval(lambda sums, fps: highest(correlations(sums), fps).offset_s),
    }


def lips_at_rest(gap: float, settings: SyncSettings) -> dict[str, float | str]:
    """Facts about the lips of the picture itself, with a warning where they are open.

    Args:
        gap: Of the picture, IOD.
        settings: Those for rendered frames.
    """
    facts: dict[str, float | str] = {"picture_gap": round(gap, 4)}
    if gap > settings.close_below:
        facts["warning"] = (
            f"the picture's own lips are open ({gap:.3f} IOD, closed is under {settings.close_below:g}): "
            "closure scores are not comparable"
        )
    return facts


def _facts(
    clips: Sequence[SpokenClip], gaps: Sequence[Float], blocks: Sequence[ClosureCounts], settings: SyncSettings
) -> dict[str, float | int | str]:
    total = sum(blocks, ClosureCounts())
    pooled = np.concatenate(gaps)
    closed = np.concatenate([closed_frames(gap, settings.rule) for gap in gaps])
    known = np.isfinite(pooled)
    return {
        "clips": len(clips),
        "duration_s": round(sum(_duration_s(clip) for clip in clips), 2),
        "bilabials": total.events,
        "bilabials_hit": total.hit,
        "closed_runs": total.runs,
        "closed_runs_touching": total.touching,
        "frames_judged": round(float(known.mean()), 4),
        "frames_closed": round(float(closed[known].mean()), 4) if known.any() else 0.0,
        "smallest_gap": round(float(np.min(pooled[known])), 4) if known.any() else math.nan,
        "strays_on": _strays(clips, gaps, settings),
        "rule": f"closed under {settings.close_below:g}, open over {settings.open_above:g} IOD, "
        f"tolerance {settings.tolerance_s * 1000:g} ms, |yaw| <= {settings.max_yaw_deg:g} deg",
    }


def _strays(clips: Sequence[SpokenClip], gaps: Sequence[Float], settings: SyncSettings) -> str:
    """The phones on which closures fall that meet no p, b or m, most frequent first."""
    found: Counter[str] = Counter()
    for clip, gap in zip(clips, gaps, strict=True):
        speech, bilabials = speech_of(clip.phones, _duration_s(clip)), intervals_of(clip.phones, BILABIALS)
        for middle_s in stray_closures(gap, clip.tracks.times_s, bilabials, speech, settings.rule):
            at = (p.symbol for p in clip.phones if p.start_s <= middle_s < p.end_s)
            found[next(at, SILENCE)] += 1
    return ", ".join(f"{symbol} {count}" for symbol, count in found.most_common(8)) or "none"


def is_spoken(phones: Sequence[TimedPhone]) -> bool:
    """Whether anything is said."""
    return any(phone.symbol != SILENCE for phone in phones)


def _duration_s(clip: SpokenClip) -> float:
    return len(clip.tracks.times_s) / clip.tracks.fps


def _weighted(values: Float, weights: Float) -> float:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else math.nan
