"""What `trim` leaves of a sound and of a pose track. The same stretch is taken of everything that was recorded.

The end of what says how long the video is must be there; another recording may end sooner, as without `trim`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omnihuman.errors import InputError
from omnihuman.perception.keypoints import KeypointTrack
from omnihuman.stretch import Stretch
from omnihuman.types import Sound

SLACK_S = 0.05
"""Lengths that players show are rounded: an end that lies so little beyond the recording is its end."""
HALF_TICK_S = 5e-4
"""Times of frames are rounded to milliseconds in many containers."""


def require_inside(stretch: Stretch, length_s: float, what: str, to_its_end: bool = True) -> None:
    """Refuses a stretch that a recording does not have.

    Args:
        stretch: What is wanted.
        length_s: Length of the recording.
        what: It is, for the error line.
        to_its_end: Whether the end has to be there, too.

    Raises:
        InputError: trim_outside, with the length.
    """
    if stretch.start_s >= length_s:
        cause = f"--trim begins at {stretch.start_s:g} s, {what} lasts {length_s:.2f} s"
        raise InputError("trim_outside", cause, f"Begin before {_floored(length_s):g}.")
    if to_its_end and np.isfinite(stretch.end_s) and stretch.end_s > length_s + SLACK_S:
        cause = f"--trim ends at {stretch.end_s:g} s, {what} lasts {length_s:.2f} s"
        way_out = (
            f"Write --trim {stretch.start_s:g}: for all of the rest, or end at {_floored(length_s):g} at the latest."
        )
        raise InputError("trim_outside", cause, way_out)


def trimmed_sound(sound: Sound, stretch: Stretch) -> Sound:
    """The stretch of a sound; what lies beyond its end is left out.

    Raises:
        InputError: trim_outside.
    """
    if stretch == Stretch():
        return sound
    require_inside(stretch, sound.duration_s, "the sound")
    first = round(stretch.start_s * sound.rate_hz)
    last = round(min(stretch.end_s, sound.duration_s) * sound.rate_hz)
    stereo = None if sound.stereo is None else sound.stereo[first:last]
    return Sound(sound.samples[first:last], sound.rate_hz, stereo)


def trimmed_track(track: KeypointTrack, stretch: Stretch) -> KeypointTrack:
    """The frames of a pose track whose middles lie in the stretch, their times counted from its start."""
    inside = (track.times_s >= stretch.start_s) & (track.times_s < stretch.end_s)
    times_s = track.times_s[inside] - np.float32(stretch.start_s)
    return replace(track, times_s=times_s, points=track.points[inside], confidence=track.confidence[inside])


def _floored(length_s: float) -> float:
    """Two decimals, never beyond the recording."""
    return int(length_s * 100) / 100
