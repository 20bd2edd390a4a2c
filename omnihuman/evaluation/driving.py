"""Does the result do what its driver did? Both videos are looked at afresh; nothing of the fit is trusted.

Legend: N frames of a video; angles in degrees, lengths in IOD; NaN where something is not seen.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.results import EvaluationResult
from omnihuman.metrics.driving import blink_times, events_agree, followed
from omnihuman.metrics.measurement import Measurement
from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap
from omnihuman.perception.person import PersonTrack
from omnihuman.types import Float

_FACE_COLUMNS = ("yaw", "pitch", "roll", "lip_gap", "lids")
_LIMBS = {
    "left_upper_arm": (11, 13), "left_forearm": (13, 15), "right_upper_arm": (12, 14), "right_forearm": (14, 16),
}  # fmt: skip
_SHOULDERS = (11, 12)
_VISIBLE = 0.5


class DrivingSettings(StrictModel):
    """How a driven video is judged; configs/evaluation/driving.yaml."""

    blink_tolerance_s: float = Field(gt=0, description="A blink so far from the driver's still meets it.")
    least_motion_deg: float = Field(ge=0, description="Arms that move less in the driver (spread) are not judged.")
    bars: dict[str, float] = Field(description="Least value of a measurement, by name.")


def load_driving_settings() -> DrivingSettings:
    """Reads configs/evaluation/driving.yaml; raises ConfigError."""
    return load(DrivingSettings, configs_dir() / "evaluation" / "driving.yaml")


def measure_driving(driver: PersonTrack, result: PersonTrack, settings: DrivingSettings) -> EvaluationResult:
    """Scores how a result follows its driver.

    Args:
        driver: The driving video's person.
        result: The result's person.
        settings: Bars and tolerances.
    """
    wanted, found = face_columns(driver), face_columns(result)
    measurements = {
        name: followed(result.times_s, found[:, k], driver.times_s, wanted[:, k])
        for k, name in enumerate(_FACE_COLUMNS)
    }
    blinks = blink_times(found[:, 4], result.times_s), blink_times(wanted[:, 4], driver.times_s)
    # Neither video is judged where the other has ended.
    end_s = min(float(result.times_s[-1]), float(driver.times_s[-1]))
    blinks = blinks[0][blinks[0] <= end_s], blinks[1][blinks[1] <= end_s]
    measurements["blink_f1"] = events_agree(blinks[0], blinks[1], settings.blink_tolerance_s)
    measurements |= _body(driver, result, settings.least_motion_deg)
    facts: dict[str, float | int | str] = {
        "frames": len(result.times_s),
        "face_found": round(float(result.face_seen.mean()), 4),
        "driver_face_found": round(float(driver.face_seen.mean()), 4),
        "blinks": len(blinks[0]),
        "driver_blinks": len(blinks[1]),
    }
    for k, name in enumerate(_FACE_COLUMNS[:3]):
        facts[f"{name}_spread"] = round(float(np.nanstd(found[:, k])), 2)
        facts[f"driver_{name}_spread"] = round(float(np.nanstd(wanted[:, k])), 2)
    return EvaluationResult(measurements, facts=facts)


def bars_for(result: EvaluationResult, settings: DrivingSettings) -> dict[str, float]:
    """The bars that hold for a result: where neither the driver nor the result blinks there is none for blinks.

    Anything else that could not be measured misses its bar.
    """
    blinks = result.facts["driver_blinks"] or result.facts["blinks"]
    return {name: least for name, least in settings.bars.items() if name != "blink_f1" or blinks}


def face_columns(person: PersonTrack) -> Float:
    """`N 5`: yaw, pitch, roll, lip gap, lid distance."""
    table = np.full((len(person.times_s), len(_FACE_COLUMNS)), np.nan)
    for row in np.flatnonzero(person.face_seen):
        points = person.face[row]
        table[row] = (*head_pose_deg(points), inner_lip_gap(points), float(np.mean(eye_aperture(points))))
    return table


def body_angles(person: PersonTrack) -> dict[str, Float]:
    """Angles of head, shoulders and arms, `N` degrees each, NaN where not seen."""
    head = face_columns(person)[:, :3]
    angles = {name: head[:, k] for k, name in enumerate(_FACE_COLUMNS[:3])}
    angles["shoulder_tilt"] = _limb_deg(person, _SHOULDERS)
    return angles | {name: _limb_deg(person, joints) for name, joints in _LIMBS.items()}


def _body(driver: PersonTrack, result: PersonTrack, least_deg: float) -> dict[str, Measurement]:
    """Correlations of shoulders and limbs that are seen in both videos, and that move in the driver."""
    found = {}
    wanted_tilt, tilt = (_limb_deg(person, _SHOULDERS) for person in (driver, result))
    found["shoulder_tilt"] = followed(result.times_s, tilt, driver.times_s, wanted_tilt)
    for name, joints in _LIMBS.items():
        wanted, seen = _limb_deg(driver, joints), _limb_deg(result, joints)
        if np.isfinite(wanted).sum() > 2 and np.nanstd(wanted) >= least_deg and np.isfinite(seen).sum() > 2:
            found[name] = followed(result.times_s, seen, driver.times_s, wanted)
    return {name: measured for name, measured in found.items() if np.isfinite(measured.value)}


def _limb_deg(person: PersonTrack, joints: tuple[int, int]) -> Float:
    """Angle `N` in the picture within half a turn of its own mean, NaN where an end is not seen."""
    start, end = (person.body[:, joint, :2].astype(np.float64) for joint in joints)
    angle = np.arctan2(end[:, 1] - start[:, 1], end[:, 0] - start[:, 0])
    seen = (person.body_visibility[:, list(joints)] > _VISIBLE).all(1)
    if not seen.any():
        return np.full(len(angle), np.nan)
    mean = float(np.angle(np.exp(1j * angle[seen]).mean()))
    return np.where(seen, np.degrees((angle - mean + np.pi) % (2 * np.pi) - np.pi), np.nan)
