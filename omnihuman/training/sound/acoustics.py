"""Rooms, noises and telephones: clean speech -> how microphones would have heard it. Also sounds without speech.

Keeps the length and the timing of the sound; the direct path of a room arrives at once.

Legend: S samples, all at one rate.
"""

from __future__ import annotations

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from omnihuman.config import StrictModel
from omnihuman.types import Float, Sound

_LONGEST_ROOM_S = 0.6


class AcousticSettings(StrictModel):
    """How often and how strongly the sound is spoilt; shares are probabilities.

    Attributes:
        noise_share: Added noise.
        snr_db: Range of the signal-to-noise ratio.
        room_share: Reverberation.
        reverb_s: Range of the time in which the room fades by 60 dB.
        narrow_share: Band limit of telephones and bad codecs.
        band_hz: Range of that limit (drawn logarithmically).
        tilt_db: Largest rise or fall of the spectrum from 100 Hz to the top.
        gain_db: Range of the level.
    """

    noise_share: float = 0.75
    snr_db: tuple[float, float] = (8.0, 38.0)
    room_share: float = 0.4
    reverb_s: tuple[float, float] = (0.12, 0.5)
    narrow_share: float = 0.4
    band_hz: tuple[float, float] = (3300.0, 8000.0)
    tilt_db: float = 6.0
    gain_db: tuple[float, float] = (-30.0, 0.0)


def _frequencies(count: int, rate_hz: int) -> Float:
    """Bins in Hz of the transform that `_shaped` uses for this many samples."""
    return np.fft.rfftfreq(next_fast_len(count, real=True), 1.0 / rate_hz).astype(np.float32)


def _shaped(samples: Float, gains: Float) -> Float:
    """Filters by a gain per bin of `_frequencies`, without delay."""
    size = next_fast_len(len(samples), real=True)
    filtered: Float = irfft(rfft(np.asarray(samples, np.float32), size) * gains, size)[: len(samples)]
    return filtered


def coloured_noise(count: int, rate_hz: int, rng: np.random.Generator) -> Float:
    """Steady noise `S` of unit power: white to brown, sometimes with the hum of mains or a fan."""
    frequency = _frequencies(count, rate_hz)
    slope = rng.uniform(0.0, 1.2)
    gains = (np.maximum(frequency, 40.0) / 1000.0) ** -slope
    noise = _shaped(rng.standard_normal(count, dtype=np.float32), gains)
    noise /= max(1e-9, float(noise.std()))
    if rng.random() < 0.25:
        base, times = rng.choice([50.0, 60.0, rng.uniform(80.0, 240.0)]), np.arange(count) / rate_hz
        for harmonic in range(1, 6):
            phase = rng.uniform(0.0, 2 * np.pi)
            noise += rng.uniform(0.1, 0.8) / harmonic * np.sin(2 * np.pi * base * harmonic * times + phase)
        noise /= float(noise.std())
    return noise.astype(np.float32)


def instruments(count: int, rate_hz: int, rng: np.random.Generator) -> Float:
    """Plucked and blown tones in chords, `S` of about unit power: music in which nobody sings."""
    mix = np.zeros(count, np.float32)
    beat = int(rate_hz * rng.uniform(0.18, 0.6))
    root = rng.uniform(80.0, 240.0)
    scale = rng.choice([0, 2, 4, 5, 7, 9, 11, 12, 14, 16], size=6, replace=False)
    for start in range(0, count, beat):
        length = min(count - start, int(beat * rng.uniform(0.8, 3.0)))
        times = np.arange(length) / rate_hz
        fade = np.exp(-times * rng.uniform(1.0, 8.0)) * np.minimum(1.0, times / rng.uniform(0.004, 0.06))
        for step in rng.choice(scale, size=int(rng.integers(1, 4)), replace=False):
            pitch = root * 2.0 ** (float(step) / 12.0) * rng.choice([1.0, 1.0, 2.0])
            for harmonic in range(1, int(rng.integers(2, 9))):
                mix[start : start + length] += fade * np.sin(2 * np.pi * pitch * harmonic * times) / harmonic**1.3
        if rng.random() < 0.5:
            hit = rng.standard_normal(length) * np.exp(-times * rng.uniform(20.0, 90.0))
            mix[start : start + length] += rng.uniform(0.3, 1.2) * hit
    return mix / max(1e-9, float(mix.std()))


