"""Classifier-free guidance over text and audio, annealed over the run. Pure; "absent" is defined in conditions.mixing.

Reference, motion frames and pose stay in every branch (OmniHuman-1 section 3.3). Joint form, as in the paper:
v0 + s (v_ta - v0). Separate form: v_ta + (s_t - 1)(v_ta - v_a) + (s_a - 1)(v_ta - v_t).
A branch is skipped only where its term vanishes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.mixing import stacked, without
from omnihuman.flow.solver import Velocity
from omnihuman.types import ConditionKind, GuidanceForm

Bind = Callable[[ConditionBatch], Velocity]
"""Conditions -> velocity field under them."""


@dataclass(frozen=True)
class Guidance:
    """How strongly sound and text are followed; 1 = no guidance.

    Attributes:
        audio: s_a at the start of the run; the one s of the joint form.
        text: s_t at the start of the run; not read by the joint form.
        anneal: Power of t with which both fall towards 1; 0 keeps them constant.
        form: `joint` as in the paper, two branches; `separate` takes a third one where there is text.
    """

    audio: float = 1.5
    text: float = 1.5
    anneal: float = 1.0
    form: GuidanceForm = "separate"


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


def guided(bind: Bind, conditions: ConditionBatch, guidance: Guidance) -> Velocity:
    """The guided velocity field of one batch of conditions, for `solver.integrate`.

    All branches of a step go through the network as one batch. A branch is left out where its scale is 1 and where it
    lacks only what no item of the batch carries: then it is a branch that is there already.

    Args:
        bind: Conditions -> velocity field; `Denoiser.bound`.
        conditions: Of B items.
        guidance: How strongly.
    """
    sounding, prompted = (bool(flag.any()) for flag in (conditions.audio_present, conditions.text_present))
    lacking: list[tuple[ConditionKind, ...]] = []
    if guidance.form == "joint":
        lacking += [("text", "audio")] if (sounding or prompted) and guidance.audio != 1.0 else []
    else:
        lacking += [("text",)] if prompted and guidance.text != 1.0 else []
        lacking += [("audio",)] if sounding and guidance.audio != 1.0 else []
    field = bind(stacked([conditions, *(without(conditions, kinds) for kinds in lacking)]))

    def together(x: Tensor, t: Tensor) -> Tensor:
        v_all, *others = field(x.repeat(1 + len(lacking), 1, 1), t.repeat(1 + len(lacking))).chunk(1 + len(lacking))
        time = float(t.flatten()[0])
        text_scale, audio_scale = (annealed(s, time, guidance.anneal) for s in (guidance.text, guidance.audio))
        if guidance.form == "joint":
            return joint(others[0], v_all, audio_scale) if others else v_all
        found = dict(zip(lacking, others, strict=True))
        return separate(v_all, found.get(("text",), v_all), found.get(("audio",), v_all), text_scale, audio_scale)

    return together
