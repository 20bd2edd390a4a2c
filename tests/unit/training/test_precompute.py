"""Recordings on disk: phones stay on the sound, interrupted work goes on, and two processes do not clash."""

import gzip
import json
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest

from omnihuman.errors import ResourceError
from omnihuman.speech import espeak as espeak_engine
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.speech.phones import POSTERIOR_WIDTH
from omnihuman.speech.voice import Speech
from omnihuman.training.sound import precompute as precompute_module
from omnihuman.training.sound import speakers
from omnihuman.training.sound.precompute import SpeechSettings, folder_of, load_recording, precompute
from omnihuman.training.sound.speakers import recite, somebody
from omnihuman.types import Sound

RATE_HZ = 24_000


class TinyVoice:
    """Says every text as one tone between two silences."""

    def __init__(self, dictionary):
        self.dictionary = dictionary
        self.texts = []

    def speak(self, text, speaker=None, seed=0):
        self.texts.append(text)
        times = np.arange(int(0.5 * RATE_HZ)) / RATE_HZ
        tone = 0.5 * np.sin(2 * np.pi * 300.0 * times) * ((times > 0.2) & (times < 0.4))
        phones = (TimedPhone(SILENCE, 0.0, 0.2), TimedPhone("AA", 0.2, 0.4), TimedPhone(SILENCE, 0.4, 0.5))
        return Speech(Sound(tone.astype(np.float32), RATE_HZ), phones)


class TinyRecognizer:
    """The same posteriors for every row."""

    def log_posteriors(self, sound):
        rows = len(sound.samples) * 50 // sound.rate_hz + 1
        return np.full((rows, POSTERIOR_WIDTH), -3.0, np.float32)


@pytest.fixture
def voice(tmp_path):
    path = tmp_path / "lexicon.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"map": "m"}).encode()))
    return TinyVoice(path)


@pytest.fixture
def make(voice, tmp_path, monkeypatch):
    monkeypatch.setenv("OMNIHUMAN_CACHE", str(tmp_path / "cache"))

    def run(settings, report=lambda done, total, left_s: None):
        return precompute(
            settings, lambda: nullcontext(voice), lambda: nullcontext(TinyRecognizer()), {"a": "1"}, report
        )

    return run


SMALL = SpeechSettings(recordings=2, sentences_per_recording=3, sung_recordings=0, quiet_recordings=1, variants=2)


def test_phones_lie_on_the_sound(voice):
    speech = recite(
        somebody("spoken", voice, np.random.default_rng(1)), ["a", "b", "c", "d"], 0.3, np.random.default_rng(0)
    )
    assert speech.phones[0].start_s == 0.0 and speech.phones[-1].end_s == pytest.approx(speech.sound.duration_s)
    assert all(a.end_s == pytest.approx(b.start_s) for a, b in zip(speech.phones, speech.phones[1:], strict=False))
    rate = speech.sound.rate_hz
    for phone in speech.phones:
        inner = speech.sound.samples[int((phone.start_s + 0.01) * rate) : int((phone.end_s - 0.01) * rate)]
        loud = np.sqrt(np.mean(np.square(inner))) > 0.3
        assert loud == (phone.symbol == "AA"), phone
    assert sum(phone.symbol == "AA" for phone in speech.phones) == 4


def test_makes_every_recording_and_says_how_far_it_is(make, voice):
    told = []
    folder = make(SMALL, lambda *args: told.append(args))
    recordings = [load_recording(path) for path in sorted(folder.glob("*.npz"))]
    assert [r.speaks for r in recordings] == [True, True, False]
    assert all(r.features.shape[0] == 2 and r.features.shape[2] == POSTERIOR_WIDTH + 1 for r in recordings)
    assert all(r.features.shape[1] == int(r.duration_s * 50) + 1 for r in recordings)
    assert [row[:2] for row in told] == [(1, 3), (2, 3), (3, 3)] and told[-1][2] == 0.0
    assert len(set(voice.texts)) == 6


def test_goes_on_where_it_stopped_with_the_same_bytes(make, voice):
    folder = make(SMALL)
    first = {path.name: path.read_bytes() for path in folder.glob("*.npz")}
    (folder / "00001.npz").unlink()
    spoken = len(voice.texts)
    make(SMALL)
    assert {path.name: path.read_bytes() for path in folder.glob("*.npz")} == first
    assert len(voice.texts) == spoken + 3


def test_leaves_what_another_process_is_making(make):
    folder = make(SMALL)
    (folder / "00000.npz").unlink()
    (folder / "00000.claim").touch()
    make(SMALL)
    assert not (folder / "00000.npz").exists()
    (folder / "00000.claim").unlink()
    make(SMALL)
    assert (folder / "00000.npz").exists() and not list(folder.glob("*.claim"))


def test_other_settings_or_models_are_another_folder():
    assert folder_of(SMALL, {"a": "1"}) == folder_of(SMALL, {"a": "1"})
    assert folder_of(SMALL, {"a": "1"}) != folder_of(SMALL, {"a": "2"})
    assert folder_of(SMALL, {"a": "1"}) != folder_of(SMALL.model_copy(update={"seed": 8}), {"a": "1"})


def test_an_unwritable_cache_is_a_coded_error(make, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("OMNIHUMAN_CACHE", str(tmp_path / "file"))
    with pytest.raises(ResourceError) as caught:
        make(SMALL)
    assert caught.value.code == "cache_unwritable"


def test_another_engine_is_opt_in_and_named(monkeypatch):
    asked = SMALL.model_copy(update={"espeak_recordings": 1})
    assert [manner for manner, _ in asked.casting()] == ["spoken", "spoken", "espeak", "spoken"]
    monkeypatch.setattr(espeak_engine, "_LIBRARIES", {espeak_engine.sys.platform: ("libnone-such.so",)})
    speakers.espeak.cache_clear()
    with pytest.raises(ResourceError, match="espeak_missing"):
        folder_of(asked, {})
    monkeypatch.setattr(precompute_module, "espeak", lambda: SimpleNamespace(version="1.99"))
    assert folder_of(asked, {}).name.endswith("+espeak-ng-1.99") and "espeak" not in folder_of(SMALL, {}).name


def test_phones_keep_to_a_sound_that_is_played_faster():
    tone = Sound(np.zeros(RATE_HZ, np.float32), RATE_HZ)
    fast = speakers._sped_up(Speech(tone, (TimedPhone("AA", 0.5, 1.0),)), 1.25)
    assert fast.sound.duration_s == pytest.approx(0.8, abs=0.01)
    assert (fast.phones[0].start_s, fast.phones[0].end_s) == (0.4, 0.8)
