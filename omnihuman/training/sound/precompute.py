"""Text -> speech and song of many speakers -> audio features and phone times on disk, once, for all training runs.

Motion is not stored: the teacher makes a new take whenever a window is drawn (`dataset.py`). Resumable, and safe to
run several times at once: each recording is one file, written aside and renamed.

Legend: V acoustic variants of one recording (the first is the cleanest), N feature rows, D feature width, K phones.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np

from omnihuman.conditions import audio as audio_condition
from omnihuman.conditions import voice as voice_condition
from omnihuman.conditions.audio import AudioConditioner
from omnihuman.conditions.voice import hushed, silence_of, sustained
from omnihuman.config import StrictModel
from omnihuman.speech import clock, hama_network, hama_symbols, level, timing, warp
from omnihuman.speech import phones as phone_recognizer
from omnihuman.speech import voice as built_in_voice
from omnihuman.speech.clock import ANALYSIS_RATE_HZ, row_times_s
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone
from omnihuman.training.recipe import code_fingerprint
from omnihuman.training.sound import accompaniment, acoustics, singing, speakers
from omnihuman.training.sound.accompaniment import instrumental, mixed
from omnihuman.training.sound.acoustics import AcousticSettings, coloured_noise, spoil, without_speech
from omnihuman.training.sound.speakers import Manner, espeak, recite, somebody
from omnihuman.training.stored import Report, folder_named, make_folder, write_arrays
from omnihuman.training.teacher.mouth import speech_presence
from omnihuman.training.words.corpus import dictionary_words, load_grammar, sentences
from omnihuman.types import Float, Handle, Sound

_MAKERS = (
    *(audio_condition, phone_recognizer, hama_network, hama_symbols, level, clock),
    *(built_in_voice, timing, warp, acoustics, voice_condition, singing, speakers, accompaniment),
)
"""Modules that decide what a recording holds."""
_STALE_CLAIM_S = 600.0
_VERSE_SHARE = 0.5
"""Sentences of a song per sentence of speech: sung, they last about twice as long."""
_GATE_REACH_S = 0.12
"""How far beyond the voice the gate of the product stays open."""


class SpeechSettings(StrictModel):
    """What speech is made.

    Attributes:
        recordings: Number of recordings with speech, each of one made-up speaker.
        sentences_per_recording: Sentences in each.
        sung_recordings: Further recordings in which somebody sings, half of their variants to music.
        espeak_recordings: Further recordings that espeak-ng speaks, where it is installed; opt-in, told in the weights.
        quiet_recordings: Further recordings in which nobody speaks.
        variants: Acoustic conditions per recording, the clean one included.
        pause_s: Median of the pauses between sentences.
        seed: Of everything.
        acoustics: How the other variants are spoilt.
    """

    recordings: int = 250
    sentences_per_recording: int = 14
    sung_recordings: int = 36
    espeak_recordings: int = 0
    quiet_recordings: int = 24
    variants: int = 3
    pause_s: float = 0.4
    seed: int = 7
    acoustics: AcousticSettings = AcousticSettings()

    def casting(self) -> list[tuple[Manner, int]]:
        """Who speaks in each recording, and how many sentences; 0 = nobody."""
        count = self.sentences_per_recording
        cast: list[tuple[Manner, int]] = [("spoken", count)] * self.recordings
        cast += [("sung", max(1, round(_VERSE_SHARE * count)))] * self.sung_recordings
        cast += [("espeak", count)] * self.espeak_recordings
        return cast + [("spoken", 0)] * self.quiet_recordings


@dataclass(frozen=True)
class Recording:
    """One stored recording.

    Attributes:
        features: `V N D` float16, rows 1 / 50 s apart, row i centred on i / 50 s.
        phones: What is said; a single silence when nobody speaks.
        duration_s: Length.
    """

    features: np.ndarray
    phones: tuple[TimedPhone, ...]
    duration_s: float

    @property
    def speaks(self) -> bool:
        """Whether somebody speaks in it."""
        return any(phone.symbol != SILENCE for phone in self.phones)


def save_recording(recording: Recording, path: Path) -> None:
    """Writes one recording whole.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`.
    """
    symbols = np.array([PHONES.index(phone.symbol) for phone in recording.phones], np.uint8)
    times = np.array([(phone.start_s, phone.end_s) for phone in recording.phones], np.float32)
    arrays = {"features": recording.features, "symbols": symbols, "times": times}
    write_arrays(path, {**arrays, "duration_s": recording.duration_s})


def load_recording(path: Path) -> Recording:
    """Reads what `save_recording` wrote."""
    with np.load(path, allow_pickle=False) as data:
        rows = zip(data["symbols"], data["times"].astype(float), strict=True)
        phones = tuple(TimedPhone(PHONES[int(symbol)], float(a), float(b)) for symbol, (a, b) in rows)
        return Recording(data["features"], phones, float(data["duration_s"]))


def folder_of(settings: SpeechSettings, checksums: Mapping[str, str]) -> Path:
    """Cache folder for these settings, model files, sentences and code: another of them, another folder.

    Its name goes into the header of the weights, and names every engine beside the built-in voice.

    Raises:
        ResourceError: `espeak_missing`: asked for, not installed.
    """
    facts = {
        "settings": settings.model_dump(mode="json"),
        "models": dict(checksums),
        "grammar": dict(load_grammar()),
        "code": code_fingerprint(_MAKERS),
    }
    other = f"+espeak-ng-{espeak().version}" if settings.espeak_recordings else ""
    folder = folder_named("speech", facts)
    return folder.with_name(folder.name + other)


def _with_floor(sound: Sound, rng: np.random.Generator) -> Sound:
    """Adds the faint noise floor that every microphone has."""
    level = 10.0 ** (rng.uniform(-80.0, -52.0) / 20.0)
    floor = np.float32(level) * coloured_noise(len(sound.samples), sound.rate_hz, rng)
    return Sound((sound.samples + floor).astype(np.float32), sound.rate_hz)


def make_recording(
    index: int, texts: Sequence[str], settings: SpeechSettings, voice: Handle, audio: AudioConditioner,
    manner: Manner = "spoken",
) -> Recording:  # fmt: skip
    """Speaks or sings, spoils and analyses one recording.

    Args:
        index: Number of the recording; seeds its chance.
        texts: Its sentences; empty = nobody speaks.
        settings: See `SpeechSettings`.
        voice: Lends a `BuiltInVoice`.
        audio: Makes the features.
        manner: How, and by which engine, the sentences are said.
    """
    rng = np.random.default_rng([settings.seed, index])
    silence = silence_of(audio)
    if not texts:
        sounds = [without_speech(20.0, ANALYSIS_RATE_HZ, rng) for _ in range(settings.variants)]
        phones: tuple[TimedPhone, ...] = (TimedPhone(SILENCE, 0.0, sounds[0].duration_s),)
        return _stored([audio.encode(sound).values for sound in sounds], phones, sounds[0].duration_s)
    with voice() as built_in:
        speech = recite(somebody(manner, built_in, rng), texts, settings.pause_s, rng)
    variants = []
    for number in range(settings.variants):
        sound = speech.sound
        if manner == "sung" and number % 2:
            music = instrumental(sound.duration_s + 0.1, sound.rate_hz, rng)[: len(sound.samples)]
            sound = replace(sound, samples=mixed(sound.samples, music, float(rng.uniform(-3.0, 14.0))))
        sound = spoil(sound, settings.acoustics, rng) if number else _with_floor(sound, rng)
        track = audio.encode(sound)
        opening = _gate_opening(speech.phones, len(track.values))
        if manner == "sung" and number < 2:
            track = sustained(track, opening)
        # The gate of the product opens for voices alone; where it errs, pauses are heard as they are.
        variants.append((hushed(track, opening, silence) if number else track).values)
    return _stored(variants, speech.phones, speech.sound.duration_s)


def _stored(variants: Sequence[Float], phones: Sequence[TimedPhone], duration_s: float) -> Recording:
    return Recording(np.stack(variants).astype(np.float16), tuple(phones), duration_s)


def _gate_opening(phones: Sequence[TimedPhone], rows: int) -> Float:
    """How far the gate of the product would be open if it never erred, `N` in 0..1."""
    return speech_presence(phones, row_times_s(rows), _GATE_REACH_S)


@contextmanager
def _claim(path: Path) -> Iterator[bool]:
    """Whether this process may write `path`; a claim that nobody touched for long is taken over."""
    claim = path.with_suffix(".claim")
    if claim.exists() and time.time() - claim.stat().st_mtime > _STALE_CLAIM_S:
        claim.unlink(missing_ok=True)
    try:
        claim.touch(exist_ok=False)
    except FileExistsError:
        yield False
        return
    try:
        yield True
    finally:
        claim.unlink(missing_ok=True)


def precompute(
    settings: SpeechSettings,
    voice: Handle,
    phones: Handle,
    checksums: Mapping[str, str],
    report: Report,
) -> Path:
    """Makes every recording that is not there yet.

    Args:
        settings: What to make.
        voice: Lends a `BuiltInVoice`.
        phones: Lends a `PhoneRecognizer`.
        checksums: sha256 of the model files in use, by name: part of the folder's key.
        report: Told how far it is.

    Returns:
        Folder with one `*.npz` per recording.

    Raises:
        ResourceError: `cache_unwritable`: the folder cannot be made.
    """
    folder = folder_of(settings, checksums)
    make_folder(folder)
    (folder / "settings.json").write_text(settings.model_dump_json(indent=1), encoding="utf-8")
    with voice() as built_in:
        words = dictionary_words(built_in.dictionary)
    texts = sentences(load_grammar(), words, settings.seed)
    casting = settings.casting()
    audio = AudioConditioner(phones)
    total = len(casting)
    started, made = time.monotonic(), 0
    for index, (manner, count) in enumerate(casting):
        own = list(islice(texts, count))
        path = folder / f"{index:05d}.npz"
        with _claim(path) as mine:
            if mine and not path.exists():
                save_recording(make_recording(index, own, settings, voice, audio, manner), path)
                made += 1
        elapsed = time.monotonic() - started
        report(index + 1, total, elapsed / max(made, 1) * (total - index - 1))
    return folder
