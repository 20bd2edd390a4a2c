"""The motion space: latents are per-frame motion parameters of the pictured person; decoding warps the picture.

Not a generator: it never invents pixels beyond lips, teeth and the rim behind a moving head. The denoiser decides how
the person moves, this space only how it looks. OmniHuman-1's "latent space" role, without a video autoencoder.
Legend: C = P motion parameters, T frames, H height, W width.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from omnihuman.errors import InputError
from omnihuman.latents.motion.controls import apply_controls
from omnihuman.latents.motion.drive.follow import fit_clip, follow
from omnihuman.latents.motion.parameters import NUM_PARAMETERS, SCALE
from omnihuman.latents.motion.reference import MotionReference, build_reference, with_expression
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.perception.pictured import PersonFinder, PicturedPerson, is_topped, not_found
from omnihuman.types import ANYBODY, Clip, ConditionTrack, Expression, Float, Image, LatentSpec, PersonChoice

if TYPE_CHECKING:
    from torch import Tensor

    from omnihuman.perception.body import BodyPerception
    from omnihuman.perception.face import FacePerception
    from omnihuman.perception.hands import HandPerception
    from omnihuman.perception.keypoints import KeypointTrack
    from omnihuman.perception.matte import PersonMatte
    from omnihuman.perception.person import PersonTrack

SPEC = LatentSpec("motion", NUM_PARAMETERS, 25.0)
MIN_IOD_PX = 24.0
"""Below this distance between the outer eye corners there are too few pixels for a mouth."""


class MotionSpace:
    """Latent space of motion parameters.

    Args:
        face: Finds and tracks faces.
        matte: Separates the person from the background.
        body: Finds the body; without it the torso is guessed from the head, and arms rest.
        hands: Finds the hands of the body; without it wrists and fingers rest.
    """

    def __init__(
        self,
        face: FacePerception,
        matte: PersonMatte,
        body: BodyPerception | None = None,
        hands: HandPerception | None = None,
    ) -> None:
        self._face = face
        self._matte = matte
        self._body = body
        self._hands = hands

    @property
    def spec(self) -> LatentSpec:
        """One latent frame per video frame."""
        return SPEC

    def prepare(self, image: Image, person: PersonChoice = ANYBODY) -> MotionReference:
        """Everything that is computed once per picture `H W 3`.

        Args:
            image: `H W 3`.
            person: Who is meant; by default whoever has the largest face.

        Raises:
            InputError: `face_not_found`, `face_number_invalid` or `face_too_small`.
        """
        pictured = PersonFinder(self._face, self._body).find(image, person)
        face = pictured.face
        iod_px = float(np.linalg.norm(face.points[33] - face.points[263]))
        if pictured.face_seen and iod_px < MIN_IOD_PX:
            raise InputError(
                "face_too_small",
                f"the eyes of the face are {iod_px:.0f} pixels apart, {MIN_IOD_PX:.0f} are needed",
                "Use a larger picture or a larger size, or crop it closer to the person.",
            )
        matte = person.alpha if person.alpha is not None else self._matte.estimate(image, face, pictured.body)
        if not (pictured.face_seen or is_topped(face, matte)):
            raise not_found()
        with_hands = self._hands is not None and pictured.body is not None
        hands = self._hands.detect(image, pictured.body) if self._hands is not None and with_hands else None
        reference = build_reference(image, face.points, matte, pictured.body, hands)
        return understood(reference, pictured, person)

    def express(self, reference: MotionReference, expression: Expression) -> MotionReference:
        """The same reference whose pictured mouth yields to speech, stays under it, or is made neutral."""
        # Where no face was found there is no mouth to make neutral.
        return with_expression(reference, expression) if reference.rig.face_gain else reference

    def render(self, parameters: Float, reference: MotionReference) -> Iterator[Image]:
        """Frames `H W 3` for parameters `T P` in the table's units; values beyond the table's range are clipped."""
        renderer = FrameRenderer(reference)
        for frame in np.asarray(parameters, np.float32):
            yield renderer.draw(frame)

    def decode(self, latents: Tensor, reference: MotionReference, fps: float | None = None) -> Iterator[Image]:
        """Normalised latents `1 C T` -> frames `H W 3` at `fps` (None: 25), one at a time, in order."""
        assert latents.ndim == 3 and latents.shape[:2] == (1, NUM_PARAMETERS), latents.shape
        parameters = self.parameters_of(latents)
        if fps is not None and fps != SPEC.fps:
            parameters = resample(parameters, SPEC.fps, fps)
        return self.render(parameters, reference)

    def encode(self, clip: Clip, reference: MotionReference) -> Tensor:
        """Clip of the same or another person -> normalised latents `1 C T` at this space's frame rate."""
        import torch

        parameters = fit_clip(self._face.track(iter(clip.frames)), clip.fps, reference, SPEC)
        return torch.from_numpy(np.ascontiguousarray((parameters / SCALE).T[None]))

    def follow(self, person: PersonTrack | KeypointTrack, reference: MotionReference, lips: bool) -> ConditionTrack:
        """What a driver did, as a pose track for the pictured person; see `drive/follow.py`."""
        return follow(person, reference, SPEC, lips)

    def adjust(self, latents: Tensor, activity: Float, motion_strength: float) -> Tensor:
        """Latents `1 C T` with the mouth at rest where nobody speaks and the manner scaled; see `controls.py`."""
        import torch

        adjusted = apply_controls(self.parameters_of(latents), activity, motion_strength)
        return torch.from_numpy(np.ascontiguousarray((adjusted / SCALE).T[None]))

    def parameters_of(self, latents: Tensor) -> Float:
        """Motion parameters `T P` in the table's units."""
        parameters: Float = latents[0].detach().float().cpu().numpy().T * SCALE
        return parameters


def understood(reference: MotionReference, pictured: PicturedPerson, choice: PersonChoice) -> MotionReference:
    """The reference with a face that may move only as far as one was seen, and with what a person should know."""
    warnings = []
    if not pictured.face_seen:
        warnings.append("no face was found: only head and body move; --landmarks places one")
    if pictured.num_faces > 1 and choice.face == 1:
        others = "2 takes the other" if pictured.num_faces == 2 else f"2 to {pictured.num_faces} takes another"
        warnings.append(f"{pictured.num_faces} faces were found and the largest is taken; --face {others}")
    rig = reference.rig if pictured.face_seen else replace(reference.rig, face_gain=0.0)
    return replace(reference, rig=rig, facts=replace(reference.facts, warnings=tuple(warnings)))


def resample(parameters: Float, fps: float, wanted_fps: float) -> Float:
    """Parameters `T P` at another frame rate, linear between the middles of frames; as many as cover the same time."""
    duration_s = len(parameters) / fps
    count = max(1, math.ceil(duration_s * wanted_fps - 1e-6))
    position = np.clip((np.arange(count) + 0.5) / wanted_fps * fps - 0.5, 0, len(parameters) - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, len(parameters) - 1)
    share = (position - low)[:, None].astype(np.float32)
    return np.asarray(parameters[low] * (1 - share) + parameters[high] * share, np.float32)
