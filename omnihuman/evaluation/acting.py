"""Lets the denoiser act a sound with prompts on a made-up picture: parameters only, by the pipeline's own sampling.

Legend: T frames, P parameters, R reference columns.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from omnihuman.conditions.bundle import Tracks
from omnihuman.conditions.text import Prompt
from omnihuman.errors import ConfigError
from omnihuman.pipeline.assemble import PipelineParts
from omnihuman.pipeline.listen import Listener
from omnihuman.pipeline.sample import sample_latents
from omnihuman.pipeline.windows import plan
from omnihuman.types import ConditionTrack, Float, Sound

HALF_BODY: Float = np.array([0.0, 0.0, 0.0, 0.5, 1.0, 1.0, 1.0, 0.0], np.float32)
"""`R`: a frontal half body with closed lips that shows both arms, so that every style can show."""


class PromptedActor:
    """Acts sounds.

    Args:
        parts: Of a preset of the motion space.
        sounds: What is said.
        seed: Of every take.
    """

    def __init__(self, parts: PipelineParts, sounds: Sequence[Sound], seed: int) -> None:
        self._parts = parts
        self._seed = seed
        self._durations_s = [sound.duration_s for sound in sounds]
        listener = Listener(parts.audio, parts.gate)
        self._audio = [listener.listen(sound)[0] for sound in sounds]

    def act(self, number: int, prompts: Sequence[Prompt]) -> Float:
        """Parameters `T P` of one sound; without prompts, as if no text was given.

        Raises:
            ConfigError: space_unfit: the preset's space has no motion parameters.
        """
        parts, sampler = self._parts, self._parts.settings.sampler
        text = parts.text.encode(list(prompts)) if prompts else None
        tracks = Tracks(ConditionTrack("reference", HALF_BODY[None]), self._audio[number], None, text)
        spec = parts.space.spec
        num_latents = spec.num_latents(spec.num_frames(self._durations_s[number]))
        windows = plan(num_latents, sampler.window_latents, sampler.prefix_latents, sampler.lookahead_latents)
        generator = torch.Generator().manual_seed(self._seed)
        with parts.denoiser() as denoiser:
            latents = sample_latents(denoiser, spec, tracks, windows, sampler, generator)
        parameters = parts.space.parameters_of(latents)
        if parameters is None:
            cause = f"preset '{parts.name}' has no motion parameters"
            raise ConfigError("space_unfit", cause, "Name a preset of the motion space.")
        return parameters
