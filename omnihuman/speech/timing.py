"""Phone times from the built-in voice's own durations. Not a recogniser: the text is known.

The voice spells in a misaki-like alphabet, one character per unit: stress marks, spaces and punctuation have durations
too. Its spectra lead those durations by a constant that was measured against pocketsphinx alignment.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.types import Sound

UNIT_S = 0.025
"""Length of one step of the voice's durations."""
LEAD_S = 0.060
"""The sound comes this much earlier than the durations say (median over 531 phones of 20 sentences; the spread is
one unit). 65 ms before the time of a space is shared between its neighbours."""
PAUSE_S = 0.15
"""A space this long is a pause, not a word boundary."""

LONG_PHONE_S = 0.25
"""A phone longer than this may hide a pause."""
SHORTEST_PAUSE_S = 0.10
"""Gaps below this stay part of the phone."""

_VOWEL_LETTERS = {
    "AA": "\u0251\u0252",
    "AE": "\u00e6a",
    "AH": "\u028c\u0259\u1d4a\u0250",
    "AO": "\u0254",
    "AW": "W",
    "AY": "I",
    "EH": "\u025b",
    "ER": "\u025c\u025a",
    "EY": "Ae",
    "IH": "\u026a\u1d7b\u0268",
    "IY": "i",
    "OW": "OQo",
    "OY": "Y",
    "UH": "\u028a",
    "UW": "u",
}
_CONSONANT_LETTERS = {
    "B": "b",
    "CH": "\u02a7",
    "D": "d",
    "DH": "\u00f0",
    "F": "f",
    "G": "\u0261",
    "HH": "h",
    "JH": "\u02a4",
    "K": "kx",
    "L": "l",
    "M": "m",
    "N": "n",
    "NG": "\u014b",
    "P": "p",
    "R": "\u0279r",
    "S": "s",
    "SH": "\u0283",
    "T": "tT\u027e\u0294",
    "TH": "\u03b8",
    "V": "v",
    "W": "w",
    "Y": "j",
    "Z": "z",
    "ZH": "\u0292",
}
PHONE_OF: dict[str, str] = {
    letter: symbol for symbol, letters in (_VOWEL_LETTERS | _CONSONANT_LETTERS).items() for letter in letters
}
"""Character of the voice's alphabet -> symbol of `inventory.PHONES`."""
_STRESS = frozenset("\u02c8\u02cc")
_PAUSES = frozenset(';:,.!?\u2014\u2026"()\u201c\u201d')


class _Walk:
    """Collects segments while the characters go by; times in seconds."""

    def __init__(self) -> None:
        self.segments: list[tuple[str, float, float]] = []
        self.pending: float | None = None

    def end_at(self, time_s: float) -> None:
        """Moves the end of the last segment."""
        if self.segments:
            symbol, start, _ = self.segments[-1]
            self.segments[-1] = (symbol, start, max(start, time_s))

    def add(self, symbol: str, start_s: float, end_s: float) -> None:
        """Appends a segment; it takes over the time that a stress mark or a space left for it."""
        start_s, self.pending = (start_s if self.pending is None else self.pending), None
        joins = self.segments and (self.segments[-1][0], symbol) in ((SILENCE, SILENCE), ("ER", "R"))
        if joins:
            self.end_at(end_s)
        else:
            self.segments.append((symbol, start_s, end_s))

    def last_is_silence(self) -> bool:
        """Whether nothing or a pause came before."""
        return not self.segments or self.segments[-1][0] == SILENCE


def timed_phones(characters: Sequence[str], durations: Sequence[float], sound: Sound) -> list[TimedPhone]:
    """Turns one sentence's durations into phones that tile its sound.

    Args:
        characters: One per unit of the voice's input; "" for the padding at both ends.
        durations: Steps of `UNIT_S`, one per character.
        sound: The sentence as synthesised.

    Returns:
        Phones without gaps from 0 to the end of the sound, silences included.
    """
    edges = np.concatenate([[0.0], np.cumsum(np.asarray(durations, np.float64))]) * UNIT_S - LEAD_S
    edges[-1] = sound.duration_s
    edges = np.clip(edges, 0.0, sound.duration_s)
    walk = _Walk()
    for i, character in enumerate(characters):
        start, end = float(edges[i]), float(edges[i + 1])
        following = characters[i + 1] if i + 1 < len(characters) else ""
        if character in _STRESS:
            walk.pending = start if walk.pending is None else walk.pending
        elif character == " " and not walk.last_is_silence() and following not in _PAUSES and end - start < PAUSE_S:
            walk.pending = (start + end) / 2
            walk.end_at(walk.pending)
        elif character in PHONE_OF:
            walk.add(PHONE_OF[character], start, end)
        elif character in _PAUSES or character in ("", " "):
            walk.add(SILENCE, start, end)
        else:
            walk.end_at(end)
    return _trim_tails(walk.segments, sound)


def _trim_tails(segments: list[tuple[str, float, float]], sound: Sound) -> list[TimedPhone]:
    """Ends a phone where its sound does: the voice hides most of a pause in the phone before it."""
    phones: list[TimedPhone] = []

    def append(symbol: str, start: float, end: float) -> None:
        if phones and symbol == phones[-1].symbol == SILENCE:
            start = phones.pop().start_s
        if end > start:
            phones.append(TimedPhone(symbol, start, end))

    for i, (symbol, start, end) in enumerate(segments):
        before_pause = i + 1 < len(segments) and segments[i + 1][0] == SILENCE
        if symbol == SILENCE or not (before_pause or end - start > LONG_PHONE_S):
            append(symbol, start, end)
            continue
        heard = _last_sound_s(sound, start, end)
        heard = heard if before_pause or end - heard > SHORTEST_PAUSE_S else end
        append(symbol, start, heard)
        append(SILENCE, heard, end)
    return phones


def _last_sound_s(sound: Sound, start_s: float, end_s: float, floor_db: float = -32.0, hop_s: float = 0.010) -> float:
    """End of the last `hop_s` step in the span that is louder than `floor_db` below the sentence's loud parts."""
    hop = int(hop_s * sound.rate_hz)
    count = len(sound.samples) // hop
    power = np.square(sound.samples[: count * hop].reshape(count, hop)).mean(axis=1)
    loud = power > np.quantile(power, 0.9) * 10.0 ** (floor_db / 10.0)
    first, last = int(start_s / hop_s), min(int(np.ceil(end_s / hop_s)), count)
    audible = np.flatnonzero(loud[first:last])
    heard = (first + audible[-1] + 1) * hop_s if audible.size else start_s
    return float(np.clip(heard, min(start_s + 0.04, end_s), end_s))
