"""Log-mel features without level and channel: what the mel front end hears of a sound, 100 frames per second.

Each band is brought to mean 0 and spread 1 over the speech of a few seconds around it, so that microphones, voices and
loudness matter little. The same functions serve training, whose augmentation warps the bank of bands.

Legend: B batch, S samples at 16 kHz, T frames of 10 ms (frame t is centred on sample 160 t), F frequencies, M bands.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from omnihuman.speech.clock import ANALYSIS_RATE_HZ

FRAME_SAMPLES = 160
"""Samples from one frame to the next."""
BANDS = 40
SPECTRUM_SAMPLES = 512
"""Length of the transform."""
_WINDOW_SAMPLES = 400
_LOWEST_HZ = 60.0
_HIGHEST_HZ = 7600.0
_EMPHASIS = 0.97
"""First difference: speech falls by 6 dB per octave, and the floor shall lie equally deep under every band."""

FLOOR = 2e-7
"""Power density added to every band; speech at the nominal level of `level.py` lies 20 to 45 dB above it."""
_NATS_TO_ACTIVE = 5.0
_LEAST_ACTIVITY = 0.02
"""How far above the floor a frame counts in full for mean and spread, and what silence counts."""
HALF_SPAN = 200
"""Frames to either side over which a band is normalised: 2 s."""
_LEAST_SPREAD = 0.6
"""Spread in nats under which a band holds nothing, as above the limit of a telephone."""
_LARGEST = 5.0


def band_edges_hz() -> Tensor:
    """Edges of the bands, equally spaced in mel, ``M + 2`` Hz: band m rises from edge m to m + 1 and falls to m + 2."""
    low, high = (1127.0 * math.log1p(hz / 700.0) for hz in (_LOWEST_HZ, _HIGHEST_HZ))
    return 700.0 * torch.expm1(torch.linspace(low, high, BANDS + 2) / 1127.0)


def mel_bank(edges_hz: Tensor) -> Tensor:
    """Triangular bands with unit sum, emphasis included.

    Args:
        edges_hz: ``... M+2`` ascending.

    Returns:
        ``... F M``.
    """
    frequency = torch.arange(SPECTRUM_SAMPLES // 2 + 1) * (ANALYSIS_RATE_HZ / SPECTRUM_SAMPLES)
    low, middle, high = (edges_hz[..., None, k : k + BANDS] for k in range(3))
    bins = frequency[:, None]
    bank = torch.minimum((bins - low) / (middle - low), (high - bins) / (high - middle)).clamp_min(0.0)
    bank = bank / bank.sum(-2, keepdim=True).clamp_min(1e-6)
    angle = 2.0 * math.pi * bins / ANALYSIS_RATE_HZ
    return bank * (1.0 + _EMPHASIS**2 - 2.0 * _EMPHASIS * torch.cos(angle))


def power_spectra(samples: Tensor) -> Tensor:
    """Spectra of samples that are already padded by half a transform on both sides.

    Args:
        samples: ``B S`` with S = 160 (T - 1) + 512.

    Returns:
        ``B T F`` mean power density.
    """
    window = functional.pad(torch.hann_window(_WINDOW_SAMPLES), [(SPECTRUM_SAMPLES - _WINDOW_SAMPLES) // 2] * 2)
    frames = samples.unfold(-1, SPECTRUM_SAMPLES, FRAME_SAMPLES) * window
    spectrum = torch.fft.rfft(frames)
    return (spectrum.real.square() + spectrum.imag.square()) / window.square().sum()


def log_bands(power: Tensor) -> Tensor:
    """Band powers to nats above the floor, 0 and more."""
    return torch.log1p(power / FLOOR)


def normalised(bands: Tensor) -> Tensor:
    """Mean 0 and spread 1 per band over the speech around each frame.

    Args:
        bands: ``B T M`` nats above the floor.

    Returns:
        ``B T M``, bounded; a band that holds nothing is near 0.
    """
    exact = bands.double()
    activity = (exact.mean(-1, keepdim=True) / _NATS_TO_ACTIVE).clamp(_LEAST_ACTIVITY, 1.0)
    weight = _sliding_sum(activity)
    mean = _sliding_sum(activity * exact) / weight
    variance = _sliding_sum(activity * exact.square()) / weight - mean.square()
    spread = variance.clamp_min(_LEAST_SPREAD**2).sqrt()
    return ((exact - mean) / spread).clamp(-_LARGEST, _LARGEST).float()


def _sliding_sum(values: Tensor) -> Tensor:
    """Sum over the span around each frame, ``B T M``; the span ends where the sound does."""
    frames = values.shape[1]
    total = functional.pad(values.cumsum(1), (0, 0, 1, 0))
    index = np.arange(frames)
    ends = torch.from_numpy(np.minimum(index + HALF_SPAN + 1, frames))
    starts = torch.from_numpy(np.maximum(index - HALF_SPAN, 0))
    return total[:, ends] - total[:, starts]
