from __future__ import annotations

import pytest
import torch

from omnihuman.speech.mel_features import BANDS, SPECTRUM_SAMPLES, band_edges_hz, log_bands, mel_bank, normalised
from omnihuman.training.mel.augment import Augmenter, AugmentSettings

NONE = AugmentSettings(
    tract=(1.0, 1.0), formant_shift=0.0, curve_db=0.0, noise_share=0.0, narrow_share=0.0, thin_share=0.0,
    smear_share=0.0, flicker_nats=0.0, gain_db=0.0, mask_frames=0, mask_bands=0,
)  # fmt: skip


def power(batch: int = 3, frames: int = 160, seed: int = 0) -> torch.Tensor:
    """Spectra of something like speech: bursts of coloured noise."""
    generator = torch.Generator().manual_seed(seed)
    grain = torch.randn((batch, frames, SPECTRUM_SAMPLES // 2 + 1), generator=generator).square()
    loudness = torch.rand((batch, frames // 16, 1), generator=generator).square().repeat_interleave(16, 1)
    return grain * loudness * 1e-3


def spoilt(settings: AugmentSettings, given: torch.Tensor, seed: int = 0) -> torch.Tensor:
    return Augmenter(settings).features(given, torch.Generator().manual_seed(seed))


def only(**strengths: object) -> AugmentSettings:
    return NONE.model_copy(update=strengths)


def test_without_strength_the_features_are_those_of_the_front_end():
    given = power()
    plain = normalised(log_bands(given @ mel_bank(band_edges_hz())))
    torch.testing.assert_close(spoilt(NONE, given), plain, atol=0.02, rtol=0)


def test_chance_comes_from_the_generator_alone():
    given = power()
    torch.testing.assert_close(spoilt(AugmentSettings(), given, 1), spoilt(AugmentSettings(), given, 1), atol=0, rtol=0)
    assert (spoilt(AugmentSettings(), given, 1) - spoilt(AugmentSettings(), given, 2)).abs().mean() > 0.1


@pytest.mark.parametrize(
    "strengths",
    [
        {"tract": (0.8, 0.8)},
        {"formant_shift": 0.1},
        {"noise_share": 1.0, "snr_db": (0.0, 0.0)},
        {"narrow_share": 1.0, "band_hz": (2000.0, 2000.0)},
        {"smear_share": 1.0},
        {"flicker_nats": 1.0},
        {"mask_frames": 30},
        {"mask_bands": 10},
    ],
    ids=lambda strengths: next(iter(strengths)),
)
def test_each_strength_does_something_and_nothing_breaks(strengths):
    given = power()
    found = spoilt(only(**strengths), given)
    assert found.shape == (3, 160, BANDS) and found.isfinite().all()
    assert (found - spoilt(NONE, given)).abs().max() > 0.2


@pytest.mark.parametrize(("factor", "moves"), [(0.8, 1), (1.2, -1)])
def test_a_longer_tract_speaks_lower(factor, moves):
    """Edges at 0.8 of their frequency read what lies lower: the tone appears in a higher band."""
    given = torch.full((1, 40, SPECTRUM_SAMPLES // 2 + 1), 1e-9)
    given[:, 10:30, 50] = 1.0
    plain, warped = (spoilt(s, given)[0, 20].argmax() for s in (NONE, only(tract=(factor, factor))))
    assert torch.sign(warped - plain) == moves


@pytest.mark.parametrize("factor", [0.5, 1.0, 1.3])
def test_warped_edges_rise_and_stay_below_half_the_rate(factor):
    settings = only(tract=(factor, factor), formant_shift=0.12)
    edges = Augmenter(settings)._warped_edges(200, torch.Generator().manual_seed(0))
    assert (edges.diff(dim=1) > 0).all() and edges.max() <= 8000.5 and edges.min() > 0


def test_level_and_equaliser_hardly_show_well_above_the_floor():
    given = power() + 1e-2
    plain = spoilt(NONE, given)
    assert (spoilt(only(gain_db=8.0, curve_db=3.0), given) - plain).abs().mean() < 0.1
