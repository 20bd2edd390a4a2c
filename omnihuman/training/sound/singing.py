"""The built-in voice sings: its own spectra, stretched vowels, and notes in place of its pitch; phone times stay exact.

For training and tests of the voice gate; not a product voice. Vibrato of singers: 5 to 7 Hz, up to a semitone either
way (Sundberg 1987, The Science of the Singing Voice). Legend: K frequency bins, F synthesis frames of 12.5 ms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.speech.inventory import VOWELS, TimedPhone
from omnihuman.speech.timing import timed_phones
from omnihuman.speech.voice import BuiltInVoice, Speech, joined
from omnihuman.speech.warp import VOICED_HZ, stretch_spectrum
from omnihuman.types import Float, Sound

_DURATIONS = "/Clip_output_0"
_FRAME_S = 0.0125
_SHORTEST_NOTE_S = 0.05
"""A weaker vowel is sung in passing: its time is too uncertain to be held."""
_SCALE = (0, 2, 4, 5, 7, 9, 11)


@dataclass(frozen=True)
class SongStyle:
    """How a song is sung.

    Attributes:
        tonic_hz: Key note in the middle of the singer's range, 90..500.
        beat_s: Length of a beat; a syllable takes half a beat to four.
        held_share: Share of the syllables that are held for two beats or more.
        vibrato_hz: Rate of the vibrato.
        vibrato_semitones: Its reach either way; 0 = straight tones.
        glide_s: Time from one note to the next.
        formant_scale: As in `SpeakerWarp`.
        breath_db: As in `SpeakerWarp`.
    """

    tonic_hz: float = 220.0
    beat_s: float = 0.4
    held_share: float = 0.3
    vibrato_hz: float = 5.6
    vibrato_semitones: float = 0.5
    glide_s: float = 0.06
    formant_scale: float = 1.0
    breath_db: float = 0.0


def random_style(rng: np.random.Generator) -> SongStyle:
    """A singer from bass to soprano, a song from a chant to a ballad."""
    height = float(rng.uniform(-1.0, 1.0))
    straight = rng.random() < 0.35
    return SongStyle(
        tonic_hz=float(215.0 * 2.0 ** (height * 0.85 + rng.normal(0.0, 0.12))),
        beat_s=float(rng.uniform(0.22, 0.65)),
        held_share=float(rng.uniform(0.1, 0.7)),
        vibrato_hz=float(rng.uniform(4.6, 7.0)),
        vibrato_semitones=0.0 if straight else float(rng.uniform(0.15, 1.0)),
        glide_s=float(rng.uniform(0.03, 0.12)),
        formant_scale=float(np.clip(0.92 + 0.12 * height + rng.normal(0.0, 0.04), 0.74, 1.12)),
        breath_db=float(rng.normal(-2.0, 4.0)),
    )


class SingingVoice(BuiltInVoice):
    """Sings English text to a melody made up on the way."""

    @classmethod
    def of(cls, voice: BuiltInVoice) -> SingingVoice:
        """The same voice, singing."""
        return cls(voice._session, voice._engine, voice.dictionary)

    def sing(self, text: str, style: SongStyle, rng: np.random.Generator) -> Speech:
        """Sings a text.

        Args:
            text: English prose.
            style: Singer and song.
            rng: Melody and noise.

        Returns:
            Mono sound at 24 kHz and its phones.
        """
        return joined([self._sung(spelling, style, rng) for spelling in self._spell(text)])

    def _sung(self, spelling: str, style: SongStyle, rng: np.random.Generator) -> Speech:
        from hibari import dsp

        known = [character for character in spelling if character in self._engine.vocab]
        inputs = {"ids": np.asarray([self._engine.ids(known)], np.int64), "speed": np.full(1, 0.8, np.float32)}
        *spectra, durations = self._session.run(["lh", "theta", "ln", "lr", "phi", "f0", _DURATIONS], inputs)
        harmonic, theta, noise, free, phase, f0_hz = (array[0] for array in spectra)
        spoken = Sound(dsp.synth(harmonic, theta, noise, free, phase, f0_hz, rng), self._engine.sample_rate)
        phones = timed_phones(["", *known, ""], durations, spoken)
        sung = _held(phones, style, rng)
        loudness = np.where(f0_hz > VOICED_HZ, harmonic[:150].mean(axis=0), -99.0)
        source = _source_frames(phones, sung, loudness, rng)
        nearest = np.round(source).astype(np.int64)
        tract = style.formant_scale
        harmonic, noise, free = (_between(stretch_spectrum(a, tract), source) for a in (harmonic, noise, free))
        # phases do not average
        theta, phase = stretch_spectrum(theta, tract)[:, nearest], phase[:, nearest]
        pitch = np.where(f0_hz[nearest] > VOICED_HZ, _melody(sung, len(nearest), style, rng), 0.0)
        noise = noise + np.float32(style.breath_db / 20.0 * np.log(10.0))
        samples = dsp.synth(harmonic, theta, noise, free, phase, pitch.astype(np.float32), rng)
        samples = samples / max(1.0, float(np.abs(samples).max()) / 0.99)
        return Speech(Sound(np.ascontiguousarray(samples, np.float32), self._engine.sample_rate), tuple(sung))


def _held(phones: Sequence[TimedPhone], style: SongStyle, rng: np.random.Generator) -> list[TimedPhone]:
    """The phones with every vowel as long as its note asks, consonants as spoken."""
    sung: list[TimedPhone] = []
    now_s = 0.0
    for phone in phones:
        length_s = phone.end_s - phone.start_s
        if phone.symbol in VOWELS and length_s >= _SHORTEST_NOTE_S:
            beats = rng.choice([2.0, 3.0, 4.0]) if rng.random() < style.held_share else rng.choice([0.5, 1.0])
            length_s = max(length_s, beats * style.beat_s - 0.1)
        sung.append(TimedPhone(phone.symbol, now_s, now_s + length_s))
        now_s += float(length_s)
    return sung


def _source_frames(
    spoken: Sequence[TimedPhone], sung: Sequence[TimedPhone], loudness: Float, rng: np.random.Generator
) -> Float:
    """Which spoken frame each sung frame shows: a held vowel stays about its loudest frame, never quite still."""
    at, of = [0.0], [0.0]
    for before, after in zip(spoken, sung, strict=True):
        extra_s = (after.end_s - after.start_s) - (before.end_s - before.start_s)
        if extra_s > _FRAME_S:
            first, last = int(before.start_s / _FRAME_S), int(before.end_s / _FRAME_S)
            top_s = (first + int(np.argmax(loudness[first : last + 1]))) * _FRAME_S
            top_s = min(max(top_s, before.start_s), before.end_s)
            arrived_s = after.start_s + top_s - before.start_s
            stays = np.arange(arrived_s, arrived_s + extra_s, 0.08)
            at += [*stays.tolist(), arrived_s + extra_s]
            of += [*(top_s + rng.uniform(-1.0, 1.0, len(stays)) * _FRAME_S).tolist(), top_s]
        at.append(after.end_s)
        of.append(before.end_s)
    times = (np.arange(round(sung[-1].end_s / _FRAME_S)) + 0.5) * _FRAME_S
    return np.clip(np.interp(times, at, of) / _FRAME_S - 0.5, 0.0, len(loudness) - 1.0)


def _between(spectrum: Float, frames: Float) -> Float:
    low = np.minimum(frames.astype(np.int64), spectrum.shape[1] - 1)
    high = np.minimum(low + 1, spectrum.shape[1] - 1)
    share = (frames - low).astype(np.float32)
    return spectrum[:, low] * (1.0 - share) + spectrum[:, high] * share


def _melody(phones: Sequence[TimedPhone], count: int, style: SongStyle, rng: np.random.Generator) -> Float:
    """Pitch `F` in Hz: one note per vowel on a scale, gliding, with vibrato and a singer's small errors."""
    times = (np.arange(count) + 0.5) * _FRAME_S
    degree = int(rng.integers(-3, 4))
    semitones = np.zeros(count)
    since = np.zeros(count)
    vowels = [phone for phone in phones if phone.symbol in VOWELS] or [phones[0]]
    for phone in vowels:
        degree = int(np.clip(degree + rng.choice([-3, -2, -1, -1, 0, 1, 1, 2, 4]), -5, 6))
        note = 12 * (degree // 7) + _SCALE[degree % 7] + rng.normal(0.0, 0.12)
        # a syllable's note begins with the consonants before its vowel
        after = times >= phone.start_s - 0.05
        semitones[after] = note
        since[after] = times[after] - phone.start_s
    width = max(1, round(style.glide_s / _FRAME_S))
    smooth = np.convolve(np.pad(semitones, width, mode="edge"), np.hanning(2 * width + 1) / width, mode="valid")
    swell = np.clip((since - 0.15) / 0.25, 0.0, 1.0) * style.vibrato_semitones
    wobble = np.sin(2 * np.pi * style.vibrato_hz * times + rng.uniform(0.0, 6.28)) * swell
    drift = np.cumsum(rng.normal(0.0, 0.02, count)) * 0.3
    drift -= np.linspace(drift[0], drift[-1], count)
    return np.maximum(style.tonic_hz * 2.0 ** ((smooth + wobble + drift) / 12.0), VOICED_HZ + 5.0)
