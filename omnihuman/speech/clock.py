"""The clock of phonetic rows: how a sound of any rate is laid on 16 kHz and on 50 rows per second.

Not here: what stands in a row (`phones.py`, `gate.py`, `level.py`). Legend: S samples, N rows.
"""

from __future__ import annotations

import numpy as np

from omnihuman.speech.inventory import FEATURE_RATE_HZ
from omnihuman.types import Float, Sound

ANALYSIS_RATE_HZ = 16_000
"""Rate at which speech is analysed."""

ROW_SAMPLES = int(ANALYSIS_RATE_HZ / FEATURE_RATE_HZ)
"""Samples from one row to the next at the analysis rate."""


def row_count(sound: Sound) -> int:
    """Rows that a sound gets: row `i` is centred on `i / 50` s, the last one at or before the end."""
    return len(sound.samples) * int(FEATURE_RATE_HZ) // sound.rate_hz + 1


def row_times_s(num_rows: int) -> Float:
    """Centre times of the rows, `N` seconds, float32; row 0 is centred on the first sample."""
    return (np.arange(num_rows) / FEATURE_RATE_HZ).astype(np.float32)


def analysis_samples(sound: Sound) -> Float:
    """The sound at the analysis rate, `S` float32; long enough for `row_count` rows.

    Args:
        sound: Any rate, any length; a sound without samples is one row of silence.
    """
    samples = np.nan_to_num(np.asarray(sound.samples, np.float32), posinf=0.0, neginf=0.0)
    if sound.rate_hz != ANALYSIS_RATE_HZ and len(samples):
        import soxr

        samples = soxr.resample(samples, sound.rate_hz, ANALYSIS_RATE_HZ, quality="HQ")
    missing = (row_count(sound) - 1) * ROW_SAMPLES + 1 - len(samples)
    return np.pad(samples, (0, max(0, missing))).astype(np.float32, copy=False)
