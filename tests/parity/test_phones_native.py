"""The torch network against the native engine of the hama package, on the built-in voice and on synthetic sounds."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from omnihuman.speech.clock import analysis_samples
from omnihuman.speech.hama_symbols import BLANK, SYMBOLS, fold_columns
from omnihuman.speech.inventory import PHONES
from omnihuman.speech.phones import PhoneRecognizer
from omnihuman.types import Float, Sound

engine = pytest.importorskip("hama._engine", reason="the hama package (development dependency) is not installed")
if not engine.available():
    pytest.skip("the hama package brings no native library for this platform", allow_module_level=True)

SENTENCE = "My big brother Bob put five warm apple pies on a broken table, then he left."


@pytest.fixture(scope="module")
def weights() -> Path:
    return Path(str(resources.files("hama.assets").joinpath("asr_waveform.hama")))


@pytest.fixture(scope="module")
def recognizer(weights: Path) -> PhoneRecognizer:
    return PhoneRecognizer.from_files({"hama/assets/asr_waveform.hama": weights})


@pytest.fixture(scope="module")
def native(weights: Path) -> Any:
    return engine.AsrSession(weights.read_bytes())


@pytest.fixture(scope="module")
def speech() -> Any:
    hibari = pytest.importorskip("hibari", reason="the built-in voice (hibari-tts) is not installed")
    from omnihuman.speech.voice import BuiltInVoice

    assets = Path(hibari.__file__).parent / "assets"
    return BuiltInVoice.from_files({path.name: path for path in assets.iterdir() if path.is_file()}).speak(SENTENCE)


def native_log_posteriors(native: Any, samples: Float) -> Float:
    feeds = {"waveform": samples, "waveform_lengths": np.array([len(samples)])}
    return np.asarray(native.run(["log_probs"], feeds)[0][0])


def agree(native: Any, recognizer: PhoneRecognizer, samples: Float) -> None:
    theirs, ours = native_log_posteriors(native, samples), recognizer.symbol_log_posteriors(samples)
    assert theirs.shape == ours.shape == (len(samples) // 320 + 1, SYMBOLS)
    assert np.abs(np.exp(theirs) - np.exp(ours)).max() < 5e-3
    assert np.abs(theirs - ours).max() < 0.02
    np.testing.assert_array_equal(theirs.argmax(1), ours.argmax(1))


def test_parity_on_speech(native: Any, recognizer: PhoneRecognizer, speech: Any) -> None:
    agree(native, recognizer, analysis_samples(speech.sound))


@pytest.mark.parametrize("kind", ["silence", "noise", "tone", "impulse"])
def test_parity_on_synthetic_sounds(native: Any, recognizer: PhoneRecognizer, kind: str) -> None:
    t = np.arange(16000)
    samples = {
        "silence": 0.0 * t,
        "noise": np.random.default_rng(0).standard_normal(len(t)) * 0.1,
        "tone": 0.3 * np.sin(0.05 * t),
        "impulse": (t == 7000) * 0.9,
    }[kind]
    agree(native, recognizer, samples.astype(np.float32))


def test_symbols_are_the_ones_that_the_fold_means() -> None:
    from hama.vocab import Vocabulary

    symbols = [*Vocabulary.load().decoder, "<wb>", "<blank>"]
    assert len(symbols) == SYMBOLS and symbols[BLANK] == "<blank>"
    meant = {
        "P": "p", "B": "b", "M": "m", "TH": "\u03b8", "DH": "\u00f0", "SH": "\u0283", "ZH": "\u0292", "NG": "\u014b",
        "CH": "t\u0361\u0283", "JH": "d\u0361\u0292", "R": "\u0279", "Y": "j", "AE": "\u00e6", "AH": "\u0259",
        "AY": "a\u026a", "AW": "a\u028a", "OY": "\u0254\u026a", "OW": "o\u028a", "EY": "e\u026a", "ER": "\u025d",
        "UH": "\u028a", "UW": "u", "IY": "i", "IH": "\u026a", "AA": "\u0251", "AO": "\u0254", "EH": "\u025b",
    }  # fmt: skip
    columns = fold_columns()
    assert {phone: PHONES[columns[symbols.index(symbol)]] for phone, symbol in meant.items()} == {p: p for p in meant}


def test_level_and_rate_leave_speech_as_it_is(recognizer: PhoneRecognizer, speech: Any) -> None:
    faint = Sound(speech.sound.samples * np.float32(10 ** (-30 / 20)), speech.sound.rate_hz)
    np.testing.assert_allclose(
        recognizer.log_posteriors(faint), recognizer.log_posteriors(speech.sound), atol=0.05, rtol=0.01
    )
