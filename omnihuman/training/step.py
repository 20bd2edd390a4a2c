"""One training step as a pure function: batch -> loss and its parts. No optimiser, no data, no clock.

Legend: B batch, C channels, T frames. Flow matching with a data-space loss (the transformer predicts x_0), weighted
1 / (t + b): OmniHuman-1 section 3.1 for the path; weights and the difference term are ours. The objective `regression`
is the baseline of the same size.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.flow import path
from omnihuman.latents.motion.parameters import group_indices
from omnihuman.training.settings import LossSettings


class TrainableDenoiser(Protocol):
    """A denoiser that also tells its audio encoder's direct guess."""

    def velocity_and_regression(self, latents: Tensor, t: Tensor, conditions: ConditionBatch) -> tuple[Tensor, Tensor]:
        """Noisy latents `B C T`, t `B` -> velocity and regression, both `B C T`."""
        ...


def stratified_times(batch: int, generator: torch.Generator) -> Tensor:
    """Uniform t in 0..1, one per equal slice of the interval: the same law, less noise in the loss."""
    slices = (torch.arange(batch) + torch.rand(batch, generator=generator)) / batch
    return slices[torch.randperm(batch, generator=generator)]


def step(
    model: TrainableDenoiser,
    latents: Tensor,
    conditions: ConditionBatch,
    loss_weight: Tensor,
    settings: LossSettings,
    generator: torch.Generator,
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of one batch.

    Args:
        model: The denoiser.
        latents: Clean `B C T`.
        conditions: Already mixed; observed entries carry no loss.
        loss_weight: `B C T` of the data, importance of each value.
        settings: Weights of the terms.
        generator: Times and noise, on the CPU.

    Returns:
        The scalar loss and its detached parts: data, velocity, regression.
    """
    noise, t = _starts(latents, settings, generator)
    known = conditions.observed_mask
    noisy = torch.where(known > 0.5, latents, path.interpolate(latents, noise, t))
    predicted, regressed = model.velocity_and_regression(noisy, t, conditions)
    data = torch.where(known > 0.5, latents, path.data_from_velocity(noisy, predicted, t))
    weight = loss_weight / (t + settings.time_bias)[:, None, None]
    parts = {
        "data": _weighted(data - latents, weight * (1 - known), weight),
        "velocity": _weighted((data - latents).diff(dim=-1), weight[..., 1:], weight[..., 1:]),
        "regression": _regression(regressed - latents, loss_weight, conditions),
    }
    total = parts["data"] + settings.velocity * parts["velocity"] + settings.regression * parts["regression"]
    return total, {name: value.detach() for name, value in parts.items()}


def _starts(latents: Tensor, settings: LossSettings, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Noise `B C T` and times `B`; zeros at t = 1 where the data is asked for at once."""
    if settings.objective == "regression":
        return torch.zeros_like(latents), torch.ones(len(latents), device=latents.device)
    noise, t = torch.randn(latents.shape, generator=generator), stratified_times(len(latents), generator)
    return noise.to(latents.device), t.to(latents.device)


def _regression(error: Tensor, loss_weight: Tensor, conditions: ConditionBatch) -> Tensor:
    """Error of the direct guess on the mouth, where there is sound."""
    mouth = group_indices("mouth")
    weight = loss_weight[:, mouth] * conditions.audio_present[:, None, None]
    return _weighted(error[:, mouth], weight, weight)


def _weighted(error: Tensor, weight: Tensor, norm: Tensor) -> Tensor:
    """Weighted mean square; 0 when nothing counts."""
    return (weight * error.square()).sum() / norm.sum().clamp(min=1e-6)
