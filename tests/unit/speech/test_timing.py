"""Durations of the voice become phones: stress, spaces, punctuation, pauses hidden in a phone."""

import numpy as np
import pytest

from omnihuman.speech.inventory import PHONES, SILENCE
from omnihuman.speech.timing import LEAD_S, PHONE_OF, UNIT_S, timed_phones
from omnihuman.types import Sound

RATE_HZ = 8000


def sound_of(duration_s, silent_after_s=None):
    samples = np.random.default_rng(0).standard_normal(round(duration_s * RATE_HZ)).astype(np.float32) * 0.1
    if silent_after_s is not None:
        samples[round(silent_after_s * RATE_HZ) :] *= 1e-4
    return Sound(samples, RATE_HZ)


def test_every_letter_maps_into_the_inventory():
    assert set(PHONE_OF.values()) == set(PHONES) - {SILENCE}


def test_stress_belongs_to_its_vowel_and_a_space_to_both_neighbours():
    characters = ["", "p", "\u02c8", "i", " ", "b", ""]
    durations = [8, 2, 3, 4, 2, 2, 8]
    phones = timed_phones(characters, durations, sound_of(29 * UNIT_S))
    assert [phone.symbol for phone in phones] == [SILENCE, "P", "IY", "B", SILENCE]
    p, vowel, b = phones[1:4]
    assert p.start_s == pytest.approx(8 * UNIT_S - LEAD_S) and p.end_s == pytest.approx(10 * UNIT_S - LEAD_S)
    assert vowel.end_s - vowel.start_s == pytest.approx((3 + 4 + 1) * UNIT_S)
    assert b.start_s == vowel.end_s


def test_phones_tile_the_sound():
    characters = ["", "s", "\u025c", "\u0279", ",", " ", "m", "A", "", ""]
    phones = timed_phones(characters, [5, 3, 3, 2, 6, 1, 3, 5, 2, 2], sound_of(32 * UNIT_S))
    assert [phone.symbol for phone in phones] == [SILENCE, "S", "ER", SILENCE, "M", "EY", SILENCE]
    assert phones[0].start_s == 0.0 and phones[-1].end_s == pytest.approx(32 * UNIT_S)
    assert all(a.end_s == b.start_s for a, b in zip(phones, phones[1:], strict=False))


@pytest.mark.parametrize("following", [".", "s"])
def test_a_pause_hidden_in_a_phone_is_silence(following):
    characters, durations = ["", "i", "d", following, ""], [4, 4, 16, 4, 4]
    voiced_s = 0.30
    phones = timed_phones(characters, durations, sound_of(32 * UNIT_S, silent_after_s=voiced_s))
    d = next(phone for phone in phones if phone.symbol == "D")
    assert d.end_s == pytest.approx(voiced_s, abs=0.011)
    assert phones[phones.index(d) + 1].symbol == SILENCE


def test_a_long_phone_that_sounds_throughout_stays_whole():
    phones = timed_phones(["", "i", "s", "i", ""], [4, 4, 16, 4, 4], sound_of(32 * UNIT_S))
    s = next(phone for phone in phones if phone.symbol == "S")
    assert s.end_s - s.start_s == pytest.approx(16 * UNIT_S)
