"""Speech for the mel front end: recordings with their samples, what the phonetic network hears in them, exact phones.

The built-in voice speaks as many people (`speech/warp.py`), rooms and noises are those of `acoustics.py`. What is said
are dictionary words at random: on sentences the network learnt the sentences. The phonetic network listens to the clean
sound only: what the mel front end learns is to hear the same through noise.

Legend: V acoustic variants of one recording (the first is the cleanest), S samples at 16 kHz, N rows of 1/50 s.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from omnihuman.config import StrictModel
from omnihuman.speech import clock, hama_network, hama_symbols, level, timing, warp
from omnihuman.speech import phones as phone_recognizer
from omnihuman.speech import voice as built_in_voice
from omnihuman.speech.clock import ANALYSIS_RATE_HZ, row_times_s
from omnihuman.speech.inventory import PHONES, TimedPhone
from omnihuman.speech.level import at_speech_level
from omnihuman.speech.voice import Speech
from omnihuman.training.recipe import code_fingerprint
from omnihuman.training.sound import acoustics, speakers
from omnihuman.training.sound.acoustics import AcousticSettings, coloured_noise, spoil, without_speech
from omnihuman.training.sound.speakers import recite, somebody
from omnihuman.training.stored import Report, folder_named, make_missing, write_arrays
from omnihuman.training.words import corpus
from omnihuman.training.words.corpus import dictionary_words
from omnihuman.types import Float, Handle, Sound

_MAKERS = (
    *(phone_recognizer, hama_network, hama_symbols, level, clock),
    *(built_in_voice, timing, warp, acoustics, speakers),
)
"""Modules that, beside this one, decide what a recording holds."""
_QUIET_S = 20.0
FULL_SCALE = 32767.0
"""Stored samples per unit of a sound."""
_LEAST_LOG = -16.0
"""Log posteriors below this are the network's noise; the audio condition cuts them there too."""


class MelSpeechSettings(StrictModel):
    """What speech is made.

    Attributes:
        recordings: Number of recordings with speech, each of one made-up speaker.
        utterances_per_recording: Utterances in each, with pauses between them.
        words: Fewest and most words of an utterance.
        quiet_recordings: Further recordings in which nobody speaks.
        variants: Acoustic conditions per recording, the clean one included.
        pause_s: Median of the pauses between sentences.
        seed: Of everything.
        acoustics: How the other variants are spoilt.
    """

    recordings: int = Field(400, ge=1)
    utterances_per_recording: int = Field(7, ge=1)
    words: tuple[int, int] = (5, 10)
    quiet_recordings: int = Field(24, ge=0)
    variants: int = Field(3, ge=1)
    pause_s: float = 0.35
    seed: int = 23
    acoustics: AcousticSettings = AcousticSettings(room_share=0.6, noise_share=0.5)


@dataclass(frozen=True)
class HeardRecording:
    """One stored recording.

    Attributes:
        samples: `V S` int16, speech at the nominal level.
        posteriors: `N 42` float16 natural logs that the phonetic network gives for the clean sound; row i is centred
            on i / 50 s.
        phones: `N` index in PHONES of what is said at each row.
        speaks: Whether somebody speaks in it.
    """

    samples: NDArray[np.int16]
    posteriors: NDArray[np.float16]
    phones: NDArray[np.int64]
    speaks: bool


def phone_rows(phones: Sequence[TimedPhone], rows: int) -> NDArray[np.int64]:
    """Index in PHONES at the centre of each row; the last phone lasts to the end."""
    starts = np.array([phone.start_s for phone in phones])
    index = np.searchsorted(starts, row_times_s(rows).astype(np.float64), side="right") - 1
    return np.array([PHONES.index(phone.symbol) for phone in phones], np.int64)[np.maximum(index, 0)]


def utterances(words: Sequence[str], lengths: tuple[int, int], seed: int) -> Iterator[str]:
    """Endless strings of unrelated words, spoken as if they were sentences.

    Args:
        words: What is drawn from.
        lengths: Fewest and most words of one.
        seed: The same seed gives the same utterances.
    """
    rng = np.random.default_rng(seed)
    while True:
        chosen = [words[int(i)] for i in rng.integers(len(words), size=rng.integers(lengths[0], lengths[1] + 1))]
        yield f"{' '.join(chosen).capitalize()}{rng.choice(['.', '.', '?', '!'])}"


