"""Classifier-free guidance over text and audio, annealed over the run. Pure; "absent" is defined in conditions.mixing.

Reference, motion frames and pose stay in every branch (OmniHuman-1 section 3.3). Joint form, as in the paper:
v0 + s (v_ta - v0). Separate form: v_ta + (s_t - 1)(v_ta - v_a) + (s_a - 1)(v_ta - v_t).
A forward is skipped only where its term vanishes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.mixing import without
from omnihuman.flow.solver import Velocity

Denoise = Callable[[Tensor, Tensor, ConditionBatch], Tensor]
"""(latents `B C T`, t `B`, conditions) -> velocity `B C T`; a `Denoiser` is one."""


@dataclass(frozen=True)
class AudioGuidance:
    """How strongly the sound is followed.

    Attributes:
        scale: s at the start of the run; 1 = no guidance.
        anneal: Power of t with which s falls towards 1; 0 keeps it constant.
    """

    scale: float = 1.5
    anneal: float = 1.0


def annealed(scale: float, t: float, power: float) -> float:
    """1 + (s - 1) t^power: the full scale at t = 1, falling towards 1 as t falls to 0."""
    return 1.0 + (scale - 1.0) * math.pow(t, power)


def joint(v_null: Tensor, v_all: Tensor, scale: float) -> Tensor:
    """v0 + s (v_ta - v0), v0 with text and audio absent."""
    return v_null + scale * (v_all - v_null)


def separate(v_all: Tensor, v_audio: Tensor, v_text: Tensor, text_scale: float, audio_scale: float) -> Tensor:
    """v_ta + (s_t - 1)(v_ta - v_a) + (s_a - 1)(v_ta - v_t).

    Args:
        v_all: Text and audio present.
        v_audio: Audio alone; may be `v_all` itself when `text_scale` is 1, its term is then 0.
        v_text: Text alone; likewise for `audio_scale`.
        text_scale: s_t, 1 = no guidance.
        audio_scale: s_a, 1 = no guidance.
    """
    return v_all + (text_scale - 1) * (v_all - v_audio) + (audio_scale - 1) * (v_all - v_text)


def guided(denoise: Denoise, conditions: ConditionBatch, guidance: AudioGuidance) -> Velocity:
    """The guided velocity field of one batch of conditions, for `solver.integrate`.

    The null forward is left out where s is 1 at that time, and where no item of the batch carries sound.
    """
    null = without(conditions, ("audio",))
    sounding = bool(conditions.audio_present.any())

    def field(x: Tensor, t: Tensor) -> Tensor:
        v_all = denoise(x, t, conditions)
        scale = annealed(guidance.scale, float(t.flatten()[0]), guidance.anneal)
        if scale == 1.0 or not sounding:
            return v_all
        return joint(denoise(x, t, null), v_all, scale)

    return field
