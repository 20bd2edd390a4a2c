"""The contract of a latent space: it owns its geometry, its statistics and its clock. Holds no network.

Legend: B batch, C channels, T latent frames, H height, W width.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from torch import Tensor

from omnihuman.perception.keypoints import KeypointTrack
from omnihuman.perception.person import PersonTrack
from omnihuman.types import (
    ANYBODY,
    Clip,
    ConditionTrack,
    Expression,
    Float,
    Image,
    LatentSpec,
    PersonChoice,
    ReferenceFacts,
)


class Reference(Protocol):
    """What `prepare` made of the picture; beyond these facts it is opaque to the caller."""

    @property
    def facts(self) -> ReferenceFacts:
        """What the picture shows."""
        ...


class LatentSpace(Protocol):
    """Clips <-> latents."""

    @property
    def spec(self) -> LatentSpec:
        """Shape and clock."""
        ...

    def prepare(self, image: Image, person: PersonChoice = ANYBODY) -> Reference:
        """Everything that is computed once per picture."""
        ...

    def express(self, reference: Any, expression: Expression) -> Reference:
        """The same reference with what becomes of its pictured mouth; as it is in spaces that have no say in it."""
        ...

    def encode(self, clip: Clip, reference: Any) -> Tensor:
        """Clip of the same or another person -> normalised latents `1 C T ...`."""
        ...

    def follow(self, person: PersonTrack | KeypointTrack, reference: Any, lips: bool) -> ConditionTrack:
        """What a driver did, for the pictured person: a pose track; the mouth only where `lips` is set."""
        ...

    def decode(self, latents: Tensor, reference: Any, fps: float | None = None) -> Iterator[Image]:
        """Normalised latents `1 C T ...` -> frames `H W 3` at `fps` (None: the spec's), one at a time, in order."""
        ...

    def adjust(self, latents: Tensor, activity: Float, motion_strength: float) -> Tensor:
        """What a person may turn up or down after sampling; latents `1 C T`, activity `T` in 0..1 (speech gate)."""
        ...

    def parameters_of(self, latents: Tensor) -> Float | None:
        """The motion parameters `T P` that the latents stand for; None in spaces that have none."""
        ...
