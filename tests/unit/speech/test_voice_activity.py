"""Speech, singing, instruments, noise and silence, made by the training package's own synthesisers and other seeds."""

from __future__ import annotations

import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from omnihuman.errors import ModelError
from omnihuman.speech.inventory import SILENCE, VOWELS
from omnihuman.speech.voice import Speech
from omnihuman.speech.voice_activity import (
    LABELS,
    NOISE_OR_MUSIC,
    SINGING,
    SPEECH,
    SpeechDetector,
    VoiceActivity,
    VoiceGate,
)
from omnihuman.speech.voice_activity import SILENCE as SILENT
from omnihuman.speech.voice_activity_features import FEATURE_NAMES, voice_features
from omnihuman.speech.voice_activity_judge import CLASSES, VoiceJudge
from omnihuman.speech.voice_activity_network import SileroNetwork
from omnihuman.training.sound.accompaniment import instrumental, mixed
from omnihuman.training.sound.singing import SingingVoice, SongStyle
from omnihuman.types import Sound

RATE_HZ = 16000
SENTENCE = "Bring me a summer evening by the open sea, my love, and stay."
STYLE = SongStyle(tonic_hz=210.0, beat_s=0.35, held_share=0.4)


@pytest.fixture
def listen(model_handle):
    gate = VoiceGate(model_handle("voice-detector"), model_handle("voice-judge"))
    phones = model_handle("phones-hama")

    def heard(samples: np.ndarray, rate_hz: int = RATE_HZ, *, phones_known: bool = True) -> VoiceActivity:
        sound = Sound(samples.astype(np.float32), rate_hz)
        with phones() as recognizer:
            return gate.listen(sound, recognizer.log_posteriors(sound) if phones_known else None)

    return heard


@pytest.fixture
def voice(model_handle):
    with model_handle("voice-hibari")() as built_in:
        yield SingingVoice.of(built_in)


def samples_of(speech: Speech) -> np.ndarray:
    import soxr

    return soxr.resample(speech.sound.samples, speech.sound.rate_hz, RATE_HZ)


def rows_with(speech: Speech, count: int, symbols: frozenset[str] | None = None) -> np.ndarray:
    """Rows inside a phone (of these symbols), a little off the edges."""
    times = np.arange(count) / 50
    chosen = [p for p in speech.phones if (p.symbol in symbols if symbols else p.symbol != SILENCE)]
    return np.any([(times >= p.start_s) & (times < p.end_s) for p in chosen], axis=0)


def test_open_in_speech_and_called_speech(listen, voice) -> None:
    speech = voice.speak(SENTENCE)
    found = listen(samples_of(speech))
    said = rows_with(speech, len(found.opening))
    assert (found.opening[said] > 0.9).mean() >= 0.97
    assert (found.labels[said] == SPEECH).mean() >= 0.9 and found.warnings() == ()


@pytest.mark.parametrize("phones_known", [True, False])
@pytest.mark.parametrize("ratio_db", [None, 6.0])
def test_open_in_singing_and_called_singing(listen, voice, ratio_db, phones_known) -> None:
    rng = np.random.default_rng(41)
    song = voice.sing(SENTENCE, STYLE, rng)
    samples = samples_of(song)
    if ratio_db is not None:
        samples = mixed(samples, instrumental(len(samples) / RATE_HZ + 0.1, RATE_HZ, rng)[: len(samples)], ratio_db)
    found = listen(samples, phones_known=phones_known)
    sung = rows_with(song, len(found.opening), VOWELS)
    assert (found.opening[sung] > 0.5).mean() >= 0.85
    assert (found.labels[sung] == SINGING).mean() >= 0.6


@pytest.mark.parametrize("seed", range(4))
def test_shut_in_instrumental_music(listen, seed) -> None:
    found = listen(0.1 * instrumental(10.0, RATE_HZ, np.random.default_rng([7, seed])))
    assert (found.opening < 0.1).mean() >= 0.9
    assert (found.labels == NOISE_OR_MUSIC).mean() >= 0.6


TIME = np.arange(5 * RATE_HZ) / RATE_HZ
QUIET = {
    "digital silence": np.zeros(5 * RATE_HZ),
    "dither": np.random.default_rng(1).standard_normal(5 * RATE_HZ) * 1e-5,
    "white noise": np.random.default_rng(2).standard_normal(5 * RATE_HZ) * 0.1,
    "brown noise": np.cumsum(np.random.default_rng(3).standard_normal(5 * RATE_HZ) * 1e-3),
    "mains hum": 0.2 * np.sin(2 * np.pi * 50 * TIME) + 0.1 * np.sin(2 * np.pi * 150 * TIME),
    "a held tone": 0.3 * np.sin(2 * np.pi * 440 * TIME),
}


