"""The audio condition after the voice gate: no voice is heard as silence, and a vowel that is sung stays heard.

Who has a voice is decided in `speech/voice_activity.py`. Legend: N rows of 1/50 s, D columns of the audio track.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from omnihuman.conditions.audio import POSTERIOR_WIDTH, AudioConditioner, log_posteriors_of, scaled_posteriors
from omnihuman.speech.clock import ANALYSIS_RATE_HZ
from omnihuman.speech.inventory import PHONES, SILENCE, VOWELS
from omnihuman.types import ConditionTrack, Float, Sound

_VOWELS = [PHONES.index(vowel) for vowel in sorted(VOWELS)]
_SAID = [i for i, phone in enumerate(PHONES) if phone != SILENCE]
_BLANK = len(PHONES)
_VOWEL_ROWS = 15
"""Rows over which a held vowel is judged: 0.3 s. Twice or three times as many do not tell vowels better."""
_HEARD = 0.5
_SHORTEST_ROWS = 12
"""Only where no phone of this probability is named for 0.24 s is a vowel held: speech names one every 80 ms, and the
gaps of a rapper who is taken for a singer are shorter than a held note."""
_EDGE_ROWS = 2
"""Rows next to a named phone are left alone."""
_HELD = 0.9
_ABSENT = -12.0


def silence_of(conditioner: AudioConditioner) -> Float:
    """What a conditioner makes of silence, `D`: the row that training saw in pauses."""
    second = Sound(np.zeros(ANALYSIS_RATE_HZ, np.float32), ANALYSIS_RATE_HZ)
    values = conditioner.encode(second).values
    return values[len(values) // 2]


def hushed(track: ConditionTrack, opening: Float, silence: Float) -> ConditionTrack:
    """The track with silence in place of what is no voice.

    Args:
        track: Kind `audio`, ``N D``.
        opening: `N` in 0..1, how surely somebody speaks or sings.
        silence: `D`, see `silence_of`.

    Returns:
        ``N D``; bit for bit the same rows where the gate is open.
    """
    share = (1.0 - np.clip(opening, 0.0, 1.0))[:, None].astype(np.float32)
    return replace(track, values=(track.values + share * (silence - track.values)).astype(np.float32))


def sustained(track: ConditionTrack, sung: Float) -> ConditionTrack:
    """The track with held vowels in place of the blanks that the phonetic network writes after having named them.

    That network names each phone once, in one or two rows, and is then silent until the next: half a second of a sung
    vowel looks like a pause, and lips close. What it would still call the vowel, were it not blank, is made its answer.

    Args:
        track: Kind `audio`, ``N D``.
        sung: `N` in 0..1, how surely somebody sings.

    Returns:
        ``N D``; bit for bit the same rows where nobody sings.
    """
    posteriors = log_posteriors_of(track)
    spoken = np.exp(posteriors[:, _SAID]).sum(axis=1, keepdims=True)
    vowels = _mean_over(np.exp(posteriors[:, _VOWELS]) / np.maximum(spoken, 1e-9), _VOWEL_ROWS)
    vowels /= np.maximum(vowels.sum(axis=1, keepdims=True), 1e-9)
    held = np.full_like(posteriors, _ABSENT)
    held[:, _VOWELS] = np.log(vowels * _HELD + 1e-6)
    held[:, _BLANK] = np.log(1.0 - _HELD)
    share = np.clip(sung, 0.0, 1.0) * _long_blanks(spoken[:, 0])
    values = track.values.copy()
    columns = values[:, :POSTERIOR_WIDTH]
    columns += share[:, None].astype(np.float32) * (scaled_posteriors(held) - columns)
    return replace(track, values=values)


def _long_blanks(spoken: Float) -> Float:
    """1 inside stretches in which no phone is named for long, 0 at their edges and elsewhere, `N`."""
    inside = np.zeros(len(spoken), np.float32)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], (spoken < _HEARD).astype(np.int8), [0]])))
    for first, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - first >= _SHORTEST_ROWS:
            inside[first + _EDGE_ROWS : stop - _EDGE_ROWS] = 1.0
    return inside


def _windows(values: Float, rows: int) -> Float:
    """`N` to views ``N rows`` about each row; beyond the ends nothing is said."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, rows // 2), rows)


def _mean_over(columns: Float, rows: int) -> Float:
    return np.stack([_windows(column, rows).mean(axis=1) for column in columns.T], axis=1)
