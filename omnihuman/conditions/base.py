"""Conditions as objects, weakest motion signal first; a batch of them on the denoiser's own clock.

Legend: B batch, C channels of the space, T latent frames, D width of an audio feature, R width of the reference.
What "absent" means is written in `mixing.py`, not here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from torch import Tensor

from omnihuman.types import ConditionKind

STRENGTH: tuple[ConditionKind, ...] = ("text", "reference", "audio", "pose")
"""Order of motion strength, weak to strong; the stronger, the lower its training ratio (OmniHuman-1 section 3.2)."""


@dataclass(frozen=True)
class ConditionBatch:
    """All conditions of a batch of windows, resampled onto the latent clock.

    Attributes:
        reference: `B R` what the picture shows.
        audio: `B 2T D` phonetic features, two rows per latent frame.
        observed: `B C T` known latents - motion-frame prefix and pose track; 0 where unknown.
        observed_mask: `B C T` 1 where `observed` holds.
        reference_present: `B` 1 or 0.
        audio_present: `B` 1 or 0.
    """

    reference: Tensor
    audio: Tensor
    observed: Tensor
    observed_mask: Tensor
    reference_present: Tensor
    audio_present: Tensor

    def to(self, *args: object, **kwargs: object) -> ConditionBatch:
        """Every tensor moved or cast, as `Tensor.to`."""
        moved = {f.name: getattr(self, f.name).to(*args, **kwargs) for f in fields(self)}
        return replace(self, **moved)
