"""Sounds made worse before they drive: what a telephone or a noisy room leaves. Transcripts stay the original's.

Legend: S samples.
"""

from __future__ import annotations

import re

import numpy as np
import soxr

from omnihuman.errors import InputError
from omnihuman.types import Float, Sound

_HINT = "Write 8k for 8 kHz sound, noise20 for white noise 20 dB under the speech, level-20 for 20 dB less."


def spoil(sound: Sound, how: str) -> Sound:
    """The same sound, spoiled.

    Args:
        sound: Speech.
        how: `8k`: only what 8,000 samples a second hold (any number of kHz under the sound's own); `noise20`: white
            noise so many dB under the sound's power, the same for the same sound; `level-20`: so many dB fainter.

    Raises:
        InputError: spoil_unknown.
    """
    if found := re.fullmatch(r"(\d{1,2})k", how):
        rate_hz = 1000 * int(found[1])
        if 4000 <= rate_hz < sound.rate_hz:
            return Sound(_narrow(sound.samples, sound.rate_hz, rate_hz), sound.rate_hz)
        if rate_hz >= sound.rate_hz:
            cause = f"the sound has only {sound.rate_hz} samples a second, {how} leaves it as it is"
            raise InputError("spoil_unknown", cause, "Choose less.")
    if found := re.fullmatch(r"noise(-?\d{1,2})", how):
        return Sound(_noisy(sound.samples, float(found[1])), sound.rate_hz)
    if found := re.fullmatch(r"level(-\d{1,2})", how):
        return Sound((sound.samples * 10.0 ** (float(found[1]) / 20.0)).astype(np.float32), sound.rate_hz)
    raise InputError("spoil_unknown", f"{how!r} is no way to spoil a sound", _HINT)


def _narrow(samples: Float, rate_hz: int, kept_hz: int) -> Float:
    less = soxr.resample(samples, rate_hz, kept_hz)
    back = np.asarray(soxr.resample(less, kept_hz, rate_hz), np.float32)
    return np.pad(back, (0, max(0, len(samples) - len(back))))[: len(samples)]


def _noisy(samples: Float, below_db: float) -> Float:
    power = float(np.mean(samples.astype(np.float64) ** 2))
    noise = np.random.default_rng(len(samples)).normal(0.0, 1.0, len(samples))
    mixed = samples + noise * np.sqrt(power * 10.0 ** (-below_db / 10.0))
    return np.clip(mixed, -1.0, 1.0).astype(np.float32)
