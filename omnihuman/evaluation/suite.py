"""What `evaluate` measures: face tracks and phone times -> named measurements, pooled over clips, beside controls."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.controls import envelope_gap, shifted_gap
from omnihuman.evaluation.expected import expected_gap
from omnihuman.evaluation.phone_times import intervals_of, silences_of, speech_of
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.metrics.drift import geometry_drift
from omnihuman.metrics.measurement import Measurement, bootstrap_interval
from omnihuman.metrics.motion import blink_rate, head_motion
from omnihuman.metrics.sync import (
    ClosureCounts,
    ClosureRule,
    best_lag,
    closed_frames,
    closure_blocks,
    correlation,
    rest_in_silence,
    vowel_openness,
)
from omnihuman.speech.inventory import BILABIALS, VOWELS, TimedPhone
from omnihuman.types import Float, Sound

OPEN_VOWELS = frozenset({"AA", "AE", "AO", "AW", "AY"})
"""Vowels that ask for a dropped jaw."""


class SyncSettings(StrictModel):
    """How closures are judged; configs/evaluation/sync.yaml."""

    close_below: float = Field(gt=0, description="Lips close under this gap, IOD.")
    open_above: float = Field(gt=0, description="Closed lips open over this gap, IOD.")
    tolerance_s: float = Field(ge=0, description="A closure this far outside a p, b or m still meets it.")
    max_yaw_deg: float = Field(gt=0, description="Frames with the head turned farther are not judged.")
    settle_s: float = Field(ge=0, description="Rest is judged this far inside a silence.")
    max_lag_s: float = Field(gt=0, description="Largest offset between lips and sound that is tried.")
    shift_s: float = Field(gt=0, description="Shift of the control that must fail.")
    block_s: float = Field(gt=0, description="Stretch of speech that the bootstrap draws as one.")
    bootstrap_draws: int = Field(ge=100, description="Resamples of the bootstrap.")
    bars: dict[str, float] = Field(description="Least value of a measurement, by name.")

    @property
    def rule(self) -> ClosureRule:
        """Thresholds of the closure scores."""
        return ClosureRule(self.close_below, self.open_above, self.tolerance_s)


@dataclass(frozen=True)
class SpokenClip:
    """One clip to judge.

    Attributes:
        name: For the report.
        tracks: The face.
        phones: When each phone is said.
        sound: For the loudness control; None leaves it out.
    """

    name: str
    tracks: FaceTracks
    phones: Sequence[TimedPhone]
    sound: Sound | None = None


@dataclass(frozen=True)
class EvaluationResult:
    """Named measurements.

    Attributes:
        measurements: Of everything together.
        controls: Control name -> its measurements.
        clips: Clip name -> its measurements.
        facts: What the numbers rest on, JSON-ready.
    """

    measurements: dict[str, Measurement]
    controls: dict[str, dict[str, Measurement]] = field(default_factory=dict)
    clips: dict[str, dict[str, Measurement]] = field(default_factory=dict)
    facts: dict[str, float | int | str] = field(default_factory=dict)


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
    late = [shifted_gap(gap, clip.tracks.fps, settings.shift_s) for clip, gap in zip(clips, gaps, strict=True)]
    controls = {f"shift_{settings.shift_s:g}_s": _closure_scores(_blocks(clips, late, settings), settings, rng)}
    heard = [(c, envelope_gap(c.sound, c.tracks.times_s, g)) for c, g in zip(clips, gaps, strict=True) if c.sound]
    if heard:
        loud = _blocks([clip for clip, _ in heard], [gap for _, gap in heard], settings)
        controls["loudness"] = _closure_scores(loud, settings, rng)
    single = {}
    for clip, gap in zip(clips, gaps, strict=True):
        single[clip.name] = sum(_blocks([clip], [gap], settings), ClosureCounts()).measurements()
    return EvaluationResult(measurements, controls, single, _facts(clips, gaps, blocks, settings))


def measure_motion(tracks: FaceTracks) -> EvaluationResult:
    """Blinks, head motion and drift of one video; steadiness of the face finder among the facts."""
    found = {
        "blink_rate": blink_rate(tracks.aperture, tracks.fps),
        **head_motion(tracks.angles_deg, tracks.fps).measurements(),
        "geometry_drift": geometry_drift(tracks.steady, round(tracks.fps)),
    }
    facts: dict[str, float | int | str] = {
        "frames": len(tracks.gap),
        "fps": tracks.fps,
        "face_found": round(tracks.found, 4),
    }
    return EvaluationResult(found, facts=facts)


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
    rows = []
    for clip, gap in zip(clips, gaps, strict=True):
        times_s = clip.tracks.times_s
        wanted = expected_gap(clip.phones, times_s)
        silences = silences_of(clip.phones, _duration_s(clip))
        rows.append(
            (
                float(len(gap)),
                correlation(gap, wanted),
                best_lag(gap, wanted, clip.tracks.fps, settings.max_lag_s).offset_s,
                rest_in_silence(gap, times_s, silences, settings.rule, settings.settle_s).value,
                vowel_openness(gap, times_s, intervals_of(clip.phones, VOWELS), settings.rule).value,
            )
        )
    weights, *columns = (np.array(column) for column in zip(*rows, strict=True))
    gap_correlation, offset_s, rest, openness = (_weighted(column, weights) for column in columns)
    return {
        "gap_correlation": Measurement(gap_correlation, "", True),
        "offset": Measurement(offset_s, "s", None),
        "rest_in_silence": Measurement(rest, "share", True),
        "vowels_open": Measurement(openness, "share", True),
    }


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
        "rule": f"closed under {settings.close_below:g}, open over {settings.open_above:g} IOD, "
        f"tolerance {settings.tolerance_s * 1000:g} ms, |yaw| <= {settings.max_yaw_deg:g} deg",
    }


def _duration_s(clip: SpokenClip) -> float:
    return len(clip.tracks.times_s) / clip.tracks.fps


def _weighted(values: Float, weights: Float) -> float:
    known = np.isfinite(values)
    return float(np.average(values[known], weights=weights[known])) if known.any() else math.nan
