"""When somebody speaks or sings, and what else is heard: silence, noise or music, speech, singing.

The detector of the silero wheel says where speech is; a judge of our own carries it through held notes and tells
singing from instruments; the energy gate (`gate.py`) gives the edges of speech. Legend: N rows of 1/50 s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import torch
from numpy.typing import NDArray

from omnihuman.speech.clock import ROW_SAMPLES, analysis_samples, row_count
from omnihuman.speech.gate import speech_activity
from omnihuman.speech.hama_container import corrupt
from omnihuman.speech.level import at_speech_level, row_levels_db
from omnihuman.speech.tensor_file import read_tensors
from omnihuman.speech.voice_activity_features import FEATURE_NAMES, voice_features
from omnihuman.speech.voice_activity_network import CONTEXT_SAMPLES, PIECE_SAMPLES, SileroNetwork, State
from omnihuman.types import Float, Handle, Sound

Label = Literal["silence", "noise_or_music", "speech", "singing"]
LABELS: tuple[Label, ...] = get_args(Label)
SILENCE, NOISE_OR_MUSIC, SPEECH, SINGING = range(len(LABELS))

_PIECES_PER_PASS = 1024
_CLOSED_AT, _OPEN_AT = 0.35, 0.6
"""Probability of a voice at which the gate begins to open and is open."""
_SURE, _SURE_ROWS, _SURE_PHONE = 0.85, 15, 0.4
"""A stretch of singing that is never this probable, or over sooner than 0.3 s, or in which no phone is heard this
clearly, is an instrument: 98 % of the rows of three real songs pass; of what instruments had opened, 4 % with a sound
font, 36 % in game music (but 93 % of the little in heavy metal).
"""
_BRIDGE_ROWS, _PHONE_ROWS = 75, 10
"""Between two voices less than 1.5 s apart, phones heard that clearly are the voice's own, 0.2 s about each."""
_LEAD_ROWS, _TRAIL_ROWS = 5, 6
"""The gate opens 100 ms before and closes 120 ms after the voice, for weak onsets and dying vowels."""
_SILENT_DB = -85.0
_SILENT_BELOW_LOUD_DB = 45.0
"""Rows fainter than the first, or this far under the loud rows of the clip, are called silence."""


@dataclass(frozen=True)
class VoiceActivity:
    """What is heard in each row.

    Attributes:
        opening: `N` float32 in 0..1, how surely somebody speaks or sings; row `i` is centred on `i / 50` s.
        labels: `N` uint8, index into LABELS.
    """

    opening: Float
    labels: NDArray[np.uint8]

    @property
    def sung(self) -> Float:
        """`N` float32 in 0..1, how surely somebody sings."""
        return np.where(self.labels == SINGING, self.opening, 0.0).astype(np.float32)

    @property
    def has_voice(self) -> bool:
        """Whether anybody is heard at all."""
        return bool((self.opening > 0.5).any())

    def warnings(self) -> tuple[str, ...]:
        """What a person should know before they wonder about a mouth that rests."""
        if self.has_voice or (self.labels == SILENCE).all():
            return ()
        return ("no voice is heard in the sound: the mouth stays at rest",)

    def shares(self) -> dict[Label, float]:
        """Share of the rows with each label."""
        return {label: float(np.mean(self.labels == index)) for index, label in enumerate(LABELS)}


