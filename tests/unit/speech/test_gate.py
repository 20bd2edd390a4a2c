from __future__ import annotations

import numpy as np
import pytest

from omnihuman.speech.gate import speech_activity
from omnihuman.types import Sound

RATE_HZ = 16000
RNG_SEED = 3


def noise(duration_s: float, rms: float = 0.1, seed: int = RNG_SEED) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(int(duration_s * RATE_HZ)) * rms


def utterance(duration_s: float) -> np.ndarray:
    """Voiced syllables with gliding formant-like bands, a weak fricative before each: four a second."""
    t = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    phase = t % 0.25
    f0 = 2 * np.pi * np.cumsum(120 + 15 * np.sin(2 * np.pi * 0.7 * t)) / RATE_HZ
    tilt = 0.6 + 0.4 * np.sin(2 * np.pi * 1.3 * t)
    voiced = sum(np.sin(k * f0) / k * (tilt if k > 5 else 1.0) for k in range(1, 20))
    hiss = np.diff(noise(duration_s, 0.012), prepend=0.0)
    vowel = np.clip(np.minimum(phase - 0.06, 0.24 - phase) / 0.02, 0.0, 1.0)
    return 0.15 * voiced * vowel + hiss * (phase < 0.07)


def activity(samples: np.ndarray) -> np.ndarray:
    return speech_activity(Sound(samples.astype(np.float32), RATE_HZ))


def between(rows: np.ndarray, start_s: float, end_s: float) -> np.ndarray:
    return rows[int(np.ceil(start_s * 50)) : int(end_s * 50) + 1]


TIME = np.arange(4 * RATE_HZ) / RATE_HZ
STEADY = {
    "digital silence": np.zeros(4 * RATE_HZ),
    "dither": noise(4, 1e-5),
    "white noise": noise(4),
    "faint white noise": noise(4, 1e-3),
    "one second of noise": noise(1),
    "brown noise": np.cumsum(noise(4, 1e-3)),
    "mains hum": 0.2 * np.sin(2 * np.pi * 50 * TIME) + 0.1 * np.sin(2 * np.pi * 150 * TIME) + noise(4, 1e-3),
    "tone": 0.3 * np.sin(2 * np.pi * 1000 * TIME),
}


@pytest.mark.parametrize("kind", STEADY)
def test_closed_in_silence_and_steady_noise(kind: str) -> None:
    found = activity(STEADY[kind])
    assert found.shape == (len(STEADY[kind]) // 320 + 1,) and found.dtype == np.float32
    assert (found < 0.1).mean() >= 0.98, found.max()


def test_open_in_speech() -> None:
    found = activity(utterance(4))
    assert found.min() >= 0 and found.max() <= 1
    assert (found > 0.9).mean() >= 0.98


@pytest.mark.parametrize("background_rms", [0.0, 1e-3, 0.02])
def test_follows_speech_between_pauses_and_never_cuts_an_onset(background_rms: float) -> None:
    pause = np.zeros(int(1.5 * RATE_HZ))
    samples = np.concatenate([pause, utterance(2), pause, utterance(1), pause])
    found = activity(samples + noise(len(samples) / RATE_HZ, background_rms, seed=9))
    for start_s, end_s in ((1.5, 3.5), (5.0, 6.0)):
        onset_s = start_s if background_rms < 0.01 else start_s + 0.06
        assert between(found, onset_s - 0.02, end_s - 0.02).min() > 0.9
    for start_s, end_s in ((0.0, 1.5), (3.5, 5.0), (6.0, 7.5)):
        assert between(found, start_s + (0.2 if start_s else 0.0), end_s - 0.2).max() < 0.1


@pytest.mark.parametrize("gain_db", [-30, 8])
def test_the_recording_level_does_not_matter(gain_db: float) -> None:
    samples = np.concatenate([noise(1, 1e-4), utterance(1), noise(1, 1e-4)])
    np.testing.assert_allclose(activity(samples * 10 ** (gain_db / 20)), activity(samples), atol=1e-3)


def test_a_click_is_not_speech() -> None:
    samples = noise(3, 1e-3)
    samples[24000:24030] += 0.5
    assert activity(samples).max() < 0.1


def test_noise_that_starts_late_is_let_go_after_a_while() -> None:
    samples = np.concatenate([noise(4, 1e-4), noise(8, 0.05, seed=4)])
    assert between(activity(samples), 8.0, 12.0).max() < 0.1


@pytest.mark.parametrize("num_samples", [0, 1, 300, 1500])
def test_short_sounds_have_their_rows(num_samples: int) -> None:
    found = activity(utterance(1)[2000 : 2000 + num_samples])
    assert found.shape == (num_samples // 320 + 1,)
    assert np.isfinite(found).all()


def test_other_rates_agree() -> None:
    samples = np.concatenate([np.zeros(RATE_HZ), utterance(1), np.zeros(RATE_HZ)])
    at_48k = np.interp(np.arange(3 * 48000) / 48000, np.arange(len(samples)) / RATE_HZ, samples).astype(np.float32)
    found = speech_activity(Sound(at_48k, 48000))
    assert found.shape == (151,)
    assert np.abs(found - activity(samples)).mean() < 0.05
