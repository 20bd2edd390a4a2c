"""A trained network -> motion of whole held-out clips, many at once, window after window. Nothing is rendered.

Legend: B clips, C channels, T latent frames.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.evaluation.ablation.held_out import stretch
from omnihuman.flow.guidance import Guidance, guided
from omnihuman.flow.schedule import times
from omnihuman.flow.solver import initial_noise, integrate
from omnihuman.latents.motion.parameters import group_indices


@torch.inference_mode()
def roll_out(
    model: MotionDiT,
    given: ConditionBatch,
    window: int,
    prefix: int,
    steps: int,
    generator: torch.Generator | None,
    guidance: float = 1.0,
) -> Tensor:
    """Samples clips, each window beginning with the last frames of the one before.

    Args:
        model: In eval mode, on the CPU.
        given: Conditions of the whole clips; `observed` may hold a pose track.
        window: Latent frames of a window.
        prefix: Motion frames among them.
        steps: Solver steps.
        generator: Source of the noise; None = zeros, for a network that regresses.
        guidance: On the sound, constant over the steps; 1 = off.

    Returns:
        `B C T`; observed entries as given.
    """
    shape = given.observed.shape
    done = torch.zeros(*shape[:2], 0)
    while done.shape[2] < shape[2]:
        kept = min(prefix, done.shape[2])
        start = done.shape[2] - kept
        part = _window(given, start, min(start + window, shape[2]), done[:, :, start:])
        size = part.observed.shape
        noise = torch.zeros(size) if generator is None else initial_noise(size, generator)

        field = guided(model.bound, part, Guidance(audio=guidance, text=1.0, anneal=0.0))
        latents = integrate(field, noise, times(steps), part.observed, part.observed_mask)
        done = torch.cat([done, latents[:, :, kept:]], dim=2)
    return done


def with_pose(given: ConditionBatch, takes: Tensor, groups: Sequence[str]) -> ConditionBatch:
    """The same conditions with the given groups of the takes `B C T` as a pose track over the whole clip."""
    mask = torch.zeros_like(takes)
    for group in groups:
        mask[:, group_indices(group)] = 1.0
    return replace(given, observed=takes * mask, observed_mask=mask)


def _window(given: ConditionBatch, start: int, stop: int, before: Tensor) -> ConditionBatch:
    """Conditions of the frames `start .. stop - 1`, the first of which are known from the window before."""
    observed, mask = given.observed[:, :, start:stop].clone(), given.observed_mask[:, :, start:stop].clone()
    observed[:, :, : before.shape[2]] = before
    mask[:, :, : before.shape[2]] = 1.0
    return replace(stretch(given, start, stop), observed=observed, observed_mask=mask)