def make_heard(
    index: int, texts: Sequence[str], settings: MelSpeechSettings, voice: Handle, phones: Handle
) -> HeardRecording:
    """Speaks, spoils and listens to one recording.

    Args:
        index: Number of the recording; seeds its chance.
        texts: Its utterances; empty = nobody speaks, and the network is asked what it hears in silence.
        settings: See `MelSpeechSettings`.
        voice: Lends a `BuiltInVoice`.
        phones: Lends a `PhoneRecognizer`.
    """
    rng = np.random.default_rng([settings.seed, index])
    if texts:
        with voice() as built_in:
            speech = recite(somebody("spoken", built_in, rng), texts, settings.pause_s, rng)
        heard = speech.sound
        sounds = [_with_floor(speech.sound, rng)]
        sounds += [spoil(speech.sound, settings.acoustics, rng) for _ in range(settings.variants - 1)]
    else:
        heard = Sound(np.zeros(int(_QUIET_S * ANALYSIS_RATE_HZ), np.float32), ANALYSIS_RATE_HZ)
        sounds = [without_speech(_QUIET_S, ANALYSIS_RATE_HZ, rng) for _ in range(settings.variants)]
        speech = Speech(heard, (TimedPhone(PHONES[0], 0.0, heard.duration_s),))
    with phones() as recognizer:
        posteriors = recognizer.log_posteriors(heard)
    return HeardRecording(
        np.stack([_stored(sound.samples) for sound in sounds]),
        np.maximum(posteriors, _LEAST_LOG).astype(np.float16),
        phone_rows(speech.phones, len(posteriors)),
        bool(texts),
    )


def _with_floor(sound: Sound, rng: np.random.Generator) -> Sound:
    """Adds the faint noise floor that every microphone has."""
    floor = np.float32(10.0 ** (rng.uniform(-80.0, -52.0) / 20.0))
    noise = floor * coloured_noise(len(sound.samples), sound.rate_hz, rng)
    return Sound((sound.samples + noise).astype(np.float32), sound.rate_hz)


def _stored(samples: Float) -> NDArray[np.int16]:
    return np.round(np.clip(at_speech_level(samples), -1.0, 1.0) * FULL_SCALE).astype(np.int16)


def save_heard(recording: HeardRecording, path: Path) -> None:
    """Writes one recording.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    arrays = {"samples": recording.samples, "posteriors": recording.posteriors}
    write_arrays(path, {**arrays, "phones": recording.phones.astype(np.uint8), "speaks": recording.speaks})


def load_heard(path: Path) -> HeardRecording:
    """Reads what `save_heard` wrote."""
    with np.load(path, allow_pickle=False) as data:
        return HeardRecording(
            data["samples"], data["posteriors"], data["phones"].astype(np.int64), bool(data["speaks"])
        )


def folder_of(settings: MelSpeechSettings, checksums: Mapping[str, str]) -> Path:
    """Cache folder for these settings, model files, sentences and code: another of them, another folder."""
    facts = {
        "settings": settings.model_dump(mode="json"),
        "models": dict(checksums),
        "code": code_fingerprint((*_MAKERS, corpus, sys.modules[__name__])),
    }
    return folder_named("heard", facts)


def make_all_heard(
    settings: MelSpeechSettings, voice: Handle, phones: Handle, folder: Path, report: Report
) -> list[Path]:
    """Makes every recording that is not there yet.

    Args:
        settings: What to make.
        voice: Lends a `BuiltInVoice`.
        phones: Lends a `PhoneRecognizer`.
        folder: Where; see `folder_of`.
        report: Told how far it is.

    Returns:
        The files, in order.

    Raises:
        ResourceError: no room for them.
    """
    with voice() as built_in:
        words = dictionary_words(built_in.dictionary)
    count = settings.utterances_per_recording
    texts = list(islice(utterances(words, settings.words, settings.seed), settings.recordings * count))

    def make(index: int, path: Path) -> None:
        own = texts[index * count : (index + 1) * count]
        save_heard(make_heard(index, own, settings, voice, phones), path)

    return make_missing(folder, settings.recordings + settings.quiet_recordings, make, report)
