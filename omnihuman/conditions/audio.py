"""The audio condition: what is being said and how loudly, 50 rows per second, at any recording level.

Not here: the phonetic network (`speech/phones.py`), the silence gate (`speech/gate.py`), resampling onto a space's
clock. OmniHuman-1 section 3.2 conditions on wav2vec features; phone posteriors carry the same to a small model.
"""

from __future__ import annotations

import numpy as np

from omnihuman.speech.clock import analysis_samples, row_times_s
from omnihuman.speech.level import SILENCE_DB, row_levels_db, speech_level_db
from omnihuman.speech.phones import POSTERIOR_WIDTH
from omnihuman.types import ConditionTrack, Float, Handle, Sound

AUDIO_WIDTH = POSTERIOR_WIDTH + 1
"""Columns of the track: log posteriors (PHONES, blank, other), then loudness."""

_LOG_HALF_RANGE = 8.0
"""Log posteriors of -16..0 become -1..1; what lies below is the network's noise."""

_LOUDNESS_CENTRE_DB = -12.0
_LOUDNESS_HALF_RANGE_DB = 18.0
"""30 dB below the speech level to 6 dB above it become -1..1: pauses to stressed vowels."""


def scaled_posteriors(log_posteriors: Float) -> Float:
    """Natural logs of probabilities to -1..1, ``N 42``: 1 is certain, -1 is ruled out."""
    return np.clip(log_posteriors / _LOG_HALF_RANGE + 1.0, -1.0, 1.0).astype(np.float32)


def log_posteriors_of(track: ConditionTrack) -> Float:
    """Natural log posteriors ``N 42`` out of an audio track, the inverse of `scaled_posteriors` within its range."""
    posteriors: Float = (track.values[:, :POSTERIOR_WIDTH] - 1.0) * np.float32(_LOG_HALF_RANGE)
    return posteriors


def relative_loudness(levels_db: Float) -> Float:
    """Row levels to -1..1 relative to the clip's own speech level, ``N``; -1 throughout when all is silent."""
    level = speech_level_db(levels_db)
    if level <= SILENCE_DB:
        return np.full(len(levels_db), -1.0, np.float32)
    power = np.pad(10.0 ** ((levels_db.astype(np.float64) - level) / 10.0), 1, mode="edge")
    smooth_db = 10.0 * np.log10(0.25 * power[:-2] + 0.5 * power[1:-1] + 0.25 * power[2:])
    return np.clip((smooth_db - _LOUDNESS_CENTRE_DB) / _LOUDNESS_HALF_RANGE_DB, -1.0, 1.0).astype(np.float32)


class AudioConditioner:
    """Turns sound into the audio track.

    Args:
        phones: Handle that lends a `PhoneRecognizer`.
    """

    def __init__(self, phones: Handle) -> None:
        self._phones = phones

    def encode(self, sound: Sound) -> ConditionTrack:
        """The audio track of a whole clip.

        Args:
            sound: Speech of any rate, level and length.

        Returns:
            Kind `audio`, values ``N AUDIO_WIDTH`` in -1..1, row `i` centred on `i / 50` s.
        """
        with self._phones() as recognizer:
            posteriors = recognizer.log_posteriors(sound)
        loudness = relative_loudness(row_levels_db(analysis_samples(sound), len(posteriors)))
        values = np.concatenate([scaled_posteriors(posteriors), loudness[:, None]], axis=1)
        return ConditionTrack("audio", values, row_times_s(len(values)))
