"""Does the result do what its driver did? Correlation of tracks and agreement of blinks. Pure functions of tracks.

Legend: T frames of one video; times are frame centres in seconds; NaN marks what could not be seen.
"""

from __future__ import annotations

import math

import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.metrics.sync import correlation
from omnihuman.types import Float

BLINK_TOLERANCE_S = 0.08
_BASE_S = 1.0
_SHUT_SHARE = 0.6
_OPEN_SHARE = 0.8
_LONGEST_S = 0.6


def followed(times_s: Float, track: Float, driver_times_s: Float, driver_track: Float) -> Measurement:
    """Correlation of a track of the result with the driver's, on the result's frames inside the driver's time."""
    at_result = np.interp(times_s, driver_times_s, driver_track, left=np.nan, right=np.nan)
    return Measurement(correlation(track, at_result), "", True)


def blink_times(aperture: Float, times_s: Float) -> Float:
    """The middle of each blink, seconds.

    A blink is a dip under 60 % of the aperture around it (the 80th percentile within a second either side) that is
    over, up to 80 %, within 0.6 s: eyes that rest half shut or look down do not blink by that.
    """
    known = np.isfinite(aperture)
    if known.sum() < 3:
        return np.zeros(0)
    values = np.interp(times_s, times_s[known], aperture[known])
    base = np.array([np.percentile(values[np.abs(times_s - t) <= _BASE_S], 80) for t in times_s])
    share = values / np.maximum(base, 1e-6)
    found, index = [], 0
    while index < len(share):
        if share[index] >= _SHUT_SHARE:
            index += 1
            continue
        first, last = index, index
        while first > 0 and share[first - 1] < _OPEN_SHARE:
            first -= 1
        while last + 1 < len(share) and share[last + 1] < _OPEN_SHARE:
            last += 1
        if times_s[last] - times_s[first] <= _LONGEST_S:
            shut = np.flatnonzero(share[first : last + 1] < _SHUT_SHARE)
            found.append(float(times_s[first + shut[0]] + times_s[first + shut[-1]]) / 2)
        index = last + 1
    return np.array(found)


def events_agree(found_s: Float, wanted_s: Float, tolerance_s: float = BLINK_TOLERANCE_S) -> Measurement:
    """F1 of two lists of event times, each event matched once, nearest pairs first; NaN when nothing was wanted."""
    if not len(wanted_s):
        return Measurement(math.nan if not len(found_s) else 0.0, "", True)
    pairs = sorted((abs(a - b), i, j) for i, a in enumerate(found_s) for j, b in enumerate(wanted_s))
    used: tuple[set[int], set[int]] = set(), set()
    for apart_s, i, j in pairs:
        if apart_s <= tolerance_s + 1e-6 and i not in used[0] and j not in used[1]:
            used[0].add(i)
            used[1].add(j)
    return Measurement(2.0 * len(used[0]) / (len(found_s) + len(wanted_s)), "", True)


def follow_error(times_s: Float, track: Float, driver_times_s: Float, driver_track: Float) -> float:
    """Root mean square distance of a result's track from the driver's, each about its own mean; NaN under three frames.

    The mean is left out because a picture has a pose of its own, from which the driver's changes are added.
    """
    wanted = np.interp(times_s, driver_times_s, driver_track, left=np.nan, right=np.nan)
    known = np.isfinite(track) & np.isfinite(wanted)
    if known.sum() < 3:
        return math.nan
    apart = (track[known] - track[known].mean()) - (wanted[known] - wanted[known].mean())
    return float(np.sqrt(np.mean(apart**2)))
