"""Spoilt sound keeps its length and timing and gets the noise, band and level that were asked for."""

import numpy as np
import pytest

from omnihuman.training.sound.acoustics import AcousticSettings, coloured_noise, instruments, spoil, without_speech
from omnihuman.types import Sound

RATE_HZ = 16_000
NOTHING = AcousticSettings(noise_share=0.0, room_share=0.0, narrow_share=0.0, tilt_db=0.0, gain_db=(0.0, 0.0))


def click(at_s=0.5, duration_s=1.0):
    samples = np.zeros(int(duration_s * RATE_HZ), np.float32)
    samples[int(at_s * RATE_HZ)] = 1.0
    return Sound(samples, RATE_HZ)


def noise_sound(seed=0):
    return Sound((0.1 * np.random.default_rng(seed).standard_normal(RATE_HZ)).astype(np.float32), RATE_HZ)


def test_nothing_asked_nothing_but_the_level_changes():
    sound = noise_sound()
    heard = spoil(sound, NOTHING, np.random.default_rng(0)).samples
    assert np.abs(heard).max() == pytest.approx(0.7, abs=1e-3)
    assert np.corrcoef(heard, sound.samples)[0, 1] > 0.999


@pytest.mark.parametrize("share", ["noise_share", "room_share", "narrow_share"])
def test_timing_stays(share):
    settings = NOTHING.model_copy(update={share: 1.0, "snr_db": (35.0, 38.0)})
    heard = spoil(click(), settings, np.random.default_rng(1))
    assert len(heard.samples) == RATE_HZ and np.argmax(np.abs(heard.samples)) == pytest.approx(RATE_HZ // 2, abs=2)


def test_band_limit_takes_the_top_away():
    settings = NOTHING.model_copy(update={"narrow_share": 1.0, "band_hz": (3300.0, 3400.0)})
    power = np.abs(np.fft.rfft(spoil(noise_sound(), settings, np.random.default_rng(0)).samples)) ** 2
    assert power[5000:].mean() < 1e-3 * power[:3000].mean()


def test_noise_has_the_asked_for_level():
    settings = NOTHING.model_copy(update={"noise_share": 1.0, "snr_db": (10.0, 10.001)})
    times = np.arange(RATE_HZ) / RATE_HZ
    tone = Sound((0.3 * np.sin(2 * np.pi * 440 * times)).astype(np.float32), RATE_HZ)
    heard = spoil(tone, settings, np.random.default_rng(3)).samples
    gain = heard @ tone.samples / (tone.samples @ tone.samples)
    rest = heard - gain * tone.samples
    assert 10 * np.log10(np.mean((gain * tone.samples) ** 2) / np.mean(rest**2)) == pytest.approx(10.0, abs=0.7)


def test_a_room_leaves_a_tail():
    settings = NOTHING.model_copy(update={"room_share": 1.0, "reverb_s": (0.4, 0.41)})
    heard = spoil(click(), settings, np.random.default_rng(0)).samples
    early, late = (np.square(heard[int(a * RATE_HZ) : int(b * RATE_HZ)]).sum() for a, b in ((0.51, 0.6), (0.8, 0.89)))
    assert early > 10 * late > 0.0


def test_noise_and_music_have_unit_power_and_are_seeded():
    for make in (coloured_noise, instruments):
        first = make(RATE_HZ, RATE_HZ, np.random.default_rng(5))
        assert first.std() == pytest.approx(1.0, rel=0.05) and len(first) == RATE_HZ
        assert np.array_equal(first, make(RATE_HZ, RATE_HZ, np.random.default_rng(5)))


def test_sounds_without_speech_vary_and_stay_in_range():
    sounds = [without_speech(1.0, RATE_HZ, np.random.default_rng(i)) for i in range(24)]
    levels = [20 * np.log10(sound.samples.std() + 1e-9) for sound in sounds]
    assert all(np.abs(sound.samples).max() <= 1.0 and len(sound.samples) == RATE_HZ for sound in sounds)
    assert min(levels) < -55.0 and max(levels) > -30.0
