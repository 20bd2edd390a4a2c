"""The contract of a latent space: it owns its geometry, its statistics and its clock. Holds no network.

Legend: B batch, C channels, T latent frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor

from omnihuman.types import Clip, Image, LatentSpec


class LatentSpace(Protocol):
    """Clips <-> latents. `reference` is what `prepare` made of the picture; opaque to the caller."""

    @property
    def spec(self) -> LatentSpec:
        """Shape and clock."""
        ...

    def prepare(self, image: Image) -> Any:
        """Everything that is computed once per picture."""
        ...

    def encode(self, clip: Clip, reference: Any) -> Tensor:
        """Clip of the same or another person -> normalised latents `1 C T ...`."""
        ...

    def decode(self, latents: Tensor, reference: Any) -> Iterator[Image]:
        """Normalised latents `1 C T ...` -> frames `H W 3`, one at a time, in order."""
        ...
