"""The phone inventory that every part shares: ARPAbet without stress, and how often phonetic features come.

Not here: how a network's own symbols fold onto it (`phones.py`), or how a mouth looks for one (`training/teacher`).
"""

from __future__ import annotations

from dataclasses import dataclass

SILENCE = "SIL"

PHONES: tuple[str, ...] = (
    SILENCE,
    *("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW"),
    *("B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH", "T", "TH", "V"),
    *("W", "Y", "Z", "ZH"),
)
"""40 symbols; index = class number."""

VOWELS = frozenset(PHONES[1:16])
BILABIALS = frozenset({"P", "B", "M"})
"""Phones that close the lips."""

FEATURE_RATE_HZ = 50.0
"""Rows of the audio condition per second."""


@dataclass(frozen=True)
class TimedPhone:
    """One phone with its time in the sound: `symbol` of PHONES, `start_s` <= `end_s` seconds."""

    symbol: str
    start_s: float
    end_s: float
