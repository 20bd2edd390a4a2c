"""Windows made up on the spot: cheap, endless, deterministic and learnable, for tests and a first look at a config.

Phone-like rows drive the mouth through a fixed table, the reference drives how far the head moves, the text drives
the brows. Says nothing about real speech. Same signature as the speech dataset. Legend: B batch, C channels, T frames.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.audio import AUDIO_WIDTH
from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.bundle import WIDTHS
from omnihuman.conditions.reference import REFERENCE_WIDTH
from omnihuman.latents.motion.parameters import NUM_PARAMETERS, group_indices

_FRAMES_PER_PHONE = 3


class SyntheticDataset:
    """Deterministic windows.

    Args:
        frames: Latent frames of a window.
        seed: Table and windows depend on it.
        distinct: How many different batches exist; they repeat. 0 = never.
    """

    def __init__(self, frames: int, seed: int, distinct: int = 0) -> None:
        self.frames = frames
        self.seed = seed
        self.distinct = distinct
        self._table = np.random.default_rng(seed).normal(0, 0.5, (AUDIO_WIDTH, NUM_PARAMETERS)).astype(np.float32)

    @property
    def data_hash(self) -> str:
        """Names what the windows depend on."""
        return f"synthetic-{self.frames}-{self.seed}-{self.distinct}"

    phrasebook = None
    """Made-up windows are told made-up embeddings."""

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ConditionBatch, Tensor]:
        """Latents `B C T`, all conditions present, loss weight `B C T`; the same step gives the same batch."""
        number = step % self.distinct if self.distinct else step
        rng = np.random.default_rng((self.seed, 1, number))
        phones = rng.integers(0, AUDIO_WIDTH, (batch_size, -(-self.frames // _FRAMES_PER_PHONE)))
        phones = np.repeat(phones, _FRAMES_PER_PHONE, axis=1)[:, : self.frames]
        audio = np.eye(AUDIO_WIDTH, dtype=np.float32)[np.repeat(phones, 2, axis=1)]
        reference = rng.uniform(-1, 1, (batch_size, REFERENCE_WIDTH)).astype(np.float32)
        latents = np.zeros((batch_size, NUM_PARAMETERS, self.frames), np.float32)
        mouth = group_indices("mouth")
        latents[:, mouth] = self._table[phones][..., mouth].transpose(0, 2, 1)
        phase = np.linspace(0, 2 * np.pi, self.frames) + rng.uniform(0, 2 * np.pi, (batch_size, 1))
        text = rng.uniform(-1, 1, (batch_size, WIDTHS.text)).astype(np.float32)
        latents[:, group_indices("brows")] = text[:, :1, None]
        latents[:, group_indices("head")] = (reference[:, :1] * np.sin(phase))[:, None]
        present = torch.ones(batch_size)
        conditions = replace(
            ConditionBatch.absent(batch_size, NUM_PARAMETERS, self.frames, WIDTHS),
            text=torch.from_numpy(np.repeat(text[:, None], self.frames, axis=1)),
            text_present=torch.ones(batch_size, self.frames),
            reference=torch.from_numpy(reference),
            reference_present=present,
            audio=torch.from_numpy(audio),
            audio_present=present.clone(),
        )
        return torch.from_numpy(latents), conditions, torch.ones(latents.shape)
