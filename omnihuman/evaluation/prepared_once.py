"""A pipeline that performs many sounds with one picture and prepares it once. Results are the same, sooner."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, cast

from omnihuman.latents.base import LatentSpace, Reference
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.types import ANYBODY, Image, PersonChoice


def preparing_once(pipeline: OmniHumanPipeline) -> OmniHumanPipeline:
    """The same pipeline, but pictures that come again are not prepared again."""
    space = cast(LatentSpace, PreparedOnce(pipeline.parts.space))
    return OmniHumanPipeline(replace(pipeline.parts, space=space))


class PreparedOnce:
    """A latent space that remembers the last picture it prepared; everything else is the space's own.

    Args:
        space: The space.
    """

    def __init__(self, space: LatentSpace) -> None:
        self._space = space
        self._last: tuple[str, Reference] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._space, name)

    def prepare(self, image: Image, person: PersonChoice = ANYBODY) -> Reference:
        """What the space makes of a picture; a person given by hand or cut out already is looked at anew."""
        if person.landmarks is not None or person.alpha is not None:
            return self._space.prepare(image, person)
        key = f"{image.shape} {person.face} {hashlib.sha256(image.tobytes()).hexdigest()}"
        if self._last is None or self._last[0] != key:
            self._last = key, self._space.prepare(image, person)
        return self._last[1]
