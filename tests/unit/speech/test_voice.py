"""The built-in voice: what it says, when it says it, and what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from omnihuman.errors import InputError, ModelError
from omnihuman.speech.inventory import SILENCE, VOWELS, TimedPhone
from omnihuman.speech.voice import BuiltInVoice, Speech, expose_output, joined
from omnihuman.speech.warp import SpeakerWarp
from omnihuman.types import Sound

hibari = pytest.importorskip("hibari", reason="the voice package hibari-tts is not installed")
ASSETS = Path(hibari.__file__).parent / "assets"


@pytest.fixture(scope="module")
def voice():
    return BuiltInVoice.from_files({f"hibari/assets/{path.name}": path for path in ASSETS.iterdir()})


@pytest.fixture(scope="module")
def speech(voice):
    return voice.speak("Bob put a big map above the table.")


def loudness(sound, start_s, end_s):
    part = sound.samples[int(start_s * sound.rate_hz) : int(end_s * sound.rate_hz)]
    return float(np.sqrt(np.mean(np.square(part))))


def test_says_the_words_in_order(speech):
    symbols = [phone.symbol for phone in speech.phones if phone.symbol != SILENCE]
    assert symbols[:9] == ["B", "AA", "B", "P", "UH", "T", "AH", "B", "IH"]
    assert symbols[-5:] == ["T", "EY", "B", "AH", "L"]


def test_phones_tile_the_sound(speech):
    assert speech.phones[0].start_s == 0.0
    assert speech.phones[-1].end_s == pytest.approx(speech.sound.duration_s, abs=1e-6)
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in zip(speech.phones, speech.phones[1:], strict=False))


def test_phone_times_fit_the_sound_and_a_lag_would_show(speech):
    # Closures are quiet and vowels loud, most so at the right lag.
    def contrast(lag_s):
        middles = [(p.symbol, (p.start_s + p.end_s) / 2 + lag_s) for p in speech.phones]
        stops = [loudness(speech.sound, t - 0.01, t + 0.01) for s, t in middles if s in ("B", "P", "T", "G")]
        vowels = [loudness(speech.sound, t - 0.01, t + 0.01) for s, t in middles if s in VOWELS]
        return np.mean(np.log(vowels)) - np.mean(np.log(stops))

    by_lag = {lag: contrast(lag / 1000.0) for lag in (-90, -60, -30, 0, 30, 60, 90)}
    assert max(by_lag, key=by_lag.get) in (-30, 0), by_lag
    assert by_lag[0] > by_lag[60] + 0.5


def test_same_seed_same_samples_and_another_speaker_keeps_the_words(voice, speech):
    again = voice.speak("Bob put a big map above the table.")
    assert np.array_equal(again.sound.samples, speech.sound.samples) and again.phones == speech.phones
    other = voice.speak("Bob put a big map above the table.", SpeakerWarp(f0_scale=0.55, formant_scale=0.85))
    assert [phone.symbol for phone in other.phones] == [phone.symbol for phone in speech.phones]
    assert not np.allclose(other.sound.samples[:24000], speech.sound.samples[:24000], atol=1e-3)


def test_rate_changes_the_length(voice, speech):
    slow = voice.speak("Bob put a big map above the table.", SpeakerWarp(rate=0.7))
    assert slow.sound.duration_s > 1.15 * speech.sound.duration_s


def test_sound_is_mono_float_in_range(speech):
    assert speech.sound.samples.dtype == np.float32 and speech.sound.samples.ndim == 1
    assert 0.05 < np.abs(speech.sound.samples).max() <= 1.0


def test_numbers_are_read_out(voice):
    symbols = [phone.symbol for phone in voice.speak("12").phones if phone.symbol != SILENCE]
    assert symbols == ["T", "W", "EH", "L", "V"]


def test_long_text_without_punctuation_is_split(voice):
    speech = voice.speak("map " * 150)
    assert sum(phone.symbol == "P" for phone in speech.phones) == 150
    assert speech.phones[-1].end_s == pytest.approx(speech.sound.duration_s, abs=1e-6)


@pytest.mark.parametrize("text", ["", " \n "])
def test_empty_text_is_refused(voice, text):
    with pytest.raises(InputError) as caught:
        voice.speak(text)
    assert caught.value.code == "text_empty"


@pytest.mark.parametrize("text", ["\u4f60\u597d\u4e16\u754c", "...", "\u041f\u0440\u0438\u0432\u0435\u0442, Bob", "-"])
def test_text_that_it_cannot_read_is_refused(voice, text):
    with pytest.raises(InputError) as caught:
        voice.speak(text)
    assert caught.value.code == "language_unsupported"


def test_silences_at_a_joint_become_one():
    part = Speech(Sound(np.zeros(100, np.float32), 100), (TimedPhone("M", 0.0, 0.6), TimedPhone(SILENCE, 0.6, 1.0)))
    other = Speech(Sound(np.zeros(50, np.float32), 100), (TimedPhone(SILENCE, 0.0, 0.2), TimedPhone("P", 0.2, 0.5)))
    both = joined([part, other])
    assert both.sound.duration_s == 1.5
    assert both.phones == (TimedPhone("M", 0.0, 0.6), TimedPhone(SILENCE, 0.6, 1.2), TimedPhone("P", 1.2, 1.5))


def test_exposed_tensor_is_an_output_of_the_graph():
    # Fields written by hand: graph (7) holding one output (12) whose name (1) is "xy".
    assert expose_output(b"model", "xy") == b"model" + bytes([7 << 3 | 2, 6, 12 << 3 | 2, 4, 1 << 3 | 2, 2]) + b"xy"


def test_a_broken_network_or_another_package_version_is_a_coded_error(tmp_path):
    network = tmp_path / "hibari.onnx"
    network.write_bytes((ASSETS / "hibari.onnx").read_bytes()[:1000])
    with pytest.raises(ModelError) as broken:
        BuiltInVoice.from_files({"hibari/assets/hibari.onnx": network})
    assert broken.value.code == "voice_broken"
    table = tmp_path / "normalize.json"
    table.write_text("{}")
    files = {"hibari/assets/hibari.onnx": ASSETS / "hibari.onnx", "hibari/assets/normalize.json": table}
    with pytest.raises(ModelError) as other:
        BuiltInVoice.from_files(files)
    assert other.value.code == "voice_mismatch"
