"""Stored sounds -> batches of windows for the judge of the voice gate. Draws, cuts and disturbs; makes no sound.

Legend: B windows, N rows of 1/50 s, D features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from omnihuman.config import StrictModel
from omnihuman.speech.voice_activity_features import FEATURE_NAMES, PHONE_COLUMNS
from omnihuman.training.voice_gate.rows import HeardSound, load_heard
from omnihuman.types import Float

_FIRST_BAND = FEATURE_NAMES.index("band_120_hz")


class DisturbanceSettings(StrictModel):
    """How features are disturbed.

    Attributes:
        unknown_phones: Share of the windows without phone posteriors.
        noise: Spread of the noise on every feature.
        timbre_noise: Spread of a constant error of each band, as another microphone would make.
    """

    unknown_phones: float = Field(0.15, ge=0.0, le=1.0)
    noise: float = Field(0.05, ge=0.0)
    timbre_noise: float = Field(0.08, ge=0.0)


@dataclass(frozen=True)
class VoiceGateBatch:
    """What one step learns from.

    Attributes:
        features: ``B N D`` float32, disturbed.
        labels: ``B N`` int64, IGNORED where nobody could say.
    """

    features: Tensor
    labels: Tensor

    def to(self, device: str) -> VoiceGateBatch:
        """The same on a device."""
        return VoiceGateBatch(self.features.to(device), self.labels.to(device))


class VoiceGateWindows:
    """Windows of sounds, cut and disturbed anew whenever they are drawn.

    Args:
        sounds: All at least `rows` long.
        rows: N of a window.
        disturbance: How features are disturbed.
        seed: Of everything.
    """

    def __init__(self, sounds: Sequence[HeardSound], rows: int, disturbance: DisturbanceSettings, seed: int) -> None:
        assert sounds and all(len(sound.labels) >= rows for sound in sounds), f"a sound is shorter than {rows} rows"
        self._sounds, self._rows, self._disturbance, self._seed = sounds, rows, disturbance, seed

    @classmethod
    def of_files(
        cls, paths: Sequence[Path], rows: int, disturbance: DisturbanceSettings, seed: int
    ) -> VoiceGateWindows:
        """Windows of stored sounds; all of them are kept in memory, 42 kB per 20 s."""
        return cls([load_heard(path) for path in paths], rows, disturbance, seed)

    def batch(self, step: int, batch_size: int) -> VoiceGateBatch:
        """The windows of a step; a pure function of `step`."""
        rng = np.random.default_rng([self._seed, step])
        chosen = [self._sounds[i] for i in rng.integers(len(self._sounds), size=batch_size)]
        starts = [int(rng.integers(len(sound.labels) - self._rows + 1)) for sound in chosen]
        cuts = [(sound, slice(start, start + self._rows)) for sound, start in zip(chosen, starts, strict=True)]
        features = np.stack([sound.features[rows] for sound, rows in cuts])
        labels = np.stack([sound.labels[rows] for sound, rows in cuts])
        disturbed = _disturbed(features, self._disturbance, rng)
        return VoiceGateBatch(torch.from_numpy(disturbed), torch.from_numpy(labels.astype(np.int64)))


def _disturbed(features: Float, settings: DisturbanceSettings, rng: np.random.Generator) -> Float:
    """The features as other microphones, or a missing phonetic network, would give them."""
    disturbed = features + rng.normal(0.0, settings.noise, features.shape)
    bands = (len(features), 1, len(FEATURE_NAMES) - _FIRST_BAND)
    disturbed[..., _FIRST_BAND:] += rng.normal(0.0, settings.timbre_noise, bands)
    unknown = rng.random(len(features)) < settings.unknown_phones
    disturbed[unknown, :, PHONE_COLUMNS] = 0.0
    return disturbed.astype(np.float32)
