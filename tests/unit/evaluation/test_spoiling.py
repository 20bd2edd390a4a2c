"""Spoiled sounds lack what they should lack, keep their length and come out alike each time."""

import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.evaluation.spoiling import spoil
from omnihuman.types import Sound

RATE = 16000
TIMES = np.arange(2 * RATE) / RATE


def tones(*rates_hz):
    return Sound(sum(0.2 * np.sin(2 * np.pi * hz * TIMES) for hz in rates_hz).astype(np.float32), RATE)


def level_at(sound, hz):
    return np.abs(np.fft.rfft(sound.samples))[round(hz * 2)] / len(sound.samples) * 2


def test_eight_kilohertz_keeps_the_low_and_drops_the_high_tone():
    narrow = spoil(tones(1000, 6000), "8k")
    assert len(narrow.samples) == len(TIMES) and narrow.rate_hz == RATE
    assert level_at(narrow, 1000) == pytest.approx(0.2, rel=0.05)
    assert level_at(narrow, 6000) < 0.002


@pytest.mark.parametrize("below_db", [10, 20])
def test_noise_lies_as_far_under_the_speech_as_asked(below_db):
    clean = tones(300)
    noisy = spoil(clean, f"noise{below_db}")
    noise = noisy.samples - clean.samples
    assert 10 * np.log10(np.mean(clean.samples**2) / np.mean(noise**2)) == pytest.approx(below_db, abs=0.2)
    assert np.array_equal(noisy.samples, spoil(clean, f"noise{below_db}").samples)


def test_level_is_lowered():
    assert np.abs(spoil(tones(300), "level-20").samples).max() == pytest.approx(0.02, rel=0.01)


@pytest.mark.parametrize("how", ["", "reverb", "2k", "16k", "48k", "noise", "level20"])
def test_what_spoils_nothing_is_coded(how):
    with pytest.raises(InputError, match="spoil_unknown"):
        spoil(tones(300), how)
