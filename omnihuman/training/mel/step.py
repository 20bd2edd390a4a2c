"""The loss of the mel front end: hear what the phonetic network hears, and know what is said. No data, no optimiser.

Distillation (Hinton et al. 2015, arXiv 1503.02531) in two forms: divergence, which the likely phones decide, and
distance of the log posteriors as the transformer reads them, which the unlikely ones decide as well.
Legend: B windows, N rows, W width.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from omnihuman.config import StrictModel
from omnihuman.speech.inventory import PHONES
from omnihuman.speech.mel_network import MelNetwork
from omnihuman.training.mel.windows import MelBatch

_LOG_HALF_RANGE = 8.0
"""Natural logs of -16..0 are what the audio condition keeps; here they span -1..1 as there."""


class MelLossSettings(StrictModel):
    """What counts how much.

    Attributes:
        distance: Weight of the squared distance of scaled log posteriors, summed over the columns.
        phones: Weight of the cross-entropy of the phones that are said, told by a head of its own.
    """

    distance: float = Field(0.1, ge=0.0)
    phones: float = Field(0.5, ge=0.0)


class Student(nn.Module):
    """The network with the head that only training needs: phones as they are said, without blanks."""

    def __init__(self, network: MelNetwork) -> None:
        super().__init__()
        self.network = network
        self.said = nn.Linear(network.width, len(PHONES))

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Log posteriors ``B N 42`` and log probabilities of what is said ``B N 40``."""
        hidden = self.network.hidden(features)
        return self.network.told(hidden), torch.log_softmax(self.said(hidden).float(), dim=-1)


def mel_step(student: Student, batch: MelBatch, settings: MelLossSettings) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of one batch.

    Args:
        student: Network and head.
        batch: Features and targets.
        settings: Weights.

    Returns:
        The loss, and its parts unweighted.
    """
    told, said = student(batch.features)
    divergence = (batch.posteriors.exp() * (batch.posteriors - told)).sum(-1)
    distance = ((told - batch.posteriors) / _LOG_HALF_RANGE).square().sum(-1)
    phones = functional.nll_loss(said.transpose(1, 2), batch.phones, reduction="none")
    parts = {"divergence": divergence, "distance": distance, "phones": phones}
    means = {name: value.mean() for name, value in parts.items()}
    loss = means["divergence"] + settings.distance * means["distance"] + settings.phones * means["phones"]
    return loss, means
