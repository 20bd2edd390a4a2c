"""Instrumental music made up note by note: what a voice gate must not take for singing. No samples, no recordings.

Plucked strings: Karplus and Strong 1983. The rest is additive or filtered pulses, each with the traits that resemble
a voice: vibrato, glides, formant-like resonances, breath. Legend: S samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft
from scipy.signal import lfilter

from omnihuman.types import Float

_SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 3, 5, 6, 7, 10, 12))
_PROGRESSIONS = ((0, 4, 5, 3), (0, 5, 3, 4), (0, 3, 4, 4), (0, 3, 0, 4), (1, 4, 0, 0), (0, 0, 0, 0))
_TOP_HZ = 7500.0


@dataclass(frozen=True)
class Note:
    """One tone: when, how high, how long, how loud."""

    start_s: float
    pitch_hz: float
    length_s: float
    loud: float = 1.0


Instrument = Callable[[Note, int, np.random.Generator], Float]
"""(note, rate in Hz, source of chance) -> samples of that note alone."""


def _envelope(count: int, rate_hz: int, attack_s: float, release_s: float) -> Float:
    rise = np.minimum(1.0, np.arange(count) / max(1.0, attack_s * rate_hz))
    fall = np.minimum(1.0, np.arange(count)[::-1] / max(1.0, release_s * rate_hz))
    shape: Float = rise * fall
    return shape


def _phase(note: Note, count: int, rate_hz: int, vibrato: tuple[float, float], rng: np.random.Generator) -> Float:
    """Phase of the fundamental with vibrato (rate in Hz, semitones) that sets in late, and a slow drift."""
    times = np.arange(count) / rate_hz
    swell = np.clip((times - 0.12) / 0.25, 0.0, 1.0) * vibrato[1]
    bend = swell * np.sin(2 * np.pi * vibrato[0] * times + rng.uniform(0.0, 6.28)) + rng.normal(0.0, 0.06)
    scoop = -rng.choice([0.0, 0.0, 0.6, 1.5]) * np.exp(-times / 0.05)
    return 2 * np.pi * np.cumsum(note.pitch_hz * 2.0 ** ((bend + scoop) / 12.0)) / rate_hz


def _harmonics(phase: Float, pitch_hz: float, gains: Float) -> Float:
    top = max(1, min(len(gains), int(_TOP_HZ / pitch_hz)))
    mix: Float = sum(gains[k] * np.sin((k + 1) * phase) for k in range(top))
    return mix


def _resonant(samples: Float, rate_hz: int, centres_hz: Float, widths_hz: Float) -> Float:
    """A sum of resonances, as bodies of instruments and wah pedals have them."""
    out = 0.25 * samples
    for centre, width in zip(centres_hz, widths_hz, strict=True):
        r = np.exp(-np.pi * width / rate_hz)
        angle = 2 * np.pi * centre / rate_hz
        out = out + lfilter([1 - r], [1.0, -2 * r * np.cos(angle), r * r], samples)
    return out


def plucked(note: Note, rate_hz: int, rng: np.random.Generator) -> Float:
    """Guitar, harp, bass: a noise burst in a damped delay line."""
    period = max(2, round(rate_hz / note.pitch_hz))
    count = int(note.length_s * rng.uniform(1.0, 2.5) * rate_hz)
    burst = np.zeros(count)
    burst[: min(period, count)] = lfilter(
        [1.0], [1.0, -rng.uniform(0.0, 0.85)], rng.standard_normal(min(period, count))
    )
    damping = 0.5 * 10.0 ** (-3.0 / (note.pitch_hz * rng.uniform(0.8, 4.0)))
    loop = np.zeros(period + 2)
    loop[0], loop[period], loop[period + 1] = 1.0, -damping, -damping
    return lfilter([1.0], loop, burst) * _envelope(count, rate_hz, 0.001, 0.03)


def struck(note: Note, rate_hz: int, rng: np.random.Generator) -> Float:
    """Piano, bells, mallets: stretched partials that fade, the upper ones sooner."""
    count = int(note.length_s * rng.uniform(1.0, 2.0) * rate_hz)
    times = np.arange(count) / rate_hz
    stretch, fade = rng.choice([0.0004, 0.0004, 0.002, 0.03]), rng.uniform(0.8, 5.0)
    out = np.zeros(count)
    for k in range(1, int(min(18, _TOP_HZ / note.pitch_hz)) + 1):
        frequency = note.pitch_hz * k * np.sqrt(1.0 + stretch * k * k)
        if frequency < _TOP_HZ:
            level = rng.uniform(0.4, 1.0) / k ** rng.uniform(1.0, 1.5)
            out += level * np.exp(-times * fade * (0.6 + 0.3 * k)) * np.sin(2 * np.pi * frequency * times)
    return out * _envelope(count, rate_hz, 0.003, 0.04)


def organ(note: Note, rate_hz: int, rng: np.random.Generator) -> Float:
    """Pipes and drawbars: steady partials, sometimes a tremolo."""
    count = int(note.length_s * rate_hz)
    phase = _phase(note, count, rate_hz, (rng.uniform(5.0, 7.0), rng.choice([0.0, 0.15])), rng)
    gains = rng.uniform(0.0, 1.0, 12) * 0.8 ** np.arange(12)
    gains[0] += 0.5
    tremolo = 1.0 + rng.choice([0.0, 0.3]) * np.sin(2 * np.pi * 6.0 * np.arange(count) / rate_hz)
    return _harmonics(phase, note.pitch_hz, gains) * tremolo * _envelope(count, rate_hz, 0.02, 0.05)


def bowed(note: Note, rate_hz: int, rng: np.random.Generator) -> Float:
    """Violin to double bass: a saw through the resonances of a body, vibrato, noise of the bow."""
    count = int(note.length_s * rate_hz)
    vibrato = (rng.uniform(4.8, 6.8), rng.uniform(0.1, 0.6))
    phase = _phase(note, count, rate_hz, vibrato, rng)
    saw = _harmonics(phase, note.pitch_hz, 1.0 / np.arange(1, 41) ** rng.uniform(0.8, 1.3))
    saw = saw + 0.02 * rng.standard_normal(count)
    body = _resonant(saw, rate_hz, rng.uniform(250.0, 3500.0, 5), rng.uniform(60.0, 300.0, 5))
    return body * _envelope(count, rate_hz, rng.uniform(0.03, 0.2), rng.uniform(0.05, 0.2))


def blown(note: Note, rate_hz: int, rng: np.random.Generator) -> Float:
    """Brass and reeds: brighter while louder; flutes: few partials and breath."""
    count = int(note.length_s * rate_hz)
    phase = _phase(note, count, rate_hz, (rng.uniform(4.5, 6.5), rng.choice([0.0, 0.2, 0.4])), rng)
    odd = rng.choice([1.0, 1.0, 0.25])
    steep = rng.uniform(0.5, 2.2)
    gains = np.arange(1, 31) ** -steep * np.where(np.arange(1, 31) % 2 == 0, odd, 1.0)
    shape = _envelope(count, rate_hz, rng.uniform(0.02, 0.12), 0.06)
    dull = _harmonics(phase, note.pitch_hz, gains**1.6)
    bright = _harmonics(phase, note.pitch_hz, gains)
    breath = rng.choice([0.005, 0.02, 0.08]) * rng.standard_normal(count)
    tone = dull + (bright - dull) * shape**2 + breath
    return _resonant(tone, rate_hz, rng.uniform(400.0, 2500.0, 2), rng.uniform(150.0, 600.0, 2)) * shape


def synthesiser(note: Note, rate_hz: int, rng: np.random.Generator) -> Float:
    """Detuned saws or pulses whose resonances sweep, as a wah does; pads and leads."""
    count = int(note.length_s * rate_hz)
    detuned = [note.pitch_hz * 2.0 ** (rng.normal(0.0, 0.08) / 12.0) for _ in range(int(rng.integers(1, 4)))]
    gains = 1.0 / np.arange(1, 41) * rng.choice([1.0, 0.0], 40, p=[0.8, 0.2])
    tone = np.zeros(count)
    for pitch in detuned:
        vibrato = (rng.uniform(3.0, 7.0), rng.choice([0.0, 0.3]))
        swinging = _phase(Note(0.0, pitch, note.length_s), count, rate_hz, vibrato, rng)
        tone += _harmonics(swinging, pitch, gains)
    low, high = np.sort(rng.uniform(300.0, 3000.0, 2))
    one = _resonant(tone, rate_hz, np.array([low, low * 2.6]), np.array([80.0, 150.0]))
    other = _resonant(tone, rate_hz, np.array([high, high * 1.7]), np.array([120.0, 200.0]))
    swing = 0.5 - 0.5 * np.cos(2 * np.pi * rng.uniform(0.2, 4.0) * np.arange(count) / rate_hz)
    return (one + (other - one) * swing) * _envelope(count, rate_hz, rng.uniform(0.005, 0.3), rng.uniform(0.03, 0.3))


PITCHED: tuple[Instrument, ...] = (plucked, struck, organ, bowed, blown, synthesiser)


def _drum(kind: int, rate_hz: int, rng: np.random.Generator) -> Float:
    """Kick, snare, closed hat, open hat, tom."""
    times = np.arange(int(0.4 * rate_hz)) / rate_hz
    hiss = rng.standard_normal(len(times))
    bright = np.diff(hiss, prepend=0.0)
    sweep = np.sin(2 * np.pi * (55.0 * times + rng.uniform(2.0, 5.0) * (1 - np.exp(-times * 30.0))))
    sounds = (
        lambda: sweep * np.exp(-times * rng.uniform(8.0, 20.0)) * 2.0,
        lambda: hiss * np.exp(-times * rng.uniform(12.0, 30.0)) + sweep * np.exp(-times * 25.0),
        lambda: bright * np.exp(-times * rng.uniform(40.0, 90.0)),
        lambda: bright * np.exp(-times * rng.uniform(8.0, 15.0)),
        lambda: np.sin(2 * np.pi * rng.uniform(90.0, 220.0) * times) * np.exp(-times * 12.0),
    )
    return sounds[kind]()


def _mix_in(track: Float, samples: Float, start: int, loud: float) -> None:
    if start < len(track):
        piece = samples[: len(track) - start]
        scale = loud / max(1e-6, float(np.sqrt(np.mean(np.square(samples)))))
        track[start : start + len(piece)] += scale * piece


def _drums(count: int, rate_hz: int, beat_s: float, rng: np.random.Generator) -> Float:
    """A pattern of sixteen steps, repeated with small changes."""
    track = np.zeros(count)
    pattern = rng.random((5, 16)) < np.array([[0.2], [0.12], [0.4], [0.06], [0.05]])
    pattern[0, ::8], pattern[1, 4::8] = True, True
    kit = [_drum(kind, rate_hz, rng) for kind in range(5)]
    for step in range(int(count / rate_hz / beat_s * 4) + 1):
        for kind in np.flatnonzero(pattern[:, step % 16]):
            loud = rng.uniform(0.5, 1.0) * (1.0, 0.8, 0.3, 0.3, 0.6)[kind]
            _mix_in(track, kit[kind], int(step * beat_s / 4 * rate_hz), loud)
    return track


def _pitch(tonic_hz: float, scale: tuple[int, ...], degree: int) -> float:
    return tonic_hz * 2.0 ** ((12 * (degree // 7) + scale[degree % 7]) / 12.0)


def _notes(
    role: int, bars: list[int], bar_s: float, tonic_hz: float, scale: tuple[int, ...], rng: np.random.Generator
) -> list[Note]:
    """Melody (0), chords (1) or bass (2) over the degrees of a progression."""
    notes: list[Note] = []
    degree = 7
    for index, root in enumerate(bars):
        start = index * bar_s
        if role == 0:
            while start < (index + 1) * bar_s - 0.01:
                length = bar_s / 4 * rng.choice([0.5, 1.0, 1.0, 2.0, 3.0])
                degree = int(np.clip(degree + rng.choice([-2, -1, -1, 1, 1, 2, 4]), 2, 15))
                if rng.random() < 0.85:
                    legato = rng.uniform(0.6, 1.1)
                    notes.append(Note(start, _pitch(tonic_hz, scale, degree), length * legato, rng.uniform(0.5, 1.0)))
                start += length
        elif role == 1:
            hits = int(rng.choice([1, 1, 2, 4]))
            for hit in range(hits):
                for step in (0, 2, 4):
                    pitch = _pitch(tonic_hz, scale, root + step)
                    notes.append(Note(start + hit * bar_s / hits + rng.uniform(0, 0.02), pitch, bar_s / hits, 0.5))
        else:
            for beat in range(4):
                if rng.random() < 0.7:
                    pitch = _pitch(tonic_hz / 4, scale, root + int(rng.choice([0, 0, 4, 7])))
                    notes.append(Note(start + beat * bar_s / 4, pitch, bar_s / 4, 0.8))
    return notes


def reverberated(samples: Float, rate_hz: int, rng: np.random.Generator) -> Float:
    """The sound in a hall of .3 to 2.5 s."""
    fade_s = rng.uniform(0.3, 2.5)
    times = np.arange(int(fade_s * rate_hz)) / rate_hz
    tail = rng.standard_normal(len(times)) * np.exp(-6.9 * times / fade_s)
    tail = lfilter([0.4], [1.0, -0.6], tail)
    tail *= rng.uniform(0.2, 0.9) / np.linalg.norm(tail)
    tail[0] += 1.0
    size = next_fast_len(len(samples) + len(tail), real=True)
    heard: Float = irfft(rfft(samples, size) * rfft(tail, size), size)[: len(samples)]
    return heard


def mixed(voice: Float, background: Float, ratio_db: float) -> Float:
    """The voice this much louder than the background, both measured where they sound."""
    loud, ground = (float(np.sqrt(np.mean(np.square(x[np.abs(x) > 1e-3])))) for x in (voice, background))
    mix: Float = voice + background * (loud / max(ground, 1e-6) * 10.0 ** (-ratio_db / 20.0))
    return mix.astype(np.float32)


def instrumental(duration_s: float, rate_hz: int, rng: np.random.Generator) -> Float:
    """A piece of music in which nobody sings.

    Args:
        duration_s: Length.
        rate_hz: Sampling rate.
        rng: Tempo, key, instruments, notes.

    Returns:
        `S` float32 of unit power: one to four of melody, chords, bass and drums.
    """
    count = int(duration_s * rate_hz)
    beat_s = float(rng.uniform(0.33, 0.9))
    scale = _SCALES[int(rng.integers(len(_SCALES)))]
    tonic_hz = float(rng.uniform(130.0, 262.0))
    progression = _PROGRESSIONS[int(rng.integers(len(_PROGRESSIONS)))]
    bars = [progression[i % 4] for i in range(int(duration_s / (4 * beat_s)) + 1)]
    roles = [role for role in range(3) if rng.random() < (0.75, 0.6, 0.5)[role]] or [0]
    mix: Float = np.zeros(count)
    for role in roles:
        instrument = PITCHED[int(rng.integers(len(PITCHED)))]
        seed, loud = int(rng.integers(2**31)), rng.uniform(0.4, 1.0)
        octave = 2.0 ** int(rng.integers(-1, 2)) if role == 0 else 1.0
        for note in _notes(role, bars, 4 * beat_s, tonic_hz * octave, scale, rng):
            # one seed per part: an instrument keeps its timbre from note to note
            tone = instrument(note, rate_hz, np.random.default_rng(seed))
            if len(tone):
                _mix_in(mix, tone, int(note.start_s * rate_hz), note.loud * loud)
    if rng.random() < 0.5:
        mix += rng.uniform(0.3, 1.0) * _drums(count, rate_hz, beat_s, rng)
    if rng.random() < 0.7:
        mix = reverberated(mix, rate_hz, rng)
    return (mix / max(1e-9, float(mix.std()))).astype(np.float32)
