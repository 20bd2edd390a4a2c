"""When somebody speaks: an energy gate over tracked noise floors, so that mouths rest in silence and steady noise.

It does not know speech from music or from sudden noises: that takes a network. Legend: S samples, N rows of 1/50 s,
K frequency bands.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from omnihuman.speech.clock import ANALYSIS_RATE_HZ, ROW_SAMPLES, analysis_samples, row_count
from omnihuman.speech.inventory import FEATURE_RATE_HZ
from omnihuman.types import Float, Sound

_BAND_EDGES_HZ = (120, 300, 600, 1000, 1600, 2500, 4000, 7000)
"""Wide enough that steady noise fluctuates little in 50 ms, narrow enough that a fricative or a nasal fills one."""

_SPECTRUM_SAMPLES = 800
_ROWS_PER_BATCH = 4096
_SILENT_BELOW_DB = -80.0
"""A clip whose loud rows stay under this holds no speech, whatever its shape."""
_BAND_FLOOR_DB = -150.0
_RANGE_DB = 45.0
"""Floors are kept within this of the clip's loud rows: what is fainter is not heard as speech."""
_FLOOR_PERCENTILE = 10
_FLOOR_SPAN_S = 4.0
_FLOOR_STEP_S = 0.5
"""Everybody leaves a tenth of four seconds quiet in every band, be it in stops and pauses between words."""
_CLOSED_DB = 6.0
_OPEN_DB = 11.0
"""Excess over the floor in the two clearest bands. Steady noise stays under the first; speech passes the second."""
_LEAD_S = 0.10
_TRAIL_S = 0.12
"""The gate opens before and closes after the energy, for weak onsets and dying vowels."""
_SHORTEST_S = 0.12
"""Excess that is over sooner is a click, which the analysis window stretches to 100 ms, or a fluctuation."""


def speech_activity(sound: Sound) -> Float:
    """How far the gate is open in each row.

    Args:
        sound: Any rate, level and length.

    Returns:
        `N` float32 in 0..1, row `i` centred on `i / 50` s; the same for any recording level.
    """
    rows = row_count(sound)
    bands_db = _band_levels_db(analysis_samples(sound), rows)
    loud_db = float(np.percentile(10.0 * np.log10(np.sum(10.0 ** (bands_db / 10.0), axis=1)), 95))
    if loud_db < _SILENT_BELOW_DB:
        return np.zeros(rows, np.float32)
    floor_db = np.maximum(_noise_floor_db(bands_db), loud_db - _RANGE_DB)
    excess_db = np.sort(_smooth(bands_db) - floor_db, axis=1)[:, -2:].mean(axis=1)
    opening = np.clip((excess_db - _CLOSED_DB) / (_OPEN_DB - _CLOSED_DB), 0.0, 1.0)
    return _hold(opening)


def _band_levels_db(samples: Float, rows: int) -> Float:
    """Level per row and band in dB relative to full scale, ``N K``.

    Windows stay inside the sound: over its edges a steady hum would click.
    """
    padded = np.pad(samples, (0, max(0, _SPECTRUM_SAMPLES - len(samples))))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _SPECTRUM_SAMPLES)
    starts = np.clip(np.arange(rows) * ROW_SAMPLES - _SPECTRUM_SAMPLES // 2, 0, len(frames) - 1)
    window = np.hanning(_SPECTRUM_SAMPLES + 1)[:-1]
    edges = np.round(np.asarray(_BAND_EDGES_HZ) * _SPECTRUM_SAMPLES / ANALYSIS_RATE_HZ).astype(int)
    scale = 2.0 / (_SPECTRUM_SAMPLES * np.square(window).sum())
    levels = np.empty((rows, len(edges) - 1), np.float32)
    for start in range(0, rows, _ROWS_PER_BATCH):
        batch = slice(start, start + _ROWS_PER_BATCH)
        spectrum = np.fft.rfft(frames[starts[batch]] * window, axis=1)
        power = np.add.reduceat(np.square(np.abs(spectrum)), edges, axis=1)[:, :-1] * scale
        levels[batch] = np.maximum(10.0 * np.log10(power + 1e-30), _BAND_FLOOR_DB)
    return levels


def _noise_floor_db(bands_db: Float) -> Float:
    """Low percentile of each band around each row, ``N K``."""
    rows = len(bands_db)
    half = int(_FLOOR_SPAN_S * FEATURE_RATE_HZ / 2)
    centres = np.arange(0, rows + 1, int(_FLOOR_STEP_S * FEATURE_RATE_HZ))
    spans = [(max(0, min(centre - half, rows - 2 * half)), max(centre + half, 2 * half)) for centre in centres]
    floors = np.stack([np.percentile(bands_db[a:b], _FLOOR_PERCENTILE, axis=0) for a, b in spans])
    columns = [np.interp(np.arange(rows), centres, floors[:, band]) for band in range(bands_db.shape[1])]
    return np.stack(columns, axis=1).astype(np.float32)


def _smooth(values: Float) -> Float:
    """Binomial mean over three rows."""
    padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
    return (0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]).astype(np.float32)


def _hold(opening: Float) -> Float:
    """Open early, close late, with ramps instead of steps; openings that stay too short vanish whole."""
    lead, trail = int(_LEAD_S * FEATURE_RATE_HZ), int(_TRAIL_S * FEATURE_RATE_HZ)
    held = _extreme(opening, trail, lead, np.max)
    width = lead + trail + int(_SHORTEST_S * FEATURE_RATE_HZ)
    lasting = _extreme(_extreme(held, 0, width - 1, np.min), width - 1, 0, np.max)
    return _smooth(lasting[:, None])[:, 0]


def _extreme(values: Float, before: int, after: int, pick: Callable[..., Float]) -> Float:
    padded = np.pad(values, (before, after), mode="edge")
    return pick(np.lib.stride_tricks.sliding_window_view(padded, before + after + 1), axis=1)
