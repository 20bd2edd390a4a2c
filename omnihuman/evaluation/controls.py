"""Mouths that know nothing of the phones: what a score must beat. Made from the measured track or the sound alone.

Legend: T frames.
"""

from __future__ import annotations

import numpy as np

from omnihuman.types import Float, Sound

_WINDOW_S = 0.05


def shifted_gap(gap: Float, fps: float, shift_s: float) -> Float:
    """The same lip gap `T`, late by `shift_s`; what falls off the end comes in at the start."""
    return np.roll(gap, round(shift_s * fps))


def loudness_track(sound: Sound, times_s: Float) -> Float:
    """Root mean square of the sound within 25 ms of each of the times `T`; 0 beyond its end."""
    reach = max(1, round(_WINDOW_S * sound.rate_hz / 2))
    energy = np.concatenate([[0.0], np.cumsum(sound.samples.astype(np.float64) ** 2)])
    middle = np.round(times_s * sound.rate_hz).astype(int)
    low, high = (np.clip(middle + side, 0, len(sound.samples)) for side in (-reach, reach))
    return np.sqrt((energy[high] - energy[low]) / np.maximum(high - low, 1)).astype(np.float32)


def envelope_gap(sound: Sound, times_s: Float, like: Float) -> Float:
    """A mouth that opens with the loudness: as often and as wide as the measured one.

    Args:
        sound: The speech.
        times_s: `T` centres of the frames.
        like: `T` measured gap; loudness is mapped onto its distribution by rank, so that no threshold favours either.

    Returns:
        Gap `T`; NaN where `like` is NaN.
    """
    loudness = loudness_track(sound, times_s)
    known = np.isfinite(like)
    mapped = np.full(len(like), np.nan, np.float32)
    rank = np.argsort(np.argsort(loudness[known], kind="stable"), kind="stable")
    mapped[known] = np.sort(like[known])[rank]
    return mapped
