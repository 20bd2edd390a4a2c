"""Many speakers from one voice: pitch, pitch range, vocal-tract length, breathiness and pace. Holds no network.

Works on the five spectra that the built-in voice predicts before they become a waveform, so that phone times stay
exact. Source: Jaitly and Hinton 2013 (vocal-tract length perturbation), applied at synthesis.

Legend: K frequency bins, F synthesis frames.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnihuman.types import Float

VOICED_HZ = 40.0
"""Pitch below this means an unvoiced frame (the voice's own convention)."""


@dataclass(frozen=True)
class SpeakerWarp:
    """How a made-up speaker differs from the voice's own.

    Attributes:
        f0_scale: Mean pitch, 0.35..1.4 times the original.
        formant_scale: Formant frequencies, 0.70..1.15 times; below 1 = longer vocal tract.
        rate: Pace, 0.5..2.0.
        f0_range: Spread of the pitch contour about its mean, 0.3..1.6; low = monotonous.
        breath_db: Gain of the noise part, -12..12 dB.
    """

    f0_scale: float = 1.0
    formant_scale: float = 1.0
    rate: float = 1.0
    f0_range: float = 1.0
    breath_db: float = 0.0


def random_warp(rng: np.random.Generator) -> SpeakerWarp:
    """A plausible adult or child: pitch and vocal tract go together, with some freedom."""
    size = rng.uniform(-1.0, 1.0)
    return SpeakerWarp(
        f0_scale=float(np.clip(0.76 * 2.0 ** (-0.75 * size + rng.normal(0.0, 0.12)), 0.4, 1.3)),
        formant_scale=float(np.clip(0.92 - 0.13 * size + rng.normal(0.0, 0.04), 0.72, 1.12)),
        rate=float(np.clip(2.0 ** rng.normal(0.0, 0.25), 0.7, 1.5)),
        f0_range=float(np.clip(2.0 ** rng.normal(0.0, 0.4), 0.4, 1.6)),
        breath_db=float(rng.normal(0.0, 4.0)),
    )


def stretch_spectrum(spectrum: Float, scale: float) -> Float:
    """Moves what lies at frequency f to ``scale * f``, for every frame.

    Args:
        spectrum: `K F`, any quantity over frequency.
        scale: 1 = unchanged.

    Returns:
        `K F` float32; bins whose source lies above the highest bin repeat it.
    """
    if scale == 1.0:
        return spectrum
    bins = len(spectrum)
    source = np.minimum(np.arange(bins) / scale, bins - 1.0)
    low = np.minimum(source.astype(np.int64), bins - 2)
    weight = (source - low).astype(np.float32)[:, None]
    stretched: Float = spectrum[low] * (1.0 - weight) + spectrum[low + 1] * weight
    return stretched


def warp_pitch(f0_hz: Float, warp: SpeakerWarp) -> Float:
    """Pitch contour `F` in Hz of the warped speaker; unvoiced frames stay as they are."""
    voiced = f0_hz > VOICED_HZ
    if not voiced.any():
        return f0_hz
    log_f0 = np.log(np.maximum(f0_hz, VOICED_HZ))
    mean = log_f0[voiced].mean()
    moved = np.exp(mean + warp.f0_range * (log_f0 - mean)) * warp.f0_scale
    return np.where(voiced, np.maximum(moved, VOICED_HZ + 5.0), f0_hz).astype(np.float32)
