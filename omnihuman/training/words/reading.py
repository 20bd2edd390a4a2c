"""Before the windows: the text encoder learns on captions alone which styles a sentence asks for.

A window tells the network of one caption, and what it asks for is seen only near the noise: left and right, which
differ little in a sentence embedding, would take more windows than a training has. Captions cost next to nothing. The
head that names the styles is thrown away. Legend: B captions, E embedding, S styles.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from omnihuman.config import StrictModel
from omnihuman.training.words.phrasebook import Phrasebook


class ReadingSettings(StrictModel):
    """How long the text encoder reads captions before the training; 0 steps = not at all."""

    steps: int = Field(0, ge=0)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(1.5e-3, gt=0.0)
    noise: float = Field(0.25, ge=0.0)


def learn_to_read(
    encode: Callable[[Tensor], Tensor], encoder: nn.Module, book: Phrasebook, settings: ReadingSettings, seed: int
) -> float:
    """Trains an encoder in place on what captions ask for.

    Args:
        encode: Embeddings `B E` -> what the network reads of them, `B D`; runs through `encoder`.
        encoder: Its weights.
        book: The captions.
        settings: How long.
        seed: Of all chance; the same seed gives the same weights.

    Returns:
        Mean square error of the last tenth of the steps, over that of saying nothing: 1 = nothing learnt.
    """
    wanted = _wanted(book)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        width = encode(torch.zeros(1, book.embeddings.shape[1])).shape[-1]
        head = nn.Linear(width, wanted.shape[1])
    optimizer = torch.optim.AdamW([*encoder.parameters(), *head.parameters()], settings.learning_rate)
    rng = np.random.default_rng(seed)
    lost: list[float] = []
    for step in range(settings.steps):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * 0.5 * (1 + math.cos(math.pi * step / settings.steps))
        numbers = rng.integers(len(book.captions), size=settings.batch_size)
        rows = np.stack([book.embedding(int(number), settings.noise, rng) for number in numbers])
        target = wanted[torch.from_numpy(numbers)]
        loss = functional.mse_loss(head(encode(torch.from_numpy(rows))), target) / wanted.square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        lost.append(float(loss.detach()))
    return float(np.mean(lost[-max(1, len(lost) // 10) :])) if lost else 1.0


def _wanted(book: Phrasebook) -> Tensor:
    """`captions S`: how strongly each asks for each style, 0 = not."""
    names = sorted({name for caption in book.captions for name in caption.styles})
    wanted = torch.zeros(len(book.captions), len(names))
    for row, caption in enumerate(book.captions):
        for name in caption.styles:
            wanted[row, names.index(name)] = caption.strength
    return wanted
