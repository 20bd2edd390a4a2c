"""Effort and emphasis of the teacher: how far vowels open and which of them are stressed, by length and by loudness.

Real speakers under-articulate: short and soft vowels barely move the jaw. Loudness is the last column of the audio
condition: -1..1 relative to the speech level of the clip. Legend: N phones, L loudness rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.speech.inventory import VOWELS, TimedPhone
from omnihuman.types import Float

LOUDNESS_HZ = 50.0
"""Rows of the audio condition per second."""
_USUAL_LOUDNESS = 0.446
"""Mean over the vowels of 120 recordings of the built-in voice; standard deviation .32."""
_EFFORT_SLOPE = 1.3
"""Growth of the logarithm of a vowel's effort per unit (18 dB). Against a real clip 0 gave .38, 1 .43 and 2.5 .50; from
1.3 on lips open wider than that speaker's, and what is left of the phones' own openness falls below .94."""
_MEAN_EFFORT = 1.082
"""Mean of exp(slope x (loudness - usual)) over the same vowels: loudness moves effort about, it adds none."""
_ACCENT_SLOPE = 1.5


@dataclass(frozen=True)
class Loudness:
    """How loudly a stretch is spoken.

    Attributes:
        values: `L` -1..1 relative to the speech level.
        start_s: Time of the first row; rows come at LOUDNESS_HZ.
    """

    values: Float
    start_s: float = 0.0

    def of(self, phones: Sequence[TimedPhone]) -> Float:
        """Mean over each phone, `N`; the ends are held."""
        spans = np.array([(p.start_s, p.end_s) for p in phones]).reshape(-1, 2)
        points_s = spans[:, :1] + (spans[:, 1:] - spans[:, :1]) * np.array([0.1, 0.3, 0.5, 0.7, 0.9])
        rows = (points_s - self.start_s) * LOUDNESS_HZ
        heard: Float = np.interp(rows, np.arange(len(self.values)), self.values).mean(axis=1)
        return heard


def efforts(phones: Sequence[TimedPhone], loudness: Loudness | None) -> Float:
    """How far each phone reaches for its shape, `N`, about 1; consonants 1."""
    lengths = np.array([p.end_s - p.start_s for p in phones])
    effort = np.clip((lengths / 0.13) ** 0.6, 0.45, 1.15)
    if loudness is not None:
        louder = np.exp(_EFFORT_SLOPE * (loudness.of(phones) - _USUAL_LOUDNESS)) / _MEAN_EFFORT
        effort = np.clip(effort * louder, 0.2, 1.5)
    return np.where([p.symbol in VOWELS for p in phones], effort, 1.0)


def accents(
    phones: Sequence[TimedPhone], rng: np.random.Generator, loudness: Loudness | None = None
) -> list[tuple[float, float]]:
    """Moments of emphasis: (time in seconds, strength 0..1) of vowels that stand out by length or loudness."""
    vowels = [p for p in phones if p.symbol in VOWELS]
    if not vowels:
        return []
    lengths = np.array([p.end_s - p.start_s for p in vowels])
    strength = np.clip((lengths / max(float(np.median(lengths)), 0.06) - 1.05) / 1.2, 0.0, 1.0)
    strength = strength * rng.uniform(0.6, 1.0, len(vowels))
    if loudness is not None:
        strength = np.clip(strength * np.exp(_ACCENT_SLOPE * (loudness.of(vowels) - _USUAL_LOUDNESS)), 0.0, 1.0)
    found: list[tuple[float, float]] = []
    for vowel, value in zip(vowels, strength, strict=True):
        if value > 0.12 and (not found or vowel.start_s - found[-1][0] > 0.35):
            found.append(((vowel.start_s + vowel.end_s) / 2, float(value)))
    return found
