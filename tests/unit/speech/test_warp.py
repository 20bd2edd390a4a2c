"""Warps move formants and pitch by the factor they name."""

import numpy as np
import pytest

from omnihuman.speech.warp import SpeakerWarp, random_warp, stretch_spectrum, warp_pitch


@pytest.mark.parametrize("scale", [0.75, 1.1])
def test_formants_move_by_the_factor(scale):
    bins = np.arange(601)
    spectrum = np.exp(-0.5 * ((bins - 200.0) / 10.0) ** 2)[:, None].astype(np.float32) * np.ones((1, 3), np.float32)
    moved = stretch_spectrum(spectrum, scale)
    assert moved.shape == spectrum.shape and np.argmax(moved[:, 1]) == pytest.approx(200 * scale, abs=1)


def test_no_warp_changes_nothing():
    spectrum = np.random.default_rng(0).standard_normal((601, 4)).astype(np.float32)
    assert stretch_spectrum(spectrum, 1.0) is spectrum


def test_pitch_moves_by_the_factor_and_silence_stays_unvoiced():
    f0 = np.array([0.0, 180.0, 200.0, 222.0, 0.0], np.float32)
    moved = warp_pitch(f0, SpeakerWarp(f0_scale=0.5, f0_range=0.5))
    voiced = moved[1:4]
    assert np.exp(np.log(voiced).mean()) == pytest.approx(0.5 * np.exp(np.log(f0[1:4]).mean()), rel=1e-4)
    assert np.ptp(np.log(voiced)) == pytest.approx(0.5 * np.ptp(np.log(f0[1:4])), rel=1e-3)
    assert moved[0] == moved[4] == 0.0


def test_random_speakers_differ_and_pair_low_pitch_with_long_tracts():
    rng = np.random.default_rng(0)
    warps = [random_warp(rng) for _ in range(300)]
    pitch = np.array([w.f0_scale for w in warps])
    tract = np.array([w.formant_scale for w in warps])
    assert np.corrcoef(np.log(pitch), tract)[0, 1] > 0.5
    assert np.quantile(pitch, 0.05) < 0.6 and np.quantile(pitch, 0.95) > 1.0
    assert tract.min() >= 0.72 and tract.max() <= 1.12
