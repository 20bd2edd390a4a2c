"""Voices and microphones that the recordings lack, made on the spot: spectra of a batch -> spoilt features.

Vocal-tract length (Jaitly and Hinton 2013), uneven formant shifts, equalisation, noise, band limits, smearing, level,
masks (SpecAugment, arXiv 1904.08779). Frequencies move while the bands are summed up, so nothing is blurred twice.

Legend: B batch, T frames of 10 ms, F frequencies, M bands, E = M + 2 band edges.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from omnihuman.config import StrictModel
from omnihuman.speech.clock import ANALYSIS_RATE_HZ
from omnihuman.speech.mel_features import BANDS, band_edges_hz, log_bands, mel_bank, normalised

_HIGHEST_HZ = ANALYSIS_RATE_HZ / 2
_CURVE_WAVES = 4


class AugmentSettings(StrictModel):
    """How strongly, and how often, the features of training differ from the stored recordings.

    Attributes:
        tract: Range of the factor on all frequencies.
        formant_shift: Largest further shift of single regions of frequency, as share.
        curve_db: Spread of the equaliser curve.
        noise_share: Added noise.
        snr_db: Range of the signal-to-noise ratio.
        narrow_share: Share of windows with an upper limit of frequency.
        band_hz: Range of that limit.
        thin_share: Share of windows with a lower limit of frequency.
        thin_hz: Range of that limit.
        smear_share: Spectra blurred over neighbouring frames, as by a fast speaker or a small room.
        flicker_nats: Largest spread of independent errors of band and frame.
        gain_db: Largest change of level.
        mask_frames: Longest stretch of frames that is blanked out.
        mask_bands: Largest number of neighbouring bands that is blanked out.
    """

    tract: tuple[float, float] = (0.82, 1.2)
    formant_shift: float = 0.06
    curve_db: float = 4.0
    noise_share: float = 0.5
    snr_db: tuple[float, float] = (5.0, 40.0)
    narrow_share: float = 0.3
    band_hz: tuple[float, float] = (3200.0, 7000.0)
    thin_share: float = 0.2
    thin_hz: tuple[float, float] = (100.0, 400.0)
    smear_share: float = 0.3
    flicker_nats: float = 0.4
    gain_db: float = 8.0
    mask_frames: int = 12
    mask_bands: int = 6


class Augmenter:
    """Draws a condition for every window of a batch.

    Args:
        settings: How strongly.
    """

    def __init__(self, settings: AugmentSettings) -> None:
        self._settings = settings
        self._edges_hz = band_edges_hz()

    def features(self, power: Tensor, generator: torch.Generator) -> Tensor:
        """Spoilt features.

        Args:
            power: ``B T F`` power density, speech at the nominal level.
            generator: Source of chance.

        Returns:
            ``B T M``.
        """
        batch = len(power)
        edges_hz = self._warped_edges(batch, generator)
        bands = torch.bmm(power, mel_bank(edges_hz))
        bands = self._smeared(bands, generator)
        bands = bands * _power_ratio(self._curve(batch, generator))
        bands = self._noisy(bands, generator)
        bands = bands * self._pass_gains(batch, generator)
        bands = bands * _power_ratio(_uniform((batch, 1, 1), (-1.0, 1.0), generator) * self._settings.gain_db)
        return self._masked(normalised(self._flickering(log_bands(bands), generator)), generator)

    def _warped_edges(self, batch: int, generator: torch.Generator) -> Tensor:
        """Edges from which the bands of each window take their power, ``B E``: a longer tract speaks lower."""
        settings = self._settings
        factor = _uniform((batch, 1), settings.tract, generator)
        shift = settings.formant_shift * _smooth_curves(batch, len(self._edges_hz), generator)
        edges = self._edges_hz * factor * (1.0 + shift)
        rising = edges.cummax(1).values + torch.arange(edges.shape[1]) * 1e-2
        # What would lie over the highest frequency is squeezed under it.
        knee = 0.85 * _HIGHEST_HZ
        over = (rising - knee).clamp_min(0.0)
        top = over.amax(1, keepdim=True)
        room = torch.minimum(top, torch.tensor(_HIGHEST_HZ - knee))
        return rising - over + over * room / top.clamp_min(1e-6)

    def _curve(self, batch: int, generator: torch.Generator) -> Tensor:
        """Equaliser in dB, ``B 1 M``."""
        return self._settings.curve_db * _smooth_curves(batch, BANDS, generator)[:, None]

    def _smeared(self, bands: Tensor, generator: torch.Generator) -> Tensor:
        chosen = _chosen(len(bands), self._settings.smear_share, generator)
        side = 0.25 * _uniform((len(bands), 1, 1), (0.3, 1.2), generator) * chosen
        earlier = torch.cat([bands[:, :1], bands[:, :-1]], 1)
        later = torch.cat([bands[:, 1:], bands[:, -1:]], 1)
        return (1.0 - 2.0 * side) * bands + side * (earlier + later)

    def _noisy(self, bands: Tensor, generator: torch.Generator) -> Tensor:
        """Adds steady or slowly swelling noise of a random colour."""
        batch, frames, _ = bands.shape
        speech = bands.mean((1, 2), keepdim=True)
        snr_db = _uniform((batch, 1, 1), self._settings.snr_db, generator)
        colour = _power_ratio(6.0 * _smooth_curves(batch, BANDS, generator)[:, None])
        colour = colour / colour.mean(-1, keepdim=True)
        swell = _power_ratio(4.0 * _smooth_curves(batch, frames, generator)[..., None])
        swell = torch.where(torch.rand((batch, 1, 1), generator=generator) < 0.5, swell, torch.ones(()))
        # The power of noise in a band of a frame is the mean of a few squared normal numbers.
        grain = torch.randn((3, *bands.shape), generator=generator).square().mean(0)
        chosen = _chosen(batch, self._settings.noise_share, generator)
        return bands + chosen * speech * _power_ratio(-snr_db) * colour * swell * grain

    def _pass_gains(self, batch: int, generator: torch.Generator) -> Tensor:
        """Gains of band limits, ``B 1 M``."""
        settings = self._settings
        centres = self._edges_hz[1:-1]
        limit = _log_uniform((batch, 1, 1), settings.band_hz, generator)
        above = 1.0 / (1.0 + (centres / limit) ** 16)
        start = _log_uniform((batch, 1, 1), settings.thin_hz, generator)
        below = 1.0 / (1.0 + (start / centres) ** 8)
        narrow = _chosen(batch, settings.narrow_share, generator)
        thin = _chosen(batch, settings.thin_share, generator)
        return (1.0 - narrow + narrow * above) * (1.0 - thin + thin * below)

    def _flickering(self, nats: Tensor, generator: torch.Generator) -> Tensor:
        spread = self._settings.flicker_nats * torch.rand((len(nats), 1, 1), generator=generator).square()
        return (nats + spread * torch.randn(nats.shape, generator=generator)).clamp_min(0.0)

    def _masked(self, features: Tensor, generator: torch.Generator) -> Tensor:
        """Blanks one stretch of frames and one of bands."""
        batch, frames, bands = features.shape
        for axis, size, longest in ((1, frames, self._settings.mask_frames), (2, bands, self._settings.mask_bands)):
            length = _uniform((batch, 1), (0.0, longest + 1.0), generator).floor()
            start = (torch.rand((batch, 1), generator=generator) * (size - length)).floor()
            index = torch.arange(size)
            hidden = (index >= start) & (index < start + length)
            features = features.masked_fill(hidden[:, :, None] if axis == 1 else hidden[:, None, :], 0.0)
        return features


def _uniform(shape: tuple[int, ...], span: tuple[float, float], generator: torch.Generator) -> Tensor:
    return span[0] + (span[1] - span[0]) * torch.rand(shape, generator=generator)


def _log_uniform(shape: tuple[int, ...], span: tuple[float, float], generator: torch.Generator) -> Tensor:
    return _uniform(shape, (math.log(span[0]), math.log(span[1])), generator).exp()


def _chosen(batch: int, share: float, generator: torch.Generator) -> Tensor:
    """1 for the chosen windows, else 0, ``B 1 1``."""
    return (torch.rand((batch, 1, 1), generator=generator) < share).float()


def _power_ratio(db: Tensor) -> Tensor:
    return torch.pow(10.0, db / 10.0)


def _smooth_curves(batch: int, length: int, generator: torch.Generator) -> Tensor:
    """Random smooth functions ``B length`` of about unit spread: a few slow cosines."""
    at = torch.arange(length) / max(length - 1, 1)
    waves = torch.arange(1, _CURVE_WAVES + 1)[:, None]
    size = torch.randn((batch, _CURVE_WAVES), generator=generator) / waves[:, 0].sqrt()
    phase = _uniform((batch, _CURVE_WAVES, 1), (0.0, 2.0 * math.pi), generator)
    curves = torch.cos(math.pi * waves * at + phase)
    return (size[..., None] * curves).sum(1)