@pytest.mark.parametrize("kind", QUIET)
@pytest.mark.parametrize("phones_known", [True, False])
def test_shut_in_silence_and_steady_noise(listen, kind, phones_known) -> None:
    found = listen(QUIET[kind], phones_known=phones_known)
    assert (found.opening < 0.1).mean() >= 0.98
    assert not found.has_voice
    silent = kind in ("digital silence", "dither")
    assert (found.labels == (SILENT if silent else NOISE_OR_MUSIC)).mean() >= 0.98
    assert found.warnings() == (() if silent else ("no voice is heard in the sound: the mouth stays at rest",))


def test_level_and_rate_do_not_matter(listen, voice) -> None:
    speech = voice.speak("My brother Bob left, and then he came back.")
    expected = listen(samples_of(speech)).opening
    for other in (listen(samples_of(speech) * 0.02), listen(speech.sound.samples, speech.sound.rate_hz)):
        count = min(len(expected), len(other.opening))
        assert np.abs(other.opening[:count] - expected[:count]).mean() < 0.03


def test_shares_add_up(listen, voice) -> None:
    shares = listen(samples_of(voice.speak("Hello there."))).shares()
    assert tuple(shares) == LABELS and sum(shares.values()) == pytest.approx(1.0)


@pytest.mark.parametrize("num_samples", [0, 1, 300, 1500])
def test_short_sounds_have_their_rows(num_samples) -> None:
    found = tiny_gate().listen(Sound(np.full(num_samples, 0.1, np.float32), RATE_HZ))
    assert found.opening.shape == found.labels.shape == (num_samples // 320 + 1,)
    assert np.isfinite(found.opening).all()


def tiny_gate() -> VoiceGate:
    torch.manual_seed(0)
    detector = SpeechDetector(SileroNetwork().eval())
    judge = VoiceJudge().eval()
    return VoiceGate(lambda: nullcontext(detector), lambda: nullcontext(judge))


def test_passes_over_long_rows_are_seamless() -> None:
    torch.manual_seed(0)
    judge = VoiceJudge().eval()
    features = np.random.default_rng(0).standard_normal((20_000, len(FEATURE_NAMES))).astype(np.float32)
    with torch.inference_mode():
        whole = torch.softmax(judge(torch.from_numpy(features)[None])[0], dim=1).numpy()
    np.testing.assert_allclose(judge.probabilities(features), whole, atol=1e-5)


def test_memory_of_an_hour_grows_by_the_rows_alone() -> None:
    """What is held beyond the sound itself: a few hundred bytes per row, no spectrogram of an hour."""
    torch.manual_seed(0)
    judge, rows = VoiceJudge().eval(), 3600 * 50 + 1
    samples = np.zeros(rows * 320, np.float32)
    samples[::80] = 0.1
    detected = np.zeros(rows, np.float32)
    tracemalloc.start()
    judge.probabilities(voice_features(samples, detected, None)[:20_000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < samples.nbytes + 400 * rows


BROKEN = {
    "not safetensors": lambda path: path.write_bytes(b"no tensors in here"),
    "other tensors": lambda path: save_file({"weight": torch.zeros(2)}, path, {"features": "[]"}),
    "not finite": lambda path: save_file({"weight": torch.full((2,), torch.nan)}, path),
}


@pytest.mark.parametrize("target", [SpeechDetector, VoiceJudge])
@pytest.mark.parametrize("kind", BROKEN)
def test_corrupt_files_are_refused_with_a_code(tmp_path: Path, target, kind) -> None:
    path = tmp_path / "model.safetensors"
    BROKEN[kind](path)
    with pytest.raises(ModelError, match="model_corrupt"):
        target.from_files({"model": path})


@pytest.mark.parametrize("target", [SpeechDetector, VoiceJudge])
def test_a_missing_file_is_told(tmp_path: Path, target) -> None:
    with pytest.raises(ModelError, match="model_missing"):
        target.from_files({"model": tmp_path / "gone.safetensors"})


def test_the_shipped_judge_names_its_training(model_handle) -> None:
    with model_handle("voice-judge")() as judge:
        assert judge.leave.out_features == len(CLASSES) and sum(p.numel() for p in judge.parameters()) < 10_000
