"""Tracks in seconds -> one `ConditionBatch` on the latent clock of a window. The only resampling of conditions.

Legend: C channels of the space, T latent frames, D width of an audio row, R width of the reference.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.audio import AUDIO_WIDTH
from omnihuman.conditions.base import AUDIO_ROWS_PER_LATENT, ConditionBatch, ConditionWidths
from omnihuman.conditions.pose import pose_rows
from omnihuman.conditions.reference import REFERENCE_WIDTH
from omnihuman.conditions.sentence import TEXT_WIDTH
from omnihuman.conditions.text import text_rows
from omnihuman.types import ConditionTrack, Float, LatentSpec

WIDTHS = ConditionWidths(TEXT_WIDTH, REFERENCE_WIDTH, AUDIO_WIDTH)
"""What this project's conditioners give."""


@dataclass(frozen=True)
class Tracks:
    """All conditions of one request; an absent one is None.

    Attributes:
        reference: `1 R` values without time.
        audio: `N D` values at `times_s`.
        pose: `N C` latents of the space with a mask, at `times_s`.
        text: `N E` embeddings with a mask, each row from its `times_s` on.
    """

    reference: ConditionTrack | None
    audio: ConditionTrack | None
    pose: ConditionTrack | None = None
    text: ConditionTrack | None = None


def audio_rows(track: ConditionTrack, start_s: float, num_rows: int, rate_hz: float) -> Float:
    """Linear resampling of a track onto rows at `start_s`, `start_s + 1 / rate_hz`, ...

    Of the two rows of a 25 fps latent the first lies on its start and the second on its centre; features that come
    at the same rate are taken over unblurred.

    Returns:
        `num_rows D` float32; beyond the ends of the track its first or last row is held.
    """
    times_s = start_s + np.arange(num_rows) / rate_hz
    position = np.interp(times_s, track.times_s, np.arange(len(track.times_s), dtype=np.float64))
    low = np.floor(position).astype(np.intp)
    high = np.minimum(low + 1, len(track.values) - 1)
    share = (position - low)[:, None].astype(np.float32)
    return np.asarray(track.values[low] * (1 - share) + track.values[high] * share, np.float32)


def pose_window(track: ConditionTrack | None, spec: LatentSpec, start: int, num_latents: int) -> tuple[Tensor, Tensor]:
    """Observed latents and their mask, both `1 C T`, of the latents `start .. start + num_latents - 1`."""
    if track is None:
        nothing = torch.zeros(1, spec.channels, num_latents)
        return nothing, nothing.clone()
    values, mask = pose_rows(track, spec.times_s(num_latents, start))
    return torch.from_numpy(values.T[None].copy()), torch.from_numpy(mask.T[None].copy())


def window_batch(
    tracks: Tracks,
    spec: LatentSpec,
    start: int,
    num_latents: int,
    prefix: Tensor | None,
    widths: ConditionWidths = WIDTHS,
) -> ConditionBatch:
    """Conditions of the window of latents `start .. start + num_latents - 1`, batch of one.

    Args:
        tracks: The request's conditions.
        spec: Channels and clock of the space.
        start: First latent frame of the window.
        num_latents: T.
        prefix: `1 C K` motion frames, already generated, that the window begins with; None for the first window.
        widths: So that an absent condition still has its shape.
    """
    observed, mask = pose_window(tracks.pose, spec, start, num_latents)
    if prefix is not None:
        observed[:, :, : prefix.shape[2]] = prefix
        mask[:, :, : prefix.shape[2]] = 1.0
    batch = ConditionBatch.absent(1, spec.channels, num_latents, widths)
    batch = replace(batch, observed=observed, observed_mask=mask)
    if tracks.text is not None:
        values, present = text_rows(tracks.text, spec.times_s(num_latents, start))
        batch = replace(batch, text=torch.from_numpy(values)[None], text_present=torch.from_numpy(present)[None])
    if tracks.reference is not None:
        reference = torch.from_numpy(np.ascontiguousarray(tracks.reference.values))
        batch = replace(batch, reference=reference, reference_present=torch.ones(1))
    if tracks.audio is not None:
        rate_hz = AUDIO_ROWS_PER_LATENT * spec.fps
        audio = audio_rows(tracks.audio, start / spec.fps, AUDIO_ROWS_PER_LATENT * num_latents, rate_hz)
        batch = replace(batch, audio=torch.from_numpy(audio)[None], audio_present=torch.ones(1))
    return batch
