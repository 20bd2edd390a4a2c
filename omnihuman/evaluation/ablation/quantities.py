"""What tells a good network from a bad one, on motion parameters alone: pure functions of latents and held-out clips.

Stand-ins for the paper's scores in a space without pictures: Sync-C -> lips, FVD -> distance of motion statistics,
HKV -> spread of body and arms, colour drift -> drift over a long clip (OmniHuman-1 section 4.3 and its ablations).
Legend: N clips, C channels, T latent frames; values are latents, so 1 = the typical spread of a parameter.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from omnihuman.evaluation.ablation.held_out import HeldOut
from omnihuman.evaluation.expected import parameter_gap
from omnihuman.evaluation.phone_times import intervals_of, speech_of
from omnihuman.latents.motion.parameters import GROUPS, INDEX, SCALE, group_indices
from omnihuman.metrics.measurement import Measurement
from omnihuman.metrics.motion import blink_rate
from omnihuman.metrics.sync import ClosureCounts, ClosureRule, correlation, count_closures
from omnihuman.speech.inventory import BILABIALS
from omnihuman.training.teacher.mouth import FRAME_HZ, frame_times_s
from omnihuman.types import Float

HEAD = ("head",)
BODY = ("torso", "arms", "hands")
NOT_MOUTH = tuple(group for group in GROUPS if group != "mouth")
_STILL = 0.05
"""Channels that the teacher moves less than this are not compared: a ratio to nothing says nothing."""
_ENDS_S = 6.0


def lips(latents: Tensor, held: HeldOut, rule: ClosureRule) -> dict[str, Measurement]:
    """Correlation of the lip gap with the teacher's mean, averaged over clips; closures for p, b, m, pooled."""
    gaps = parameter_gap(latents.transpose(1, 2).numpy() * SCALE)
    times_s = frame_times_s(gaps.shape[1])
    counts = ClosureCounts()
    for gap, phones in zip(gaps, held.phones, strict=True):
        speech = speech_of(phones, gaps.shape[1] / FRAME_HZ)
        # What is said after the end of the clip cannot be judged; count_closures finds no frame near it.
        counts += count_closures(gap, times_s, intervals_of(phones, BILABIALS), speech, rule)
    agreement = float(np.mean([correlation(gap, wanted) for gap, wanted in zip(gaps, held.mean_gap, strict=True)]))
    f1 = counts.f1 if any(held.phones) else math.nan
    return {"lip_correlation": Measurement(agreement, "", True), "closure_f1": Measurement(f1, "share", True)}


def spread(latents: Tensor, held: HeldOut, groups: Sequence[str]) -> Measurement:
    """How far channels swing within a clip, over how far the teacher swings them; 1 = as taught, 0 = frozen.

    Geometric mean over the channels that the picture shows.
    """
    made = _swing(latents, held.shown, groups)
    taught = _swing(held.lessons, held.shown_in_lessons, groups)
    moving = taught > _STILL
    ratio = float(np.exp(np.log(np.maximum(made[moving], 1e-6) / taught[moving]).mean())) if moving.any() else math.nan
    return Measurement(ratio, "x taught", None)


def roughness(latents: Tensor, held: HeldOut, groups: Sequence[str]) -> Measurement:
    """Mean acceleration over mean speed, relative to the teacher's: above 1 = trembling, below = too smooth."""
    channels = _channels(groups)

    def of(values: Tensor, shown: Tensor) -> float:
        moved = values[:, channels][shown[:, channels]].diff(dim=-1)
        return float(moved.diff(dim=-1).abs().mean() / moved.abs().mean().clamp(min=1e-9))

    return Measurement(of(latents, held.shown) / of(held.lessons, held.shown_in_lessons), "x taught", None)


