import sys
from types import SimpleNamespace

import numpy as np
import pytest

from omnihuman.errors import InputError, ResourceError
from omnihuman.evaluation.alignment import RATE_HZ, align, words_of
from omnihuman.speech.inventory import TimedPhone
from omnihuman.types import Sound

HALF_SECOND = Sound(np.full(4000, 0.25, np.float32), 8000)


class ScriptedDecoder:
    """Speaks the aligner's protocol: two passes over the sound, then words of phones in 10 ms steps."""

    fails = False

    def __init__(self, **settings):
        type(self).last = self
        self.settings, self.added, self.text, self.passes, self.split = settings, {}, None, [], False

    def lookup_word(self, word):
        return "known" if word in ("my", "bee") else self.added.get(word)

    def add_word(self, word, phones, update):
        self.added[word] = phones

    def set_align_text(self, text):
        self.text = text

    def start_utt(self):
        pass

    def process_raw(self, data, full_utt):
        self.passes.append(len(data) // 2)

    def end_utt(self):
        pass

    def hyp(self):
        return None if self.fails else SimpleNamespace(hypstr=self.text)

    def set_alignment(self):
        self.split = True

    def get_alignment(self):
        assert self.split
        assert len(self.passes) == 2

        def phone(name, start, duration):
            return SimpleNamespace(name=name, start=start, duration=duration)

        return [[phone("SIL", 0, 5)], [phone("M", 5, 8), phone("AY", 13, 12)], [phone("+NSN+", 25, 25)]]


@pytest.fixture
def aligner(monkeypatch):
    monkeypatch.setattr(ScriptedDecoder, "fails", False)
    monkeypatch.setitem(sys.modules, "pocketsphinx", SimpleNamespace(Decoder=ScriptedDecoder))
    return ScriptedDecoder


def test_phones_come_in_seconds_and_noises_are_silence(aligner):
    assert align(HALF_SECOND, "My") == [
        TimedPhone("SIL", 0.0, 0.05),
        TimedPhone("M", 0.05, 0.13),
        TimedPhone("AY", 0.13, 0.25),
        TimedPhone("SIL", 0.25, 0.5),
    ]


def test_sound_is_brought_to_the_aligners_rate(aligner):
    align(HALF_SECOND, "my")
    assert aligner.last.passes == [RATE_HZ // 2] * 2
    assert aligner.last.settings["samprate"] == RATE_HZ


def test_unknown_words_are_pronounced_or_named(aligner):
    align(HALF_SECOND, "My zorb bee zorb", lambda word: ["SIL", "Z", "AO", "R", "B", "SIL"])
    assert aligner.last.added == {"zorb": "Z AO R B"}
    with pytest.raises(InputError, match=r"word_unknown.*'zorb'"):
        align(HALF_SECOND, "My zorb")
    with pytest.raises(InputError, match="word_unknown"):
        align(HALF_SECOND, "My zorb", lambda word: ["SIL"])


def test_a_sound_that_says_something_else_is_refused(aligner, monkeypatch):
    monkeypatch.setattr(ScriptedDecoder, "fails", True)
    with pytest.raises(InputError, match="alignment_failed"):
        align(HALF_SECOND, "my bee")


def test_a_missing_aligner_names_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pocketsphinx", None)
    with pytest.raises(ResourceError, match=r"aligner_missing.*pip install"):
        align(HALF_SECOND, "my")


def test_words_are_plain_and_lower_case():
    assert words_of("He's 'not' an ill-disposed\u2019s man.") == ["he's", "not", "an", "ill", "disposed's", "man"]


@pytest.mark.parametrize(
    ("text", "code"), [("", "transcript_empty"), ("...' '", "transcript_empty"), ("room 12", "transcript_digits")]
)
def test_transcripts_that_cannot_be_aligned(text, code):
    with pytest.raises(InputError, match=code):
        words_of(text)
