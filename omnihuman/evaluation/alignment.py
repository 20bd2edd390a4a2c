"""Sound and transcript -> phone times, by forced alignment with pocketsphinx (English, 10 ms steps).

Independent of the product's own phonetic network, so that a score made with it is no self-consistency. Optional
dependency: the extra `eval`.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from omnihuman.errors import InputError, ResourceError
from omnihuman.media.audio import resample
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone
from omnihuman.types import Sound

RATE_HZ = 16000
STEP_S = 0.01

Pronounce = Callable[[str], Sequence[str]]
"""A word -> its phones (ARPAbet without stress)."""


def words_of(transcript: str) -> list[str]:
    """Lower-case words of a transcript, as a pronouncing dictionary spells them.

    Raises:
        InputError: transcript_empty, or transcript_digits (how a number was read aloud is not known).
    """
    if digits := re.findall(r"\d+", transcript):
        cause = f"the transcript holds the number {digits[0]}"
        raise InputError("transcript_digits", cause, "Write numbers as they are spoken.")
    plain = transcript.lower().replace("\u2019", "'")
    words = [word.strip("'") for word in re.findall(r"[a-z']+", plain)]
    if words := [word for word in words if word]:
        return words
    raise InputError("transcript_empty", "the transcript holds no words", "Give what is said, in English.")


def align(sound: Sound, transcript: str, pronounce: Pronounce | None = None) -> list[TimedPhone]:
    """Finds when each phone of a transcript is said.

    Args:
        sound: The speech.
        transcript: What is said, in English, numbers as words.
        pronounce: Phones of words that the dictionary lacks.

    Returns:
        Phones in order, silences included, without gaps.

    Raises:
        ResourceError: aligner_missing.
        InputError: transcript_*, word_unknown, alignment_failed (the sound does not say this).
    """
    words = words_of(transcript)
    decoder = _open_decoder()
    _add_words(decoder, words, pronounce)
    samples = resample(sound, RATE_HZ).samples
    data = np.clip(samples * 32767.0, -32768, 32767).astype("<i2").tobytes()
    decoder.set_align_text(" ".join(words))
    _decode(decoder, data)
    if decoder.hyp() is None:
        raise _failed()
    # The second pass splits the words of the first into phones.
    decoder.set_alignment()
    _decode(decoder, data)
    alignment = decoder.get_alignment()
    if alignment is None:
        raise _failed()
    return list(_timed(alignment))


def _open_decoder() -> Any:
    try:
        pocketsphinx: Any = importlib.import_module("pocketsphinx")
    except ImportError:
        cause = "phone times from a transcript need pocketsphinx, which is not installed"
        raise ResourceError("aligner_missing", cause, 'pip install "pocketsphinx>=5", or give --phones.') from None
    return pocketsphinx.Decoder(samprate=float(RATE_HZ), lm=None, bestpath=False, loglevel="FATAL")


def _add_words(decoder: Any, words: Iterable[str], pronounce: Pronounce | None) -> None:
    for word in dict.fromkeys(words):
        if decoder.lookup_word(word) is not None:
            continue
        phones = [phone for phone in pronounce(word) if phone != SILENCE] if pronounce else []
        if not phones:
            cause = f"the pronouncing dictionary lacks {word!r}"
            raise InputError("word_unknown", cause, "Spell it as words that sound like it, or give --phones.")
        decoder.add_word(word, " ".join(phones), True)


def _decode(decoder: Any, data: bytes) -> None:
    decoder.start_utt()
    decoder.process_raw(data, full_utt=True)
    decoder.end_utt()


def _timed(alignment: Any) -> Iterable[TimedPhone]:
    for word in alignment:
        for phone in word:
            symbol = phone.name if phone.name in PHONES else SILENCE
            yield TimedPhone(symbol, phone.start * STEP_S, (phone.start + phone.duration) * STEP_S)


def _failed() -> InputError:
    return InputError("alignment_failed", "the sound does not fit the transcript", "Give exactly what is said in it.")
