"""Which conditions a training window sees: stages, ratios, motion-frame prefix, pose track. No loss here.

Legend: B batch, C channels, T frames. "Absent" is `conditions.mixing.without`, chosen per window.
Paper: OmniHuman-1 section 3.2 - stages add conditions from weak to strong, ratios fall with strength.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.mixing import without
from omnihuman.latents.motion.parameters import GROUPS, NUM_PARAMETERS, group_indices
from omnihuman.training.settings import Ratios, Stage

MOUTH_POSE_RATIO = 0.15
"""Share of pose tracks that may hold the mouth too: rare, or the sound would lose its job to them."""
GROUP_POSE_RATIO = 0.5
PART_OF_WINDOW_RATIO = 0.3
"""Share of pose tracks that cover a stretch of the window only."""


@dataclass(frozen=True)
class Mixing:
    """How windows are conditioned: the ratios of the stage, and the range of prefix lengths in frames."""

    ratios: Ratios
    prefix_frames: tuple[int, int]


def stage_at(stages: tuple[Stage, ...], step: int) -> Stage:
    """The stage that `step` (from 0) belongs to; the last one for any later step."""
    end = 0
    for stage in stages:
        end += stage.steps
        if step < end:
            return stage
    return stages[-1]


def mix(latents: Tensor, given: ConditionBatch, mixing: Mixing, generator: torch.Generator) -> ConditionBatch:
    """The conditions that training shows for a batch of windows.

    Args:
        latents: Clean `B C T`; prefix and pose track are taken from them.
        given: Everything that is known of the windows.
        mixing: Ratios and prefix lengths.
        generator: The only source of chance.

    Returns:
        A new batch: each kind absent on the windows where its draw fails; observed = motion frames and pose.
    """
    ratios = mixing.ratios
    mask = torch.maximum(
        _prefix_mask(latents, ratios.motion_frames, mixing.prefix_frames, generator),
        _pose_mask(latents, ratios.pose, generator),
    )
    observed = replace(given, observed=latents * mask, observed_mask=mask)
    for kind, ratio in (("text", ratios.text), ("reference", ratios.reference), ("audio", ratios.audio)):
        keep = torch.rand(len(latents), generator=generator) < ratio
        observed = _select(keep, observed, without(observed, (kind,)))  # type: ignore[arg-type]
    return observed


def _select(keep: Tensor, yes: ConditionBatch, no: ConditionBatch) -> ConditionBatch:
    """Window by window: `yes` where `keep`, else `no`."""

    def choose(name: str) -> Tensor:
        a: Tensor = getattr(yes, name)
        return torch.where(keep.reshape(-1, *(1,) * (a.ndim - 1)), a, getattr(no, name))

    return replace(yes, **{field.name: choose(field.name) for field in fields(yes)})


def _prefix_mask(latents: Tensor, ratio: float, lengths: tuple[int, int], generator: torch.Generator) -> Tensor:
    """`B C T`: 1 on the first frames of the windows that have motion frames."""
    batch, _, num_frames = latents.shape
    length = torch.randint(lengths[0], lengths[1] + 1, (batch,), generator=generator)
    length = length * (torch.rand(batch, generator=generator) < ratio)
    inside = torch.arange(num_frames)[None] < length[:, None]
    return inside[:, None].expand_as(latents).to(latents.dtype)


def _pose_mask(latents: Tensor, ratio: float, generator: torch.Generator) -> Tensor:
    """`B C T`: 1 where a pose track holds: whole parameter groups, over the window or a stretch of it."""
    batch, channels, num_frames = latents.shape
    present = torch.rand(batch, generator=generator) < ratio
    drawn = torch.rand(batch, len(GROUPS), generator=generator)
    limit = torch.tensor([MOUTH_POSE_RATIO if group == "mouth" else GROUP_POSE_RATIO for group in GROUPS])
    columns = _group_matrix(channels)[:, : len(GROUPS)]
    held = ((drawn < limit).float() @ columns.T) > 0
    start, end = torch.sort(torch.randint(0, num_frames + 1, (batch, 2), generator=generator)).values.T
    part = torch.rand(batch, generator=generator) < PART_OF_WINDOW_RATIO
    frame = torch.arange(num_frames)[None]
    inside = ~part[:, None] | ((frame >= start[:, None]) & (frame < end[:, None]))
    return (present[:, None, None] & held[:, :, None] & inside[:, None]).to(latents.dtype)


def _group_matrix(channels: int) -> Tensor:
    """`C G` membership of channels in parameter groups."""
    assert channels == NUM_PARAMETERS, channels
    matrix = torch.zeros(channels, len(GROUPS))
    for column, group in enumerate(GROUPS):
        matrix[group_indices(group), column] = 1.0
    return matrix
