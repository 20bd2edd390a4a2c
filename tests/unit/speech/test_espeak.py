"""Phones of other languages fold onto what the mouth shows; without espeak-ng the way out is told."""

import pytest

from omnihuman.errors import ResourceError
from omnihuman.evaluation.other_languages import load_languages
from omnihuman.speech import espeak
from omnihuman.speech.espeak import EspeakVoice, folded, timed
from omnihuman.speech.inventory import BILABIALS


@pytest.mark.parametrize(
    ("ipa", "phone"),
    [
        ("p", "P"), ("b", "B"), ("m", "M"), ("m\u0329", "M"), ("p\u02b0", "P"), ("b\u02b2", "B"),
        ("\u02c8a\u02d0", "AA"), ("\u0251\u0303", "AA"), ("a\u026a", "AA"), ("y", "UW"), ("\u00f8", "ER"), ("e", "EH"),
        ("t\u0283", "CH"), ("d\u0292", "JH"), ("ts", "T"), ("\u0281", "R"), ("\u0272", "N"), ("\u03b2", "V"),
        ("pf", "P"), ("\u00e7", "HH"), ("", "SIL"), ("_:", "SIL"), ("\u02d0", "SIL"),
    ],
)  # fmt: skip
def test_phones_fold_by_what_the_mouth_shows(ipa, phone):
    assert folded(ipa) == phone


def test_events_last_until_the_next_and_marks_of_words_are_no_pauses():
    phones = timed([(0.1, "m"), (0.2, "a"), (0.3, ""), (0.32, "p"), (0.4, ""), (0.6, "o")], 0.8)
    assert [(p.symbol, p.start_s, p.end_s) for p in phones] == [
        ("SIL", 0.0, 0.1), ("M", 0.1, 0.2), ("AA", 0.2, 0.32), ("P", 0.32, 0.4), ("SIL", 0.4, 0.6), ("OW", 0.6, 0.8),
    ]  # fmt: skip
    assert timed([], 1.0) == []


def test_without_the_library_the_way_out_is_told(monkeypatch):
    monkeypatch.setattr(espeak, "_LIBRARIES", {espeak.sys.platform: ("libnone-such.so",)})
    with pytest.raises(ResourceError, match="espeak_missing"):
        EspeakVoice()


def test_every_language_asks_for_closures_where_the_voice_is_installed():
    try:
        voice = EspeakVoice()
    except ResourceError:
        pytest.skip("espeak-ng is not installed")
    sentences = load_languages().sentences
    assert len(sentences) >= 5
    for language, said in sentences.items():
        speech = voice.speak(said[0], language)
        assert sum(p.symbol in BILABIALS for p in speech.phones) >= 4, language
        assert 1.0 < speech.sound.duration_s == pytest.approx(speech.phones[-1].end_s, abs=0.01)
    with pytest.raises(ResourceError, match="espeak_missing"):
        voice.speak("x", "no-such-language")