def distance(latents: Tensor, held: HeldOut, groups: Sequence[str]) -> Measurement:
    """How far the statistics of the motion are from the teacher's, in the teacher's own standard deviations.

    Frechet distance with diagonal covariance (Heusel et al. 2017), of values and of steps from frame to frame; root of
    the mean over both and over channels. 0 = the same means and spreads.
    """
    errors = []
    for channel in _channels(groups):
        made = latents[held.shown[:, channel], channel].double()
        taught = held.lessons[held.shown_in_lessons[:, channel], channel].double()
        if not len(taught) or float(taught.std()) <= _STILL:
            continue
        for a, b in ((made, taught), (made.diff(dim=-1), taught.diff(dim=-1))):
            if float(b.std()) > 1e-6:
                errors.append((float(a.mean() - b.mean()) ** 2 + float(a.std() - b.std()) ** 2) / float(b.var()))
    return Measurement(math.sqrt(float(np.mean(errors))) if errors else math.nan, "taught spreads", False)


def unseen_motion(latents: Tensor, held: HeldOut) -> Measurement:
    """Motion of torso, arms and hands that the picture does not show, over the teacher's of those it does show."""
    channels = _channels(BODY)
    hidden = latents[:, channels][~held.shown[:, channels]]
    taught = held.lessons[:, channels][held.shown_in_lessons[:, channels]]
    if not len(hidden) or not len(taught) or not float(taught.square().mean()):
        return Measurement(math.nan, "x taught", False)
    return Measurement(float((hidden.square().mean() / taught.square().mean()).sqrt()), "x taught", False)


def drift(latents: Tensor, held: HeldOut) -> Measurement:
    """Root mean square of head and body at the end of the clips over that at their beginning; 1 = nothing gathers."""
    channels = _channels((*HEAD, *BODY))
    values = latents[:, channels][held.shown[:, channels]]
    ends = min(round(_ENDS_S * FRAME_HZ), values.shape[-1] // 2)
    first, last = values[:, :ends].square().mean().sqrt(), values[:, -ends:].square().mean().sqrt()
    return Measurement(float(last / first) if float(first) > 1e-6 else math.nan, "ratio", None)


def diversity(latents: Tensor, again: Tensor, held: HeldOut) -> Measurement:
    """How far two samples of the same clips lie apart in head and body, over how far two takes of the teacher do."""
    channels = _channels((*HEAD, *BODY))
    shown = held.shown[:, channels]

    def apart(a: Tensor, b: Tensor) -> float:
        return float((a - b)[:, channels][shown].square().mean().sqrt())

    taught = apart(held.takes, held.lessons[: len(held.takes)])
    return Measurement(apart(latents, again) / taught if taught else math.nan, "x taught", None)


def blinks(latents: Tensor) -> Measurement:
    """Blinks a minute, of both lids together; people do 8 to 30 when they talk."""
    lids = [INDEX["blink_l"], INDEX["blink_r"]]
    closed = (latents[:, lids].numpy() * SCALE[lids][:, None]).mean(1)
    rates = [blink_rate((1.0 - clip).astype(np.float32), FRAME_HZ).value for clip in closed]
    return Measurement(float(np.mean(rates)), "1/min", None)


def torso_agreement(latents: Tensor, held: HeldOut) -> Measurement:
    """Correlation of the torso, which was free, with the take whose head was given; a torso follows its head."""
    found = []
    for channel in group_indices("torso"):
        seen = held.shown[:, channel]
        made, taught = latents[seen, channel].numpy(), held.takes[seen, channel].numpy()
        if taught.size and taught.std() > _STILL:
            found.append(correlation(made.reshape(-1), taught.reshape(-1)))
    return Measurement(float(np.mean(found)) if found else math.nan, "", True)


def _channels(groups: Sequence[str]) -> list[int]:
    return [channel for group in groups for channel in group_indices(group)]


def _swing(values: Tensor, shown: Tensor, groups: Sequence[str]) -> Float:
    """Mean over clips of the standard deviation within a clip, per channel; 0 for what no picture shows."""
    mean = torch.where(shown, values.std(dim=-1), 0.0).sum(0) / shown.sum(0).clamp(min=1)
    swing: Float = mean[_channels(groups)].numpy()
    return swing
