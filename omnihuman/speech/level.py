"""How loud a sound is, row by row, and how loud its speech is: the yardstick that makes features level-invariant.

Not here: whether a row is speech (`gate.py`). Legend: S samples, N rows of 1/50 s.
"""

from __future__ import annotations

import numpy as np

from omnihuman.speech.clock import ROW_SAMPLES
from omnihuman.types import Float

SILENCE_DB = -100.0
"""Floor of a level: below the noise of 16-bit sound."""

_TARGET_LEVEL_DB = -23.0
_MAX_GAIN_DB = 60.0
"""Where speech is brought to, and how far a faint recording is lifted at most."""

_ACTIVE_BELOW_PEAK_DB = 25.0
"""Rows this far under the loud ones still count as speech; 20-30 dB separates vowels from weak consonants."""


def row_levels_db(samples: Float, num_rows: int) -> Float:
    """Level of each row in dB relative to full scale, `N` float32, not below the floor.

    A row is a Hann window of two row lengths about its centre, so that rows overlap without ripple.

    Args:
        samples: `S` at the analysis rate.
        num_rows: N; the sound is padded with silence on both sides.
    """
    padded = np.pad(samples, (ROW_SAMPLES, 0))
    missing = (num_rows + 1) * ROW_SAMPLES - len(padded)
    power = np.pad(padded, (0, max(0, missing)))[: (num_rows + 1) * ROW_SAMPLES] ** 2
    halves = power.reshape(num_rows + 1, ROW_SAMPLES)
    rise = np.sin(np.pi / 2 * (np.arange(ROW_SAMPLES) + 0.5) / ROW_SAMPLES) ** 2 / ROW_SAMPLES
    rise = rise.astype(np.float32)
    mean = halves[:-1] @ rise + halves[1:] @ rise[::-1]
    return np.maximum(10.0 * np.log10(mean + 1e-30), SILENCE_DB).astype(np.float32)


def speech_level_db(levels_db: Float) -> float:
    """Level of the speech in a clip: mean power of the rows near the loud ones, so that pauses do not count.

    Args:
        levels_db: `N` row levels.

    Returns:
        dB relative to full scale; the floor when everything is silent.
    """
    loud = np.percentile(levels_db, 95)
    if loud <= SILENCE_DB:
        return SILENCE_DB
    active = levels_db[levels_db >= loud - _ACTIVE_BELOW_PEAK_DB].astype(np.float64)
    return float(10.0 * np.log10(np.mean(10.0 ** (active / 10.0))))


def at_speech_level(samples: Float) -> Float:
    """The sound with its speech at one nominal level, so that recordings of any level read the same.

    Args:
        samples: `S` at the analysis rate.

    Returns:
        `S` float32; silence stays as it is.
    """
    level_db = speech_level_db(row_levels_db(samples, len(samples) // ROW_SAMPLES + 1))
    if level_db <= SILENCE_DB:
        return samples
    gain_db = min(_TARGET_LEVEL_DB - level_db, _MAX_GAIN_DB)
    return (samples * 10.0 ** (gain_db / 20.0)).astype(np.float32)
