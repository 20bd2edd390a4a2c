"""Stored recordings -> batches of windows for the mel front end. Draws and cuts; makes no sound.

Legend: B windows, S samples at 16 kHz, N rows of 1/50 s, T = 2 N - 1 frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from omnihuman.errors import ResourceError
from omnihuman.speech.clock import ROW_SAMPLES
from omnihuman.speech.mel_features import SPECTRUM_SAMPLES, power_spectra
from omnihuman.training.mel.augment import Augmenter, AugmentSettings
from omnihuman.training.mel.data import FULL_SCALE, HeardRecording, load_heard


@dataclass(frozen=True)
class MelBatch:
    """What one step learns from.

    Attributes:
        features: ``B T M`` spoilt features.
        posteriors: ``B N 42`` natural logs that the phonetic network gives for the clean sound.
        phones: ``B N`` index in PHONES of what is said.
    """

    features: Tensor
    posteriors: Tensor
    phones: Tensor

    def to(self, device: str) -> MelBatch:
        """The same on a device."""
        return MelBatch(self.features.to(device), self.posteriors.to(device), self.phones.to(device))


class MelWindows:
    """Windows of recordings, cut and spoilt anew whenever they are drawn.

    Args:
        recordings: With and without speech.
        rows: N; shorter recordings are left out.
        quiet_ratio: Share of windows in which nobody speaks, where there are such recordings.
        augment: How features are spoilt.
        seed: Of everything.

    Raises:
        ResourceError: `training_data_missing`: none with speech is long enough.
    """

    def __init__(
        self, recordings: Sequence[HeardRecording], rows: int, quiet_ratio: float, augment: AugmentSettings, seed: int
    ) -> None:
        long = [recording for recording in recordings if len(recording.phones) >= rows]
        self._spoken = [recording for recording in long if recording.speaks]
        self._quiet = [recording for recording in long if not recording.speaks]
        if not self._spoken:
            fix = "Let data.rows be fewer, or recordings longer: more utterances per recording."
            raise ResourceError("training_data_missing", f"no recording with speech is as long as {rows} rows", fix)
        self._share = np.array([len(recording.phones) for recording in self._spoken], np.float64)
        self._share /= self._share.sum()
        self._rows, self._quiet_ratio, self._seed = rows, quiet_ratio, seed
        self._augmenter = Augmenter(augment)

    @classmethod
    def of_files(
        cls, paths: Sequence[Path], rows: int, quiet_ratio: float, augment: AugmentSettings, seed: int
    ) -> MelWindows:
        """Windows of stored recordings; all of them are kept in memory."""
        return cls([load_heard(path) for path in paths], rows, quiet_ratio, augment, seed)

    def batch(self, step: int, batch_size: int) -> MelBatch:
        """The windows of a step; a pure function of `step`."""
        rng = np.random.default_rng([self._seed, step])
        cuts = [self._cut(rng) for _ in range(batch_size)]
        samples, posteriors, phones = (torch.from_numpy(np.stack(part)) for part in zip(*cuts, strict=True))
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        features = self._augmenter.features(power_spectra(samples), generator)
        return MelBatch(features, posteriors, phones)

    def _cut(self, rng: np.random.Generator) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Samples, posteriors and phones of one window."""
        if self._quiet and rng.random() < self._quiet_ratio:
            recording = self._quiet[int(rng.integers(len(self._quiet)))]
        else:
            recording = self._spoken[int(rng.choice(len(self._spoken), p=self._share))]
        variant = recording.samples[int(rng.integers(len(recording.samples)))]
        first = int(rng.integers(len(recording.phones) - self._rows + 1))
        rows = slice(first, first + self._rows)
        return (
            _samples_of(variant, first, self._rows),
            recording.posteriors[rows].astype(np.float32),
            recording.phones[rows],
        )


def _samples_of(sound: NDArray[np.int16], first: int, rows: int) -> NDArray[np.float32]:
    """The samples that the spectra of some rows need; silence beyond the ends of the sound."""
    margin = SPECTRUM_SAMPLES // 2
    start, stop = first * ROW_SAMPLES - margin, (first + rows - 1) * ROW_SAMPLES + margin
    kept = sound[max(0, start) : stop].astype(np.float32) / np.float32(FULL_SCALE)
    return np.pad(kept, (max(0, -start), max(0, stop - len(sound))))