class SpeechDetector:
    """The silero network on sounds of any length.

    Args:
        network: See `voice_activity_network`.
        device: Torch device that it lies on.
    """

    def __init__(self, network: SileroNetwork, device: str = "cpu") -> None:
        self._network = network.to(device)
        self._device = device

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> SpeechDetector:
        """Loads the tensors of the silero wheel.

        Raises:
            ModelError: `model_missing` or `model_corrupt`.
        """
        tensors, _ = read_tensors(files)
        try:
            return cls(SileroNetwork.from_tensors(tensors), device)
        except ValueError as error:
            raise corrupt(next(iter(files.values())), str(error)) from None

    @torch.inference_mode()
    def detect(self, samples: Float, rows: int) -> Float:
        """How surely each row holds speech, `rows` float32 in 0..1; pieces of half a minute, so memory stays flat."""
        pieces = -(-len(samples) // PIECE_SAMPLES)
        told: list[Float] = []
        state: State | None = None
        for first in range(0, pieces, _PIECES_PER_PASS):
            start, stop = first * PIECE_SAMPLES, min(first + _PIECES_PER_PASS, pieces) * PIECE_SAMPLES
            heard = samples[max(0, start - CONTEXT_SAMPLES) : stop]
            front = CONTEXT_SAMPLES - min(start, CONTEXT_SAMPLES)
            heard = np.pad(heard, (front, stop - start + CONTEXT_SAMPLES - front - len(heard)))
            answer, state = self._network(torch.from_numpy(heard.astype(np.float32)).to(self._device), state)
            told.append(answer.cpu().numpy())
        centres = (np.arange(pieces) + 0.5) * PIECE_SAMPLES
        return np.interp(np.arange(rows) * ROW_SAMPLES, centres, np.concatenate(told)).astype(np.float32)


class VoiceGate:
    """Tells voices from everything else.

    Args:
        detector: Handle that lends a `SpeechDetector`.
        judge: Handle that lends a `VoiceJudge`.
    """

    def __init__(self, detector: Handle, judge: Handle) -> None:
        self._detector = detector
        self._judge = judge

    def features(self, sound: Sound, log_posteriors: Float | None) -> Float:
        """What the judge reads, ``N D``; see `listen`."""
        samples = at_speech_level(analysis_samples(sound))
        with self._detector() as detector:
            detected = detector.detect(samples, row_count(sound))
        return voice_features(samples, detected, log_posteriors)

    def listen(self, sound: Sound, log_posteriors: Float | None = None) -> VoiceActivity:
        """Where a voice is heard.

        Args:
            sound: Any rate, level and length.
            log_posteriors: ``N 42`` of the phonetic network for the same sound; better verdicts where given.
        """
        features = self.features(sound, log_posteriors)
        with self._judge() as judge:
            _, speech, singing = judge.probabilities(features).T
        said = None if log_posteriors is None else features[:, FEATURE_NAMES.index("phone")]
        voice = _without_blips(speech + singing, singing > speech, said)
        voiced = _ramp(voice if said is None else _bridged(voice, said))
        energy = speech_activity(sound)
        # a note that is held is what the energy gate calls steady noise after a while
        opening = _led(voiced) * np.maximum(energy, _led(_ramp(singing)))
        levels_db = row_levels_db(analysis_samples(sound), len(energy))
        silent = levels_db < max(_SILENT_DB, float(np.percentile(levels_db, 95)) - _SILENT_BELOW_LOUD_DB)
        opening = np.where(silent, np.minimum(opening, energy), opening).astype(np.float32)
        voices = np.where(_led(singing) > _led(speech), SINGING, SPEECH)
        labels = np.where(opening > 0.5, voices, np.where(silent, SILENCE, NOISE_OR_MUSIC))
        return VoiceActivity(opening, labels.astype(np.uint8))


def _ramp(probability: Float) -> Float:
    return np.clip((probability - _CLOSED_AT) / (_OPEN_AT - _CLOSED_AT), 0.0, 1.0)


def _without_blips(voice: Float, sung: NDArray[np.bool_], said: Float | None) -> Float:
    """Stretches that are mostly sung and short, never sure, or without a phone (where phones are known), vanish."""
    kept = voice.copy()
    for first, stop in _stretches(voice > _CLOSED_AT):
        doubtful = stop - first < _SURE_ROWS or voice[first:stop].max() < _SURE
        doubtful = doubtful or (said is not None and said[first:stop].max() < _SURE_PHONE)
        if doubtful and sung[first:stop].mean() > 0.5:
            kept[first:stop] = 0.0
    return kept


def _bridged(voice: Float, said: Float) -> Float:
    """The voice with phones between two of its stretches; music that hides a singer for a while keeps them apart."""
    clear = np.pad((said > _SURE_PHONE).astype(np.float32), _PHONE_ROWS)
    near = np.lib.stride_tricks.sliding_window_view(clear, 2 * _PHONE_ROWS + 1).max(axis=1)
    joined = voice.copy()
    for first, stop in _stretches(voice <= _OPEN_AT):
        if first > 0 and stop < len(voice) and stop - first < _BRIDGE_ROWS:
            joined[first:stop] = np.maximum(joined[first:stop], near[first:stop])
    return joined


def _stretches(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """First index of every stretch of True, and the one after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _led(values: Float) -> Float:
    """Opens early and closes late, with ramps instead of steps."""
    padded = np.pad(values, (_TRAIL_ROWS, _LEAD_ROWS), mode="edge")
    wide = np.lib.stride_tricks.sliding_window_view(padded, _TRAIL_ROWS + _LEAD_ROWS + 1).max(axis=1)
    edged = np.pad(wide, 1, mode="edge")
    smooth: Float = 0.25 * edged[:-2] + 0.5 * edged[1:-1] + 0.25 * edged[2:]
    return smooth
