"""Conditions as objects, weakest motion signal first; a batch of them on the denoiser's own clock.

Legend: B batch, C channels of the space, T latent frames, D width of an audio feature, R width of the reference,
E width of a sentence embedding. What "absent" means is written in `mixing.py`, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from omnihuman.types import ConditionKind

STRENGTH: tuple[ConditionKind, ...] = ("text", "reference", "audio", "pose")
"""Order of motion strength, weak to strong; the stronger, the lower its training ratio (OmniHuman-1 section 3.2)."""

AUDIO_ROWS_PER_LATENT = 2
"""Phonetic features come at twice the frame rate of the motion space: a 40 ms closure keeps its edges."""


@dataclass(frozen=True)
class ConditionWidths:
    """Numbers per row of each condition, so that an absent one still has its shape: E, R and D."""

    text: int
    reference: int
    audio: int


@dataclass(frozen=True)
class ConditionBatch:
    """All conditions of a batch of windows, resampled onto the latent clock.

    Attributes:
        text: `B T E` embedding of the prompt that holds at each latent frame.
        reference: `B R` what the picture shows.
        audio: `B 2T D` phonetic features, two rows per latent frame.
        observed: `B C T` known latents - motion-frame prefix and pose track; 0 where unknown.
        observed_mask: `B C T` 1 where `observed` holds.
        text_present: `B T` 1 where a prompt holds: prompts begin and end within a clip.
        reference_present: `B` 1 or 0.
        audio_present: `B` 1 or 0.
    """

    text: Tensor
    reference: Tensor
    audio: Tensor
    observed: Tensor
    observed_mask: Tensor
    text_present: Tensor
    reference_present: Tensor
    audio_present: Tensor

    @classmethod
    def absent(cls, batch: int, channels: int, num_frames: int, widths: ConditionWidths) -> ConditionBatch:
        """A batch in which nothing is known; put in what is with `dataclasses.replace`."""
        return cls(
            text=torch.zeros(batch, num_frames, widths.text),
            reference=torch.zeros(batch, widths.reference),
            audio=torch.zeros(batch, AUDIO_ROWS_PER_LATENT * num_frames, widths.audio),
            observed=torch.zeros(batch, channels, num_frames),
            observed_mask=torch.zeros(batch, channels, num_frames),
            text_present=torch.zeros(batch, num_frames),
            reference_present=torch.zeros(batch),
            audio_present=torch.zeros(batch),
        )

    def to(self, *args: object, **kwargs: object) -> ConditionBatch:
        """Every tensor moved or cast, as `Tensor.to`."""
        moved = {f.name: getattr(self, f.name).to(*args, **kwargs) for f in fields(self)}
        return replace(self, **moved)
