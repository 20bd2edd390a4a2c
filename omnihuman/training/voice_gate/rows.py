"""The made sounds as the judge reads them, row by row, stored: features and labels; the sounds themselves are not kept.

A sound is a pure function of the settings and its index, so that stopped work goes on. Legend: N rows of 1/50 s,
D features.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from omnihuman.config import StrictModel
from omnihuman.speech import clock, hama_network, hama_symbols, level, timing, warp
from omnihuman.speech import phones as phone_recognizer
from omnihuman.speech import voice as built_in_voice
from omnihuman.speech import voice_activity as voice_gate
from omnihuman.speech import voice_activity_features as features
from omnihuman.speech import voice_activity_network as detector_network
from omnihuman.speech.clock import ANALYSIS_RATE_HZ, ROW_SAMPLES
from omnihuman.speech.voice_activity import VoiceGate
from omnihuman.training.recipe import code_fingerprint
from omnihuman.training.sound import accompaniment, acoustics, singing
from omnihuman.training.sound.singing import SingingVoice
from omnihuman.training.stored import Report, folder_named, make_missing, write_arrays
from omnihuman.training.voice_gate import data
from omnihuman.training.voice_gate.data import labelled_sound
from omnihuman.training.words import corpus
from omnihuman.training.words.corpus import dictionary_words, load_grammar, sentences
from omnihuman.types import Handle

_MAKERS = (
    *(phone_recognizer, hama_network, hama_symbols, level, clock, built_in_voice, timing, warp),
    *(voice_gate, features, detector_network, accompaniment, acoustics, singing, data, corpus),
)
"""Modules that, beside this one, decide what is stored of a sound."""


class VoiceGateSoundSettings(StrictModel):
    """What sounds are made.

    Attributes:
        count: Number of them.
        duration_s: Length of each.
        seed: Of everything.
    """

    count: int = Field(180, ge=1)
    duration_s: float = Field(20.0, ge=1.0)
    seed: int = Field(11, ge=0)

    @property
    def rows(self) -> int:
        """N of every sound."""
        return int(self.duration_s * ANALYSIS_RATE_HZ) // ROW_SAMPLES + 1


@dataclass(frozen=True)
class HeardSound:
    """What is stored of a sound.

    Attributes:
        features: ``N D`` float16, as `VoiceGate.features` gives them.
        labels: `N` int8: NONE, SPOKEN, SUNG or IGNORED.
    """

    features: NDArray[np.float16]
    labels: NDArray[np.int8]


class SoundMaker:
    """Makes sounds and listens to them.

    Args:
        settings: What is made.
        voice: Lends a `BuiltInVoice`.
        phones: Lends a `PhoneRecognizer`.
        detector: Lends a `SpeechDetector`.
    """

    def __init__(self, settings: VoiceGateSoundSettings, voice: Handle, phones: Handle, detector: Handle) -> None:
        self.settings = settings
        self._voice, self._phones = voice, phones
        # features need no judge
        self._gate = VoiceGate(detector, nullcontext)
        self._grammar = load_grammar()

    @cached_property
    def _words(self) -> list[str]:
        with self._voice() as built_in:
            return dictionary_words(built_in.dictionary)

    def make(self, index: int) -> HeardSound:
        """The sound of an index."""
        rng = np.random.default_rng([self.settings.seed, index])
        texts = sentences(self._grammar, self._words, int(rng.integers(2**31)))
        with self._voice() as built_in:
            made = labelled_sound(SingingVoice.of(built_in), texts, self.settings.duration_s, rng)
        with self._phones() as recognizer:
            posteriors = recognizer.log_posteriors(made.sound)
        return HeardSound(self._gate.features(made.sound, posteriors).astype(np.float16), made.labels)


def save_heard(heard: HeardSound, path: Path) -> None:
    """Writes one sound.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    write_arrays(path, {"features": heard.features, "labels": heard.labels})


def load_heard(path: Path) -> HeardSound:
    """Reads what `save_heard` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        return HeardSound(arrays["features"], arrays["labels"])


def folder_of(settings: VoiceGateSoundSettings, checksums: Mapping[str, str]) -> Path:
    """Cache folder for these settings, model files, sentences and code: another of them, another folder."""
    facts = {
        "settings": settings.model_dump(mode="json"),
        "models": dict(checksums),
        "grammar": dict(load_grammar()),
        "code": code_fingerprint((*_MAKERS, sys.modules[__name__])),
    }
    return folder_named("voices", facts)


def make_all_heard(maker: SoundMaker, folder: Path, report: Report) -> list[Path]:
    """Makes every sound that is not there yet.

    Args:
        maker: Makes one.
        folder: Where; see `folder_of`.
        report: Told how far it is.

    Returns:
        The files, in order.

    Raises:
        ResourceError: no room for them.
    """
    return make_missing(folder, maker.settings.count, lambda index, path: save_heard(maker.make(index), path), report)
