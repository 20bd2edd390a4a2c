"""Sounds whose rows are known to hold speech, singing or neither, for the judge of the voice gate. Nothing recorded.

Everything is made: the built-in voice as many speakers and singers, instruments note by note, noises and rooms.
Legend: N rows of 1/50 s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.speech.clock import ANALYSIS_RATE_HZ, analysis_samples, row_count, row_times_s
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.speech.voice import Speech
from omnihuman.speech.warp import random_warp
from omnihuman.training.sound.accompaniment import instrumental, mixed, reverberated
from omnihuman.training.sound.acoustics import AcousticSettings, instruments, spoil, without_speech
from omnihuman.training.sound.singing import SingingVoice, random_style
from omnihuman.types import Sound

NONE, SPOKEN, SUNG = range(3)
IGNORED = -1
"""Rows at the edges of voices and in the short silences within them: nobody could say."""
_EDGE_S = 0.04
_SHORT_SILENCE_S = 0.3
_BACKGROUND_SHARE = {NONE: 1.0, SPOKEN: 0.35, SUNG: 0.7}
_SPOILT = AcousticSettings(noise_share=0.5, snr_db=(8.0, 40.0))


@dataclass(frozen=True)
class LabelledSound:
    """A made-up sound.

    Attributes:
        sound: Mono at the analysis rate.
        labels: `N` int8: NONE, SPOKEN, SUNG or IGNORED.
        phones: What is said or sung; empty where nobody is heard.
    """

    sound: Sound
    labels: np.ndarray
    phones: tuple[TimedPhone, ...] = ()


def row_labels(phones: Sequence[TimedPhone], rows: int, kind: int) -> np.ndarray:
    """`N` int8: `kind` where a phone is, NONE in pauses, IGNORED where the two meet."""
    times = row_times_s(rows)
    labels = np.full(rows, NONE, np.int8)
    for phone in phones:
        short = phone.symbol == SILENCE and phone.end_s - phone.start_s < _SHORT_SILENCE_S
        if phone.symbol != SILENCE or short:
            labels[(times >= phone.start_s) & (times < phone.end_s)] = IGNORED if short else kind
    change = np.flatnonzero(np.diff(labels))
    for edge in change:
        span = round(_EDGE_S * 50)
        around = slice(max(0, edge + 1 - span), edge + 1 + span)
        if NONE in (labels[edge], labels[edge + 1]):
            labels[around] = IGNORED
    return labels


def performed(
    voice: SingingVoice, texts: Iterator[str], duration_s: float, sung: bool, rng: np.random.Generator
) -> Speech:
    """One made-up speaker or singer with pauses, at the analysis rate, exactly `duration_s` long."""
    count = int(duration_s * ANALYSIS_RATE_HZ)
    samples = np.zeros(count, np.float32)
    phones: list[TimedPhone] = []
    style, speaker = random_style(rng), random_warp(rng)
    at_s = float(rng.choice([0.0, 0.3, rng.uniform(0.5, 6.0)]))
    while at_s < duration_s:
        text = next(texts)
        part = voice.sing(text, style, rng) if sung else voice.speak(text, speaker, seed=int(rng.integers(2**31)))
        heard, start = analysis_samples(part.sound), int(at_s * ANALYSIS_RATE_HZ)
        samples[start : start + len(heard)] = heard[: count - start]
        phones += [TimedPhone(p.symbol, p.start_s + at_s, p.end_s + at_s) for p in part.phones]
        at_s += part.sound.duration_s + float(np.clip(rng.lognormal(-0.6, 0.9), 0.05, 5.0))
    kept = [TimedPhone(p.symbol, p.start_s, min(p.end_s, duration_s)) for p in phones if p.start_s < duration_s]
    return Speech(Sound(samples, ANALYSIS_RATE_HZ), tuple(kept))


def labelled_sound(
    voice: SingingVoice, texts: Iterator[str], duration_s: float, rng: np.random.Generator
) -> LabelledSound:
    """One random sound.

    Args:
        voice: Speaks and sings.
        texts: Sentences, used up.
        duration_s: Length.
        rng: Source of chance.
    """
    kind = int(rng.choice([NONE, SPOKEN, SUNG], p=[0.35, 0.25, 0.4]))
    rate = ANALYSIS_RATE_HZ
    if kind == NONE and rng.random() < 0.3:
        quiet = without_speech(duration_s, rate, rng)
        return LabelledSound(quiet, np.full(row_count(quiet), NONE, np.int8))
    samples = np.zeros(int(duration_s * rate), np.float32)
    phones: tuple[TimedPhone, ...] = ()
    if kind != NONE:
        speech = performed(voice, texts, duration_s, kind == SUNG, rng)
        samples, phones = speech.sound.samples, speech.phones
        if rng.random() < 0.4:
            samples = reverberated(samples, rate, rng).astype(np.float32)
    if rng.random() < _BACKGROUND_SHARE[kind]:
        own = rng.random() < 0.85
        music = instrumental(duration_s, rate, rng) if own else instruments(len(samples), rate, rng)
        samples = mixed(samples, music, float(rng.uniform(-6.0, 14.0))) if kind != NONE else music * np.float32(0.2)
    sound = spoil(Sound(samples, rate), _SPOILT, rng)
    return LabelledSound(sound, row_labels(phones, row_count(sound), kind), phones)
