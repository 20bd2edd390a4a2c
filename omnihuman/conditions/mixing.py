"""Omni-condition mixing: the one meaning of "absent", used by training drop-out and by guidance alike.

A condition is absent when its present flag is 0; the denoiser then reads its own learned null in place of the
values, so the values themselves never leak; the text has such a flag for every frame. Pose and motion frames are
absent where their mask is 0. Both are observed latents: the motion frames are the first frames of a window of which
every channel is known, the pose is the rest.
Paper: OmniHuman-1 section 3.2 (ratios per condition, the stronger the lower).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.types import ConditionKind


def without(batch: ConditionBatch, kinds: Iterable[ConditionKind]) -> ConditionBatch:
    """The same batch with some kinds absent.

    Args:
        batch: Conditions of a batch.
        kinds: Which to switch off. `pose` leaves the motion frames.

    Returns:
        A new batch; the given one is untouched.

    Raises:
        ValueError: a kind that this batch does not carry.
    """
    for kind in kinds:
        if kind == "text":
            batch = replace(batch, text_present=batch.text_present * 0)
        elif kind == "reference":
            batch = replace(batch, reference_present=batch.reference_present * 0)
        elif kind == "audio":
            batch = replace(batch, audio_present=batch.audio_present * 0)
        elif kind == "pose":
            kept = motion_frames(batch.observed_mask)
            batch = replace(batch, observed=batch.observed * kept, observed_mask=batch.observed_mask * kept)
        else:
            raise ValueError(f"a batch carries no condition of kind {kind!r}")
    return batch


def stacked(batches: Sequence[ConditionBatch]) -> ConditionBatch:
    """Several batches of the same shape as one, item after item."""
    names = [field.name for field in fields(ConditionBatch)]
    return ConditionBatch(**{name: torch.cat([getattr(batch, name) for batch in batches]) for name in names})


def motion_frames(observed_mask: Tensor) -> Tensor:
    """`B 1 T`: 1 on the motion frames that a mask `B C T` begins with. A pose track is partial, so it has none."""
    return observed_mask.amin(dim=1, keepdim=True).cumprod(dim=2)
