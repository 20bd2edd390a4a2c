"""What every phone recogniser of the house must keep, so that a preset may name any of them; each new one joins."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from omnihuman.speech.clock import row_count
from omnihuman.speech.inventory import PHONES, SILENCE
from omnihuman.speech.mel_phones import MelPhoneRecognizer
from omnihuman.speech.phones import POSTERIOR_WIDTH, PhoneRecognizer
from omnihuman.types import Float, Sound
from tests.unit.speech.tiny_hama import write_tiny
from tests.unit.speech.tiny_mel import write_tiny_mel

TINY: dict[str, Callable[[Path], PhoneRecognizer | MelPhoneRecognizer]] = {
    "hama": lambda folder: PhoneRecognizer.from_files({"asr_waveform.hama": write_tiny(folder)}, device="cpu"),
    "mel": lambda folder: MelPhoneRecognizer.from_files({"mel.safetensors": write_tiny_mel(folder)}, device="cpu"),
}
SHIPPED = ("phones-hama", "phones-mel")
SENTENCE = "My big brother Bob put five warm apple pies on a broken table, then he left."


@pytest.fixture(params=sorted(TINY))
def recognizer(request, tmp_path):
    return TINY[request.param](tmp_path)


def babble(duration_s: float, rate_hz: int = 16000, seed: int = 0) -> Sound:
    """Noise in syllables, with pauses."""
    rng = np.random.default_rng(seed)
    count = int(duration_s * rate_hz)
    loudness = np.interp(np.arange(count) / rate_hz, np.arange(0.0, duration_s + 0.1, 0.1), _syllables(duration_s, rng))
    return Sound((rng.standard_normal(count) * loudness * 0.2).astype(np.float32), rate_hz)


def _syllables(duration_s: float, rng: np.random.Generator) -> Float:
    return rng.random(len(np.arange(0.0, duration_s + 0.1, 0.1))) ** 3


@pytest.mark.parametrize("num_samples", [0, 1, 159, 160, 319, 320, 321, 5000])
@pytest.mark.parametrize("rate_hz", [8000, 16000, 44100])
def test_every_length_has_its_rows_of_probabilities(recognizer, num_samples, rate_hz):
    sound = Sound(babble(0.7, rate_hz).samples[:num_samples], rate_hz)
    rows = recognizer.log_posteriors(sound)
    assert rows.shape == (row_count(sound), POSTERIOR_WIDTH) and rows.dtype == np.float32
    assert np.isfinite(rows).all()
    np.testing.assert_allclose(np.exp(rows).sum(1), 1.0, atol=1e-3)


@pytest.mark.parametrize("gain_db", [-30.0, 12.0])
def test_the_recording_level_does_not_matter(recognizer, gain_db):
    sound = babble(1.5)
    other = Sound((sound.samples * 10 ** (gain_db / 20)).astype(np.float32), 16000)
    np.testing.assert_allclose(recognizer.log_posteriors(sound), recognizer.log_posteriors(other), atol=5e-3)


def test_the_rate_hardly_matters(recognizer):
    """Below half of the lower rate both sounds are the same."""
    import soxr

    narrow = soxr.resample(soxr.resample(babble(2.0).samples, 16000, 8000), 8000, 16000)
    wide = soxr.resample(narrow, 16000, 48000)
    one = recognizer.log_posteriors(Sound(narrow.astype(np.float32), 16000))
    other = recognizer.log_posteriors(Sound(wide.astype(np.float32), 48000))
    assert np.abs(one - other[: len(one)]).mean() < 0.05 * one.std()


def test_broken_samples_are_silence(recognizer):
    samples = babble(0.6).samples
    samples[4000:4010] = np.nan
    samples[5000] = np.inf
    assert np.isfinite(recognizer.log_posteriors(Sound(samples, 16000))).all()


def test_what_is_far_away_does_not_matter(recognizer):
    """Windows of a long sound give what its parts give, except near the cuts."""
    sound = babble(45.0)
    long = recognizer.log_posteriors(sound)
    level = float(np.abs(sound.samples).max())
    part = sound.samples[10 * 16000 : 40 * 16000].copy()
    part[0] = level
    alone = recognizer.log_posteriors(Sound(part, 16000))
    inner = slice(10 * 50, 20 * 50)
    difference = np.abs(alone[inner] - long[10 * 50 :][inner])
    assert np.median(difference) < 0.05 * long.std()


def test_results_repeat(recognizer):
    sound = babble(1.0)
    first = recognizer.log_posteriors(sound)
    np.testing.assert_array_equal(first, recognizer.log_posteriors(sound))
    assert first.std() > 0.1


@pytest.mark.parametrize("model_id", SHIPPED)
def test_it_hears_what_the_voice_says_in_the_middle_of_each_phone(model_id, model_handle):
    with model_handle("voice-hibari")() as voice, model_handle(model_id)() as shipped:
        speech = voice.speak(SENTENCE)
        posteriors = np.exp(shipped.log_posteriors(speech.sound))
    said = [phone for phone in speech.phones if phone.symbol != SILENCE]
    late_s, missed = [], 0
    for phone in said:
        first, last = int(max(0.0, phone.start_s - 0.06) * 50), int((phone.end_s + 0.06) * 50) + 1
        near = posteriors[first : last + 1, PHONES.index(phone.symbol)]
        if near.max() < 0.3:
            missed += 1
            continue
        centre = float(np.average(np.arange(first, first + len(near)), weights=near)) / 50
        late_s.append(centre - (phone.start_s + phone.end_s) / 2)
    assert missed <= 0.25 * len(said)
    assert abs(np.median(late_s)) <= 0.010


@pytest.mark.parametrize("model_id", SHIPPED)
def test_silence_says_nothing(model_id, model_handle):
    with model_handle(model_id)() as shipped:
        posteriors = np.exp(shipped.log_posteriors(Sound(np.zeros(32000, np.float32), 16000)))
    nothing = [PHONES.index(SILENCE), len(PHONES), len(PHONES) + 1]
    assert posteriors[:, nothing].sum(1).min() > 0.9
