"""Exponential moving average of a network's parameters: the weights that are exported. No schedule of its own.

The decay is warmed up as (1 + n) / (10 + n), so that early exports are not the initial noise.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn


class MovingAverage:
    """Average of a module's parameters over its updates.

    Args:
        model: The module to follow; its parameters are copied now.
        decay: Share of the old average that one update keeps, once warmed up.
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.tensors: dict[str, Tensor] = {k: v.detach().clone() for k, v in model.state_dict().items()}

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Moves the average towards the present parameters."""
        self.updates += 1
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        now = model.state_dict()
        torch._foreach_lerp_(list(self.tensors.values()), [now[name] for name in self.tensors], share)

    @torch.no_grad()
    def restore(self, tensors: Mapping[str, Tensor], updates: int) -> None:
        """Takes over a saved average; names must be the same."""
        assert tensors.keys() == self.tensors.keys()
        for name, value in tensors.items():
            self.tensors[name].copy_(value)
        self.updates = updates
