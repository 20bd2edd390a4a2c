"""Lets the product perform a sound on a picture and looks at what came out: rendered frames, or parameters alone.

Legend: T frames of the result.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path
from typing import Any, cast

import numpy as np

from omnihuman.evaluation.expected import parameter_gap
from omnihuman.evaluation.tracks import FaceTracks, track_face
from omnihuman.latents.base import LatentSpace
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.media.footage import frame_rate, read_frames
from omnihuman.perception.face import FacePerception
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.types import Float, Image, Sound

_NO_PICTURE = np.zeros((2, 2, 3), np.uint8)

Look = Callable[[Path], FaceTracks]
"""A video file -> its face."""


def looker(face: FacePerception) -> Look:
    """Looks at finished videos, with one face perception."""
    return lambda path: track_face(read_frames(path), frame_rate(path), face)


@dataclass(frozen=True)
class Performer:
    """One picture, one seed.

    Attributes:
        pipeline: Of a preset of the motion space.
        picture: The picture; its lips should be closed.
        seed: Of every performance.
        look: Looks at a finished video; None = do not draw, compute the gap from the parameters (fast); what follows
            has no meaning then.
        size: Longest side of the video, None = the picture's own.
        keep: Folder in which the videos stay, None = nowhere.
    """

    pipeline: OmniHumanPipeline
    picture: Path | Image
    seed: int
    look: Look | None
    size: int | None = None
    keep: Path | None = None

    def perform(self, sound: Sound, name: str) -> FaceTracks:
        """The face of the performance; `name` names the video that is kept.

        Raises:
            OmniHumanError: whatever the pipeline refuses; face_missing.
        """
        if self.look is None:
            result = undrawn(self.pipeline)(self.picture, sound, seed=self.seed)
            assert result.parameters is not None, "only the motion space has parameters"
            return parameter_tracks(result.parameters, self.pipeline.parts.space.spec.fps)
        with tempfile.TemporaryDirectory() as aside:
            path = (self.keep or Path(aside)) / f"{name}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            self.pipeline(self.picture, sound, seed=self.seed, size=self.size, output=path)
            return self.look(path)


def undrawn(pipeline: OmniHumanPipeline) -> OmniHumanPipeline:
    """The same pipeline, but its frames are empty; picture, motion and parameters are what they would be."""
    space = cast(LatentSpace, _Undrawn(pipeline.parts.space))
    return OmniHumanPipeline(replace(pipeline.parts, space=space))


class _Undrawn:
    """A latent space whose frames nobody looks at; everything else is the space's own."""

    def __init__(self, space: LatentSpace) -> None:
        self._space = space

    def __getattr__(self, name: str) -> Any:
        return getattr(self._space, name)

    def decode(self, *_: object) -> Iterator[Image]:
        """As many frames as are asked for."""
        return repeat(_NO_PICTURE)


def parameter_tracks(parameters: Float, fps: float) -> FaceTracks:
    """The face that parameters `T P` ask for, on a picture with closed lips that looks straight ahead."""
    num_frames = len(parameters)
    lids = 1.0 - parameters[:, [INDEX["blink_l"], INDEX["blink_r"]]].mean(axis=1)
    angles = parameters[:, [INDEX["head_yaw_deg"], INDEX["head_pitch_deg"], INDEX["head_roll_deg"]]]
    return FaceTracks(
        times_s=((np.arange(num_frames) + 0.5) / fps).astype(np.float32),
        fps=fps,
        gap=parameter_gap(parameters),
        aperture=np.asarray(lids, np.float32),
        angles_deg=np.asarray(angles, np.float32),
        steady=np.full((num_frames, 1, 3), np.nan, np.float32),
    )
