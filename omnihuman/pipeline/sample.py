"""Noise -> latents of a whole clip, window after window. Knows a space's clock, not what its latents mean.

OmniHuman-1 section 3.3: guidance acts on sound and text; reference, motion frames and pose stay in every branch.
Legend: C channels, T latent frames.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from omnihuman.conditions.bundle import Tracks, window_batch
from omnihuman.denoisers.base import Denoiser
from omnihuman.errors import ModelError
from omnihuman.flow.guidance import Guidance, guided
from omnihuman.flow.schedule import times
from omnihuman.flow.solver import Velocity, initial_noise, integrate
from omnihuman.pipeline.preset import SamplerSettings
from omnihuman.pipeline.windows import Window
from omnihuman.types import LatentSpec


@torch.inference_mode()
def sample_latents(
    denoiser: Denoiser,
    spec: LatentSpec,
    tracks: Tracks,
    windows: Iterable[Window],
    sampler: SamplerSettings,
    generator: torch.Generator,
    on_step: Callable[[], None] = lambda: None,
) -> Tensor:
    """Samples every window, each beginning with the last frames of the one before.

    Args:
        denoiser: Velocity network with the same spec.
        spec: Channels and clock.
        tracks: Conditions of the whole clip, in seconds.
        windows: The plan, in order (`windows.plan`).
        sampler: Steps, guidance, schedule.
        generator: CPU generator; the same seed gives the same latents.
        on_step: Called after each denoising step; may raise to stop.

    Returns:
        `1 C T`, on the CPU.

    Raises:
        ModelError: weights_unfit, when denoiser and space do not share a spec.
    """
    if denoiser.spec != spec:
        cause = f"the denoiser was trained for {denoiser.spec}, the space is {spec}"
        raise ModelError("weights_unfit", cause, "Use the denoiser that the preset names.")
    schedule = times(sampler.steps, sampler.schedule_shift)
    guidance = Guidance(sampler.guidance_audio, sampler.guidance_text, sampler.guidance_anneal, sampler.guidance_form)
    device = next(iter(denoiser.parameters())).device  # type: ignore[attr-defined]
    done = ahead = torch.zeros(1, spec.channels, 0)
    for window in windows:
        prefix = done[:, :, window.start :] if window.keep_from > window.start else None
        length = window.stop - window.start
        batch = window_batch(tracks, spec, window.start, length, prefix).to(device)
        noise = initial_noise((1, spec.channels, length), generator).to(device)
        field = _told(guided(denoiser.bound, batch, guidance), on_step)
        latents = integrate(field, noise, schedule, batch.observed, batch.observed_mask).cpu()
        new = crossfade(ahead, latents[:, :, window.keep_from - window.start :])
        num_kept = window.keep_to - window.keep_from
        done, ahead = torch.cat([done, new[:, :, :num_kept]], dim=2), new[:, :, num_kept:]
    return done


def _told(field: Velocity, on_step: Callable[[], None]) -> Velocity:
    """The same field, which tells each time it was asked: once a step, for the steps are Euler's."""

    def asked(x: Tensor, t: Tensor) -> Tensor:
        velocity = field(x, t)
        on_step()
        return velocity

    return asked


def crossfade(ahead: Tensor, new: Tensor) -> Tensor:
    """What one window saw ahead, faded into what the next one makes of the same frames.

    Both heard the same sound, so lips agree and survive the blend; head and body, which are free, glide from one take
    to the other instead of jumping.

    Args:
        ahead: `1 C K` the look-ahead of the window before; K may be 0.
        new: `1 C T` the new frames, T >= K.
    """
    num_faded = ahead.shape[2]
    share = torch.arange(1, num_faded + 1) / (num_faded + 1)
    share = share * share * (3 - 2 * share)
    faded = (1 - share) * ahead + share * new[:, :, :num_faded]
    return torch.cat([faded, new[:, :, num_faded:]], dim=2)
