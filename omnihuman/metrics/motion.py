"""Does the person move like a person? Blinks, head motion, speed at window seams, stillness of the background.

Pure functions of tracks and frames; nothing here finds a face. Legend: T frames, D columns of a track.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.metrics.sync import Interval, runs_of
from omnihuman.types import Float, Image

BLINK_S = (0.03, 0.5)
"""Shorter closings are noise of the tracker, longer ones shut eyes."""
_SHUT_SHARE = 0.55


def blinks(aperture: Float, fps: float) -> list[Interval]:
    """Finds blinks in an eye-aperture track.

    Args:
        aperture: `T` lid distance in any unit, NaN where unknown.
        fps: Frames per second.

    Returns:
        Start and end of every stretch in which the eye is narrower than about half of its usual (median) aperture.
    """
    known = np.isfinite(aperture)
    if not known.any():
        return []
    usual = float(np.median(aperture[known]))
    shut = known & (np.where(known, aperture, usual) < _SHUT_SHARE * usual)
    stretches = [(first / fps, (last + 1) / fps) for first, last in runs_of(shut)]
    return [(start, end) for start, end in stretches if BLINK_S[0] <= end - start <= BLINK_S[1]]


def blink_rate(aperture: Float, fps: float) -> Measurement:
    """Blinks per minute of judged time; people do about 8 to 30 when they talk."""
    minutes = float(np.isfinite(aperture).sum()) / fps / 60.0
    return Measurement(len(blinks(aperture, fps)) / minutes if minutes else math.nan, "1/min", None)


@dataclass(frozen=True)
class HeadMotion:
    """How the head moves; each entry is yaw, pitch, roll.

    Attributes:
        spread_deg: Standard deviation of the angle.
        reach_deg: Largest minus smallest angle.
        speed_deg_s: Mean absolute angular velocity.
        jerkiness: Mean absolute acceleration over mean absolute velocity, 1/s; shaking raises it.
    """

    spread_deg: tuple[float, float, float]
    reach_deg: tuple[float, float, float]
    speed_deg_s: tuple[float, float, float]
    jerkiness: float

    def measurements(self) -> dict[str, Measurement]:
        """The numbers by name."""
        named = {}
        for i, axis in enumerate(("yaw", "pitch", "roll")):
            named[f"head_{axis}_spread"] = Measurement(self.spread_deg[i], "deg", None)
            named[f"head_{axis}_speed"] = Measurement(self.speed_deg_s[i], "deg/s", None)
        return {**named, "head_jerkiness": Measurement(self.jerkiness, "1/s", False)}


def head_motion(angles_deg: Float, fps: float) -> HeadMotion:
    """Statistics of a head-angle track `T 3` (yaw, pitch, roll in degrees), rows of NaN left out of every pair."""
    if not np.isfinite(angles_deg).all(1).any():
        nothing = (math.nan, math.nan, math.nan)
        return HeadMotion(nothing, nothing, nothing, math.nan)
    velocity = np.diff(angles_deg, axis=0) * fps
    acceleration = np.diff(velocity, axis=0) * fps
    speed = _mean_known(np.abs(velocity), 0)
    mean_speed = float(np.mean(speed))
    jerkiness = float(np.mean(_mean_known(np.abs(acceleration), 0))) / mean_speed if mean_speed > 1e-9 else 0.0
    reach = np.nanmax(angles_deg, 0) - np.nanmin(angles_deg, 0)
    return HeadMotion(_triple(np.nanstd(angles_deg, 0)), _triple(reach), _triple(speed), jerkiness)


def seam_velocity(track: Float, seams: Sequence[int]) -> Measurement:
    """Speed of the motion across window seams over its speed elsewhere; 1 = seams cannot be told.

    Args:
        track: `T D` motion parameters; columns that never move are left out.
        seams: Index of the first frame of each window but the first.

    Returns:
        Ratio of mean absolute step sizes, averaged over columns in their own spread; NaN without seams or motion.
    """
    steps = np.abs(np.diff(track.astype(np.float64), axis=0))
    spread = track.std(0, dtype=np.float64)
    moving = spread > 1e-6
    at_seam = np.zeros(len(steps), bool)
    at_seam[[seam - 1 for seam in seams if 0 < seam < len(track)]] = True
    if not moving.any() or not at_seam.any() or at_seam.all():
        return Measurement(math.nan, "ratio", False)
    relative = (steps[:, moving] / spread[moving]).mean(1)
    return Measurement(float(relative[at_seam].mean() / max(relative[~at_seam].mean(), 1e-12)), "ratio", False)


def background_change(frames: Iterable[Image], reference: Image, person: Float) -> Measurement:
    """Mean absolute difference, grey levels 0..255, between frames and the reference outside the person.

    Args:
        frames: Pictures `H W 3`.
        reference: The picture they should equal there, `H W 3`.
        person: `H W` 0..1; pixels over 0 belong to the person and whatever may move with it.
    """
    outside = person <= 0.0
    if not outside.any():
        return Measurement(math.nan, "levels", False)
    still = reference[outside].astype(np.int16)
    changes = [float(np.abs(frame[outside].astype(np.int16) - still).mean()) for frame in frames]
    return Measurement(float(np.mean(changes)) if changes else math.nan, "levels", False)


def _mean_known(values: Float, axis: int) -> Float:
    known = np.isfinite(values)
    count = np.maximum(known.sum(axis), 1)
    return np.asarray(np.where(known, values, 0.0).sum(axis) / count, np.float32)


def _triple(values: Float) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
