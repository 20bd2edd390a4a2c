from __future__ import annotations

import numpy as np
import pytest
import torch

from omnihuman.speech.mel_features import (
    BANDS,
    SPECTRUM_SAMPLES,
    band_edges_hz,
    mel_bank,
    normalised,
    power_spectra,
)
from omnihuman.speech.mel_phones import row_features

RATE_HZ = 16000


def noise(count: int, seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(count) * 0.07).astype(np.float32)


def test_every_band_gathers_power_and_no_band_is_a_copy():
    bank = mel_bank(band_edges_hz())
    assert bank.shape == (SPECTRUM_SAMPLES // 2 + 1, BANDS)
    assert (bank.sum(0) > 0).all() and (bank >= 0).all()
    assert torch.linalg.matrix_rank(bank) == BANDS


@pytest.mark.parametrize("tone_hz", [150.0, 500.0, 1700.0, 5000.0])
def test_a_tone_lies_in_the_band_around_it(tone_hz):
    tone = torch.sin(2 * torch.pi * tone_hz * torch.arange(SPECTRUM_SAMPLES) / RATE_HZ)[None]
    loudest = int((power_spectra(tone) @ mel_bank(band_edges_hz()))[0, 0].argmax())
    edges = band_edges_hz()
    assert edges[loudest] - 30 < tone_hz < edges[loudest + 2] + 30


@pytest.mark.parametrize("time_s", [0.0, 0.5, 1.013])
def test_a_click_lies_in_the_frame_at_its_time(time_s):
    samples = np.zeros(2 * RATE_HZ, np.float32)
    samples[round(time_s * RATE_HZ)] = 0.9
    loudness = row_features(samples, 101, 0, 101)[0].mean(1)
    loud = (loudness > 0.5 * loudness.max()).nonzero().double().mean()
    assert abs(float(loud) * 0.01 - time_s) <= 0.0075


@pytest.mark.parametrize(("start", "stop"), [(0, 30), (1, 2), (140, 400), (555, 600)])
def test_rows_have_the_same_features_whatever_else_is_asked_for(start: int, stop: int):
    samples = noise(599 * 320 + 1)
    whole = row_features(samples, 600, 0, 600)
    some = row_features(samples, 600, start, stop)
    assert whole.shape == (1, 1199, BANDS)
    torch.testing.assert_close(some, whole[:, 2 * start : 2 * stop - 1], atol=1e-4, rtol=1e-4)


def test_a_microphone_does_not_matter():
    """A fixed gain per band leaves what stands well above the floor as it is."""
    bands = 5.0 + 2.0 * torch.randn((1, 600, BANDS), generator=torch.Generator().manual_seed(0))
    microphone = torch.linspace(-1.0, 1.5, BANDS)
    torch.testing.assert_close(normalised(bands + microphone), normalised(bands), atol=0.05, rtol=0)


def test_pauses_hardly_move_the_mean_of_speech():
    speech = 6.0 + 2.0 * torch.randn((1, 300, BANDS), generator=torch.Generator().manual_seed(0))
    pause = torch.zeros((1, 100, BANDS))
    alone, beside = normalised(speech), normalised(torch.cat([pause, speech], 1))
    assert float((beside[:, 100:] - alone).abs().mean()) < 0.15
    assert float(beside[:, :50].mean()) < -1.5


def test_silence_is_nothing():
    assert float(row_features(np.zeros(RATE_HZ, np.float32), 51, 0, 51).abs().max()) == 0.0


def test_a_band_is_normalised_over_two_seconds_to_either_side():
    bands = 3.0 + torch.rand((1, 1000, BANDS), generator=torch.Generator().manual_seed(0))
    changed = bands.clone()
    changed[:, 700] = 9.0
    moved = (normalised(changed) - normalised(bands)).abs().amax(-1)[0] > 1e-4
    assert moved[500:901].all() and not moved[:500].any() and not moved[901:].any()
