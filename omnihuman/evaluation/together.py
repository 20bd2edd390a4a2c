"""Sound and driver at once: does the body still do what the driver alone makes it do, and do the lips follow the sound?

Three results of one picture are compared: driven by the video alone, by the sound alone, and by both.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.driving import body_angles
from omnihuman.evaluation.results import Bar, EvaluationResult
from omnihuman.evaluation.suite import SpokenClip, SyncSettings, measure_sync
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.metrics.driving import follow_error
from omnihuman.metrics.measurement import Measurement
from omnihuman.perception.person import PersonTrack
from omnihuman.speech.inventory import TimedPhone
from omnihuman.types import Sound


class TogetherSettings(StrictModel):
    """How signals that add up are judged; configs/evaluation/together.yaml."""

    least_motion_deg: float = Field(ge=0, description="What moves less in the driver (spread) is not judged.")
    bars: dict[str, Bar] = Field(description="Bars by measurement.")


def load_together_settings() -> TogetherSettings:
    """Reads configs/evaluation/together.yaml; raises ConfigError."""
    return load(TogetherSettings, configs_dir() / "evaluation" / "together.yaml")


def compare_bodies(
    driver: PersonTrack, pose_alone: PersonTrack, both: PersonTrack, least_deg: float
) -> dict[str, Measurement]:
    """How far head, shoulders and arms stray from the driver with both signals, over how far with the driver alone.

    Args:
        driver: The driving video's person.
        pose_alone: Of the result that the driver alone drives.
        both: Of the result that sound and driver drive.
        least_deg: Angles that spread less in the driver are left out.

    Returns:
        `body_error_*` in degrees, means over the angles, and `body_error_ratio`; undefined where nothing moves.
    """
    wanted, alone, mixed = (body_angles(person) for person in (driver, pose_alone, both))
    errors = []
    for name, track in wanted.items():
        seen = np.isfinite(track)
        if seen.sum() > 2 and float(np.nanstd(track)) >= least_deg:
            errors.append(
                [
                    follow_error(person.times_s, angles[name], driver.times_s, track)
                    for person, angles in ((pose_alone, alone), (both, mixed))
                ]
            )
    known = np.array([pair for pair in errors if np.isfinite(pair).all()])
    first, second = (float(x) for x in known.mean(0)) if len(known) else (math.nan, math.nan)
    return {
        "body_error_pose_alone": Measurement(first, "deg", False),
        "body_error_together": Measurement(second, "deg", False),
        "body_error_ratio": Measurement(second / first if first > 0 else math.nan, "ratio", False),
    }


def compare_lips(
    sound_alone: FaceTracks, both: FaceTracks, phones: Sequence[TimedPhone], sound: Sound, settings: SyncSettings
) -> dict[str, Measurement]:
    """Closure F1 with the sound alone and with both signals, and what is lost."""
    alone, mixed = (
        measure_sync([SpokenClip("clip", tracks, phones, sound)], settings, np.random.default_rng(0)).measurements
        for tracks in (sound_alone, both)
    )
    lost = alone["closure_f1"].value - mixed["closure_f1"].value
    return {
        "lip_f1_sound_alone": alone["closure_f1"],
        "lip_f1_together": mixed["closure_f1"],
        "lip_f1_loss": Measurement(lost, "share", False),
    }


def measure_together(bodies: dict[str, Measurement], lips: dict[str, Measurement]) -> EvaluationResult:
    """Both comparisons as one result."""
    return EvaluationResult(bodies | lips)