def _room(samples: Float, rate_hz: int, reverb_s: float, rng: np.random.Generator) -> Float:
    """Adds the diffuse tail of a room."""
    count = int(_LONGEST_ROOM_S * rate_hz)
    times = np.arange(count) / rate_hz
    tail = rng.standard_normal(count) * np.exp(-6.9 * times / reverb_s) * (times > 0.004)
    tail *= rng.uniform(0.25, 0.8) / np.linalg.norm(tail)
    tail[0] = 1.0
    size = next_fast_len(len(samples) + count, real=True)
    heard: Float = irfft(rfft(samples, size) * rfft(tail.astype(np.float32), size), size)[: len(samples)]
    return heard


def _band_gains(frequency: Float, band_hz: float, tilt_db: float) -> Float:
    octaves = np.log2(np.maximum(frequency, 100.0) / 100.0)
    tilt = 10.0 ** (tilt_db * octaves / max(float(octaves[-1]), 1.0) / 20.0)
    return tilt / np.sqrt(1.0 + (frequency / band_hz) ** 16)


def spoil(sound: Sound, settings: AcousticSettings, rng: np.random.Generator) -> Sound:
    """One random recording condition.

    Args:
        sound: Clean speech.
        settings: How strongly.
        rng: Source of chance.

    Returns:
        Same rate and length.
    """
    samples, rate = sound.samples, sound.rate_hz
    if rng.random() < settings.room_share:
        samples = _room(samples, rate, float(rng.uniform(*settings.reverb_s)), rng)
    if rng.random() < settings.noise_share:
        loud = float(np.sqrt(np.mean(np.square(samples)))) or 1e-3
        level = loud * 10.0 ** (-rng.uniform(*settings.snr_db) / 20.0)
        samples = samples + np.float32(level) * coloured_noise(len(samples), rate, rng)
    narrow = rng.random() < settings.narrow_share
    band = float(np.exp(rng.uniform(*np.log(settings.band_hz)))) if narrow else float(rate)
    tilt = float(rng.uniform(-settings.tilt_db, settings.tilt_db))
    samples = _shaped(samples, _band_gains(_frequencies(len(samples), rate), band, tilt))
    gain = 10.0 ** (rng.uniform(*settings.gain_db) / 20.0) * 0.7 / max(1e-6, float(np.abs(samples).max()))
    return Sound((samples * np.float32(gain)).astype(np.float32), rate)


def without_speech(duration_s: float, rate_hz: int, rng: np.random.Generator) -> Sound:
    """Silence, steady noise, knocks or instrumental music, one of them at random."""
    count = int(duration_s * rate_hz)
    kind = rng.choice(["silence", "noise", "knocks", "music"])
    level = 10.0 ** (rng.uniform(-45.0, -12.0) / 20.0)
    samples = np.zeros(count, np.float32)
    if kind == "silence":
        samples = coloured_noise(count, rate_hz, rng)
        level = 10.0 ** (rng.uniform(-95.0, -60.0) / 20.0)
    elif kind == "noise":
        samples = coloured_noise(count, rate_hz, rng)
    elif kind == "music":
        samples = instruments(count, rate_hz, rng) * 0.5
    else:
        times = np.arange(int(0.25 * rate_hz)) / rate_hz
        for at in rng.integers(0, count - len(times), size=int(duration_s)):
            knock = rng.standard_normal(len(times)) * np.exp(-times * rng.uniform(30.0, 150.0))
            samples[at : at + len(times)] += rng.uniform(0.3, 1.5) * _shaped(
                knock, _band_gains(_frequencies(len(times), rate_hz), rng.uniform(200.0, 6000.0), 0.0)
            )
        samples += 0.02 * coloured_noise(count, rate_hz, rng)
    return Sound(np.clip(samples * level, -1.0, 1.0).astype(np.float32), rate_hz)
