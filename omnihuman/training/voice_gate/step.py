"""The loss of the judge of the voice gate: what a mistake on each class costs. No data, no optimiser.

Legend: B windows, N rows.
"""

from __future__ import annotations

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from omnihuman.config import StrictModel
from omnihuman.speech.voice_activity_judge import CLASSES, VoiceJudge
from omnihuman.training.voice_gate.data import IGNORED
from omnihuman.training.voice_gate.windows import VoiceGateBatch


class JudgeLossSettings(StrictModel):
    """Cost of a mistake on each of the classes."""

    none: float = Field(1.0, ge=0.0)
    speech: float = Field(1.5, ge=0.0)
    singing: float = Field(1.2, ge=0.0)


def judge_step(
    judge: VoiceJudge, batch: VoiceGateBatch, settings: JudgeLossSettings
) -> tuple[Tensor, dict[str, Tensor]]:
    """Loss of one batch.

    Args:
        judge: The network.
        batch: Features and labels.
        settings: Weights.

    Returns:
        The weighted mean cross-entropy of the rows with a label, and the plain mean of each class; 0 where a batch has
        none of them.
    """
    logits = judge(batch.features).float().transpose(1, 2)
    costs = functional.cross_entropy(logits, batch.labels, reduction="none", ignore_index=IGNORED)
    counts = torch.stack([(batch.labels == index).sum() for index in range(len(CLASSES))])
    sums = torch.stack([costs[batch.labels == index].sum() for index in range(len(CLASSES))])
    weights = costs.new_tensor([getattr(settings, name) for name in CLASSES])
    loss = (weights * sums).sum() / (weights * counts).sum().clamp(min=1e-6)
    return loss, dict(zip(CLASSES, sums.detach() / counts.clamp(min=1), strict=True))
