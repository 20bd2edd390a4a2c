"""Who says the training sentences: made-up speakers and singers of the built-in voice, and espeak-ng where asked for.

A speaker is a function from a sentence to its sound and phone times.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
import soxr

from omnihuman.speech.clock import ANALYSIS_RATE_HZ, analysis_samples
from omnihuman.speech.espeak import EspeakVoice
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.speech.voice import BuiltInVoice, Speech
from omnihuman.speech.warp import random_warp
from omnihuman.training.sound.singing import SingingVoice, random_style
from omnihuman.types import Float, Sound

Speaker = Callable[[str], Speech]
Manner = Literal["spoken", "sung", "espeak"]

_ESPEAK_VOICES = ("en-us", "en-gb", "en-gb-scotland", "en-029")
_ESPEAK_SIZES = (0.85, 1.2)
"""Played this much faster or slower, one voice becomes several: pitch, vocal tract and pace move together."""


def somebody(manner: Manner, voice: BuiltInVoice, rng: np.random.Generator) -> Speaker:
    """One made-up person.

    Raises:
        ResourceError: `espeak_missing`.
    """
    if manner == "sung":
        singer, song = SingingVoice.of(voice), random_style(rng)
        return lambda text: singer.sing(text, song, rng)
    if manner == "espeak":
        language, size = str(rng.choice(_ESPEAK_VOICES)), float(rng.uniform(*_ESPEAK_SIZES))
        return lambda text: _sped_up(espeak().speak(text, language), size)
    speaker = random_warp(rng)
    return lambda text: voice.speak(text, speaker, seed=int(rng.integers(2**31)))


@lru_cache(maxsize=1)
def espeak() -> EspeakVoice:
    """The library can be opened once per process."""
    return EspeakVoice()


def _sped_up(speech: Speech, factor: float) -> Speech:
    """The same speech played faster, its phones with it."""
    rate = speech.sound.rate_hz
    samples = soxr.resample(speech.sound.samples, rate * factor, rate).astype(np.float32)
    phones = (TimedPhone(p.symbol, p.start_s / factor, p.end_s / factor) for p in speech.phones)
    return Speech(Sound(samples, rate), tuple(phones))


def recite(say: Speaker, texts: Sequence[str], pause_s: float, rng: np.random.Generator) -> Speech:
    """Some sentences with human pauses between them, at the analysis rate.

    Args:
        say: Speaks or sings one sentence; see `somebody`.
        texts: The sentences.
        pause_s: Median of the pauses.
        rng: Source of chance.
    """
    pieces: list[Float] = []
    phones: list[TimedPhone] = []
    length = 0
    for text in texts:
        speech = say(text)
        samples = analysis_samples(speech.sound)
        said = [phone for phone in speech.phones if phone.symbol != SILENCE]
        cut_from = max(0.0, said[0].start_s - 0.06)
        cut_to = min(speech.sound.duration_s, said[-1].end_s + 0.12)
        kept = samples[int(cut_from * ANALYSIS_RATE_HZ) : int(cut_to * ANALYSIS_RATE_HZ)]
        pause = int(np.clip(rng.lognormal(np.log(pause_s), 0.9), 0.03, 4.0) * ANALYSIS_RATE_HZ)
        pieces += [np.zeros(pause, np.float32), kept]
        shift = (length + pause - int(cut_from * ANALYSIS_RATE_HZ)) / ANALYSIS_RATE_HZ
        length += pause + len(kept)
        last_s = phones[-1].end_s if phones else 0.0
        phones.append(TimedPhone(SILENCE, last_s, max(last_s, said[0].start_s + shift)))
        inner = [phone for phone in speech.phones if said[0].start_s <= phone.start_s < said[-1].end_s]
        phones += [TimedPhone(phone.symbol, phone.start_s + shift, phone.end_s + shift) for phone in inner]
    samples = np.concatenate([*pieces, np.zeros(ANALYSIS_RATE_HZ // 2, np.float32)])
    sound = Sound(samples, ANALYSIS_RATE_HZ)
    phones.append(TimedPhone(SILENCE, phones[-1].end_s, sound.duration_s))
    return Speech(sound, tuple(phones))
