"""Phones in speech: log posteriors at 50 rows per second from the phonetic network in the hama wheel.

The network's 191 symbols (IPA of many languages, CTC) are folded onto the shared inventory here; the network itself
is `hama_network.py`. Long sounds are read in overlapping windows, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from omnihuman.speech.clock import ANALYSIS_RATE_HZ, ROW_SAMPLES, analysis_samples, row_count
from omnihuman.speech.inventory import PHONES
from omnihuman.speech.level import SILENCE_DB, row_levels_db, speech_level_db
from omnihuman.types import Float, Sound

POSTERIOR_WIDTH = len(PHONES) + 2
"""Columns: PHONES, then blank, then other."""

_FOLD: dict[str, tuple[int, ...]] = {
    "SIL": (0, 4, 6),
    "AA": (7, 22, 62, 63, 64, 80),
    "AE": (66,),
    "AH": (26, 79, 88, 89, 97, 125, 175),
    "AO": (65, 81, 83),
    "AW": (9,),
    "AY": (8,),
    "EH": (15, 23, 91),
    "ER": (90, 92, 93),
    "EY": (14, 16, 178),
    "IH": (100, 101, 102, 105, 106),
    "IY": (20, 68, 74, 78),
    "OW": (24, 33, 34, 71),
    "OY": (84,),
    "UH": (72, 76, 111, 123, 127),
    "UW": (25, 48, 56, 77, 122),
    "B": (10, 82, 132, 172),
    "CH": (44, 45, 46, 47),
    "D": (12, 38, 86, 87, 115, 116),
    "DH": (69,),
    "F": (17, 112),
    "G": (18, 94, 95, 96, 107),
    "HH": (19, 55, 67, 73, 99, 117, 118, 174),
    "JH": (13,),
    "K": (11, 27, 28, 29),
    "L": (30, 103, 104, 126),
    "M": (31,),
    "N": (32, 70, 109),
    "NG": (75, 110),
    "P": (35, 36, 37),
    "R": (113, 114),
    "S": (39, 40),
    "SH": (85, 119, 120),
    "T": (41, 42, 43, 121),
    "TH": (173,),
    "V": (49, 108, 124),
    "W": (50, 51, 52, 53, 54, 98, 137),
    "Y": (21, 133),
    "Z": (57, 177),
    "ZH": (128, 129, 130),
}
"""Columns of the network per phone, by what the mouth shows: rounded front vowels go to UH and UW, trills and flaps
of the tongue tip to D, uvulars to HH, tense and aspirated stops to the plain ones; diacritics and tones to other."""

_SYMBOLS = 191
_BLANK = 190

_WINDOW_ROWS = 1000
"""20 s: half of what the network was built for at most."""

_CONTEXT_ROWS = 100
"""2 s on either side of a seam are read by both windows and dropped."""

_TARGET_LEVEL_DB = -23.0
_MAX_GAIN_DB = 50.0
"""Speech is brought to one level, so that recordings of any level give the same rows; noise floors are not."""


def fold_columns() -> np.ndarray:
    """Column of the folded row for each symbol of the network, `191` int64."""
    columns = np.full(_SYMBOLS, len(PHONES) + 1, np.int64)
    columns[_BLANK] = len(PHONES)
    for phone, symbols in _FOLD.items():
        columns[list(symbols)] = PHONES.index(phone)
    return columns


def fold(log_posteriors: Float) -> Float:
    """Log of summed probabilities on the shared inventory: ``N 191`` to ``N 42``, float32."""
    columns = fold_columns()
    folded = np.full((len(log_posteriors), POSTERIOR_WIDTH), -np.inf, np.float64)
    for column in range(POSTERIOR_WIDTH):
        folded[:, column] = np.logaddexp.reduce(log_posteriors[:, columns == column].astype(np.float64), axis=1)
    return folded.astype(np.float32)


class PhoneRecognizer:
    """Sound to phone posteriors. Interim: the native engine of the installed hama package."""

    def __init__(self, session: object) -> None:
        self._session = session

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> PhoneRecognizer:
        """Load from the registry's files.

        Args:
            files: Holds `asr_waveform.hama`.
            device: Torch device.
        """
        from hama._engine import AsrSession

        return cls(AsrSession(Path(files["asr_waveform.hama"]).read_bytes()))

    def log_posteriors(self, sound: Sound) -> Float:
        """Phone posteriors of a sound.

        Args:
            sound: Speech of any rate, level and length.

        Returns:
            ``N 42`` float32 natural logs, rows as `clock.row_times_s`, columns PHONES, blank, other.
        """
        rows = row_count(sound)
        samples = _at_target_level(analysis_samples(sound))
        folded = np.empty((rows, POSTERIOR_WIDTH), np.float32)
        for start, stop, first, last in _windows(rows):
            piece = samples[start * ROW_SAMPLES : (stop - 1) * ROW_SAMPLES + 1 + ROW_SAMPLES]
            piece = np.pad(piece, (0, max(0, ANALYSIS_RATE_HZ // 10 - len(piece))))
            log_probs, _ = self._session.run(  # type: ignore[attr-defined]
                ["log_probs", "out_lengths"], {"waveform": piece, "waveform_lengths": np.array([len(piece)])}
            )
            folded[first:last] = fold(log_probs[0][first - start : last - start])
        return folded


def _at_target_level(samples: Float) -> Float:
    levels = row_levels_db(samples, len(samples) // ROW_SAMPLES + 1)
    level = speech_level_db(levels)
    if level <= SILENCE_DB:
        return samples
    gain_db = min(_TARGET_LEVEL_DB - level, _MAX_GAIN_DB)
    return (samples * np.float32(10.0 ** (gain_db / 20.0))).astype(np.float32)


def _windows(rows: int) -> list[tuple[int, int, int, int]]:
    """Read rows `start..stop`, keep `first..last`."""
    plan = []
    start = 0
    while True:
        stop = min(start + _WINDOW_ROWS, rows)
        first = 0 if start == 0 else start + _CONTEXT_ROWS
        if stop == rows:
            plan.append((start, stop, first, rows))
            return plan
        plan.append((start, stop, first, stop - _CONTEXT_ROWS))
        start += _WINDOW_ROWS - 2 * _CONTEXT_ROWS
