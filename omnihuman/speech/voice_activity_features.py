"""What tells a voice from instruments, row by row: the detector's answer, phones, pitch, timbre and their changes.

Not here: the verdict (`voice_activity_judge.py`). The same for any recording level: everything is relative to the clip.
Pitch: the autocorrelation of a window over that of the window itself (Boersma 1993).
Legend: S samples at the analysis rate, N rows of 1/50 s, K frequency bands, D features.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from omnihuman.speech.clock import ANALYSIS_RATE_HZ, ROW_SAMPLES
from omnihuman.speech.hama_symbols import POSTERIOR_WIDTH
from omnihuman.speech.inventory import PHONES, SILENCE, VOWELS
from omnihuman.types import Float

_BAND_EDGES_HZ = (120, 250, 400, 600, 850, 1150, 1500, 1950, 2500, 3200, 4000, 5200, 7000)
_LOWEST_HZ, _HIGHEST_HZ = 70.0, 900.0
_WINDOW_SAMPLES = 800
_ROWS_PER_BATCH = 1024
_BAND_RANGE_DB = 40.0
_CHANGE_ROWS = 2
_LOGIT_RANGE = 6.0

FEATURE_NAMES = (
    *("detector", "level", "phones_known", "phone", "vowel", "harmonicity", "pitch", "pitch_change", "timbre_change"),
    *(f"band_{edge}_hz" for edge in _BAND_EDGES_HZ[:-1]),
)
"""Columns, in order; each about -1..1."""

PHONE_COLUMNS = slice(2, 5)
"""Zero where no phone posteriors are given."""

_VOWEL_COLUMNS = [PHONES.index(vowel) for vowel in sorted(VOWELS)]
_SAID_COLUMNS = [i for i, phone in enumerate(PHONES) if phone != SILENCE]


def voice_features(samples: Float, detected: Float, log_posteriors: Float | None) -> Float:
    """Features of every row.

    Args:
        samples: `S`, with its speech at one level (`level.at_speech_level`).
        detected: `N` in 0..1, how surely the voice detector hears speech.
        log_posteriors: ``N 42`` of the phonetic network for the same sound, if at hand.

    Returns:
        ``N D`` float32.
    """
    rows = len(detected)
    columns = np.zeros((rows, len(FEATURE_NAMES)), np.float32)
    certain = np.clip(detected, 1e-4, 1.0 - 1e-4)
    columns[:, 0] = np.log(certain / (1.0 - certain)) / _LOGIT_RANGE
    if log_posteriors is not None:
        columns[:, PHONE_COLUMNS] = _phone_columns(log_posteriors[:rows])
    padded = np.pad(samples, (_WINDOW_SAMPLES // 2, _WINDOW_SAMPLES))
    frames = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW_SAMPLES)[::ROW_SAMPLES]
    analysis = _SpectralAnalysis()
    for start in range(0, rows, _ROWS_PER_BATCH):
        batch = slice(start, min(start + _ROWS_PER_BATCH, rows))
        bands_db, columns[batch, 5], columns[batch, 6] = analysis.look(frames[batch])
        loud = np.log10(np.sum(10.0 ** (bands_db / 10.0), axis=1)) * 10.0
        columns[batch, 1] = np.clip((loud + 25.0) / 20.0, -2.0, 1.0)
        shape = bands_db - bands_db.max(axis=1, keepdims=True)
        columns[batch, 9:] = np.clip(shape / _BAND_RANGE_DB, -1.0, 0.0)
    columns[:, 7] = _pitch_change(columns[:, 6], columns[:, 5])
    columns[:, 8] = np.sqrt(np.mean(np.square(_change(columns[:, 9:])), axis=1)) * 3.0
    columns[:, 6] *= columns[:, 5]
    return columns


def _phone_columns(log_posteriors: Float) -> Float:
    """Known; any phone; a vowel. The network is a spiky one, so peaks are widened to their neighbours."""
    assert log_posteriors.shape[1] == POSTERIOR_WIDTH
    said = np.exp(log_posteriors[:, _SAID_COLUMNS]).sum(axis=1)
    vowel = np.exp(log_posteriors[:, _VOWEL_COLUMNS]).sum(axis=1)
    return np.stack([np.ones_like(said), _widened(said), _widened(vowel)], axis=1)


def _widened(values: Float) -> Float:
    padded = np.pad(values, 2)
    wide: Float = np.lib.stride_tricks.sliding_window_view(padded, 5).max(axis=1)
    return wide


def _change(columns: Float) -> Float:
    """Difference between a little later and a little earlier, same shape."""
    padded = np.pad(columns, ((_CHANGE_ROWS, _CHANGE_ROWS), (0, 0)), mode="edge")
    return padded[2 * _CHANGE_ROWS :] - padded[: -2 * _CHANGE_ROWS]


def _pitch_change(octaves: Float, harmonicity: Float) -> Float:
    """Semitones per 80 ms over 3, jumps cut off; nothing where there is no pitch."""
    semitones = 12.0 * np.abs(_change(octaves[:, None])[:, 0])
    return np.clip(semitones / 3.0, 0.0, 1.0) * harmonicity


class _SpectralAnalysis:
    """Band levels and pitch of windows, with the tables that both need."""

    def __init__(self) -> None:
        self._window = np.hanning(_WINDOW_SAMPLES + 1)[:-1].astype(np.float32)
        self._shortest, self._longest = int(ANALYSIS_RATE_HZ / _HIGHEST_HZ), int(ANALYSIS_RATE_HZ / _LOWEST_HZ)
        self._size = next_fast_len(_WINDOW_SAMPLES + self._longest + 1, real=True)
        self._edges = np.round(np.asarray(_BAND_EDGES_HZ) * self._size / ANALYSIS_RATE_HZ).astype(int)
        own = irfft(np.abs(rfft(self._window, self._size)) ** 2, self._size)[: self._longest + 2]
        self._own = (own / own[0]).astype(np.float32)

    def look(self, frames: Float) -> tuple[Float, Float, Float]:
        """Band levels in dB ``N K``, harmonicity `N` in 0..1, pitch `N` in octaves about 200 Hz."""
        spectrum = rfft(frames * self._window, self._size, axis=1)
        power = np.square(np.abs(spectrum))
        bands = np.add.reduceat(power, self._edges, axis=1)[:, :-1] * (2.0 / self._size / np.sum(self._window**2))
        # the hum of mains and the thump of drums lie below the voices looked for
        power[:, : int(_LOWEST_HZ * self._size / ANALYSIS_RATE_HZ)] = 0.0
        lagged = irfft(power, self._size, axis=1)[:, : self._longest + 2]
        alike = lagged / np.maximum(lagged[:, :1], 1e-12) / self._own
        inner = alike[:, self._shortest : self._longest + 1]
        peaks = (inner >= alike[:, self._shortest - 1 : self._longest]) & (inner >= alike[:, self._shortest + 1 :])
        lags = np.arange(self._shortest, self._longest + 1)
        # a little dearer the longer the period, or every pitch would be found an octave down
        scores = np.where(peaks, inner - 0.02 * np.log2(lags / self._shortest), 0.0)
        best = np.argmax(scores, axis=1)
        at = np.arange(len(frames))
        harmonicity = np.clip(inner[at, best] * peaks[at, best], 0.0, 1.0)
        return 10.0 * np.log10(bands + 1e-12), harmonicity, np.log2(ANALYSIS_RATE_HZ / lags[best] / 200.0)
