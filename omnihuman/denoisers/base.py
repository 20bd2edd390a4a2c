"""The contract of a denoiser: (latents, t, conditions) -> velocity. Knows nothing of pictures or files.

Legend: B batch, C channels, T latent frames. t = 1 is noise, t = 0 is data;
x_t = (1 - t) x_0 + t eps and the velocity is eps - x_0 (OmniHuman-1 section 3.1, flow matching).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.types import LatentSpec

Velocity = Callable[[Tensor, Tensor], Tensor]
"""(x `B C T`, t `B`) -> velocity `B C T`, under fixed conditions."""


class Denoiser(Protocol):
    """Predicts the velocity. Implementations are diffusers `ModelMixin`s."""

    @property
    def spec(self) -> LatentSpec:
        """Must equal the spec of the space it was trained in."""
        ...

    def __call__(self, latents: Tensor, t: Tensor, conditions: ConditionBatch) -> Tensor:
        """Noisy latents `B C T`, t `B` in 0..1 -> velocity `B C T`."""
        ...

    def bound(self, conditions: ConditionBatch) -> Velocity:
        """The same under fixed conditions: what follows from them alone is computed once, not once a step."""
        ...
