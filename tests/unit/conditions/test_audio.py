from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest

from omnihuman.conditions.audio import AUDIO_WIDTH, AudioConditioner, relative_loudness, scaled_posteriors
from omnihuman.speech.clock import row_count
from omnihuman.types import ConditionTrack, Float, Sound


class Recognizer:
    """Names phones by a fixed rule of the row's number."""

    def log_posteriors(self, sound: Sound) -> Float:
        rng = np.random.default_rng(0)
        return np.log(rng.dirichlet(np.full(42, 0.05), row_count(sound)) + 1e-30).astype(np.float32)


def encode(samples: np.ndarray, rate_hz: int = 16000) -> ConditionTrack:
    return AudioConditioner(lambda: nullcontext(Recognizer())).encode(Sound(samples.astype(np.float32), rate_hz))


def syllables(rate_hz: int = 16000) -> np.ndarray:
    """Three seconds of a 150 Hz tone, 300 ms loud, 200 ms silent; every other one 12 dB softer."""
    t = np.arange(3 * rate_hz) / rate_hz
    loud = np.where((t % 1.0) < 0.5, 0.4, 0.1)
    return loud * ((t % 0.5) < 0.3) * np.sin(2 * np.pi * 150 * t)


@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_track_has_the_agreed_shape(rate_hz: int) -> None:
    track = encode(syllables(rate_hz), rate_hz)
    assert track.kind == "audio" and track.mask is None
    assert track.values.shape == (151, AUDIO_WIDTH) == (151, 43)
    assert track.values.dtype == track.times_s.dtype == np.float32
    np.testing.assert_allclose(track.times_s, np.arange(151) / 50, atol=1e-6)
    assert track.values.min() >= -1 and track.values.max() <= 1


def test_posteriors_keep_their_order_and_range() -> None:
    scaled = scaled_posteriors(np.log(np.array([[1.0, 0.5, 1e-3, 1e-30, 0.0]], np.float32) + 1e-38))
    assert scaled[0, 0] == pytest.approx(1.0) and scaled[0, 3] == scaled[0, 4] == -1.0
    assert np.all(np.diff(scaled[0, :4]) < 0)
    assert scaled[0, 1] == pytest.approx(1.0 + np.log(0.5) / 8)


def test_certain_phone_is_one_and_the_others_are_low() -> None:
    values = encode(syllables()).values[:, :42]
    assert np.median(values.max(1)) > 0.9
    assert np.median(values) < -0.3


def test_loudness_follows_the_syllables() -> None:
    loudness = encode(syllables()).values[:, 42]
    strong, weak, silent = loudness[5:11].mean(), loudness[30:36].mean(), loudness[19:22].mean()
    assert strong - weak == pytest.approx(12 / 18, abs=0.05)
    assert silent == -1.0
    assert 0.5 < strong < 1.0


@pytest.mark.parametrize("gain_db", [-30, -12, 6])
def test_loudness_does_not_know_the_recording_level(gain_db: float) -> None:
    as_it_is, changed = encode(syllables()), encode(syllables() * 10 ** (gain_db / 20))
    np.testing.assert_allclose(changed.values, as_it_is.values, atol=1e-3)


def test_pauses_do_not_shift_the_speech_level() -> None:
    short = encode(syllables()).values[:, 42]
    padded = encode(np.concatenate([syllables(), np.zeros(16000 * 12)])).values[:, 42]
    np.testing.assert_allclose(padded[:140], short[:140], atol=0.12)


def test_silence_is_quiet_and_finite() -> None:
    assert np.all(encode(np.zeros(16000)).values[:, 42] == -1.0)
    assert np.all(relative_loudness(np.full(5, -100.0, np.float32)) == -1.0)
    assert encode(np.zeros(0)).values.shape == (1, 43)
