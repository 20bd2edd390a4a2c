"""What `evaluate motion` measures: does the person of a finished video move, blink and stay like a person?

Legend: T frames.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.results import Bar, EvaluationResult
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.latents.motion.space import SPEC
from omnihuman.metrics.drift import geometry_drift
from omnihuman.metrics.motion import blink_rate, head_motion, seam_velocity
from omnihuman.pipeline.preset import SamplerSettings
from omnihuman.pipeline.windows import plan
from omnihuman.types import Float


class MotionSettings(StrictModel):
    """Bars of a video's motion; configs/evaluation/motion.yaml."""

    bars: dict[str, Bar] = Field(description="Least value of a measurement, or lowest and highest, by name.")


def load_motion_settings() -> MotionSettings:
    """Reads configs/evaluation/motion.yaml; raises ConfigError."""
    return load(MotionSettings, configs_dir() / "evaluation" / "motion.yaml")


def seams_s(duration_s: float, sampler: SamplerSettings) -> list[float]:
    """When the windows of a clip of that length begin in the motion space, seconds, but for the first."""
    lengths = sampler.window_latents, sampler.prefix_latents, sampler.lookahead_latents
    windows = plan(max(1, round(duration_s * SPEC.fps)), *lengths)
    return [part.keep_from / SPEC.fps for part in windows[1:]]


def measure_motion(tracks: FaceTracks, seams: Sequence[float] = ()) -> EvaluationResult:
    """Blinks, head motion, speed at seams and drift of one video; steadiness of the face finder among the facts.

    Args:
        tracks: The face.
        seams: When windows begin, seconds.
    """
    found = {
        "blink_rate": blink_rate(tracks.aperture, tracks.fps),
        **head_motion(tracks.angles_deg, tracks.fps).measurements(),
        "geometry_drift": geometry_drift(tracks.steady, round(tracks.fps)),
    }
    if seams:
        frames = [int(np.searchsorted(tracks.times_s, time_s)) for time_s in seams]
        found["seam_head"] = seam_velocity(_filled(tracks.angles_deg), frames)
        found["seam_mouth"] = seam_velocity(_filled(tracks.gap[:, None]), frames)
    facts: dict[str, float | int | str] = {
        "frames": len(tracks.gap),
        "fps": tracks.fps,
        "face_found": round(tracks.found, 4),
        "seams": len(seams),
    }
    return EvaluationResult(found, facts=facts)


def _filled(track: Float) -> Float:
    """The track `T D` with unknown entries led through in a straight line."""
    filled = track.copy()
    index = np.arange(len(track))
    for column in filled.T:
        known = np.isfinite(column)
        if known.any():
            column[~known] = np.interp(index[~known], index[known], column[known])
    return filled
