"""No voice is heard as silence; a held vowel stays heard; speech is left as it is."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np

from omnihuman.conditions.audio import AUDIO_WIDTH, AudioConditioner, log_posteriors_of, scaled_posteriors
from omnihuman.conditions.voice import hushed, silence_of, sustained
from omnihuman.speech.inventory import PHONES
from omnihuman.speech.phones import POSTERIOR_WIDTH
from omnihuman.types import ConditionTrack
from tests.tiny import TinyPhones

BLANK, AA, IY, B = len(PHONES), PHONES.index("AA"), PHONES.index("IY"), PHONES.index("B")


def track_of(named: dict[int, int], rows: int = 60, faint: int = AA) -> ConditionTrack:
    """Blank everywhere, `faint` the likeliest phone under it, but for the rows in which a phone is named."""
    posteriors = np.full((rows, POSTERIOR_WIDTH), -14.0, np.float32)
    posteriors[:, faint] = -9.0
    posteriors[:, BLANK] = 0.0
    for row, phone in named.items():
        posteriors[row, [BLANK, phone]] = -5.0, 0.0
    loudness = np.zeros((rows, 1), np.float32)
    return ConditionTrack("audio", np.concatenate([scaled_posteriors(posteriors), loudness], axis=1))


def test_posteriors_come_back() -> None:
    track = track_of({30: B})
    np.testing.assert_allclose(log_posteriors_of(track)[30, [B, BLANK, IY]], [0.0, -5.0, -14.0], atol=1e-5)


def test_hushed_where_the_gate_is_shut_and_untouched_where_it_is_open() -> None:
    track = track_of({10: B, 50: B})
    opening = np.repeat([1.0, 0.0], 30).astype(np.float32)
    silence = silence_of(AudioConditioner(lambda: nullcontext(TinyPhones())))
    assert silence.shape == (AUDIO_WIDTH,)
    found = hushed(track, opening, silence).values
    np.testing.assert_array_equal(found[:30], track.values[:30])
    np.testing.assert_allclose(found[30:], np.tile(silence, (30, 1)), atol=1e-6)


def test_a_sung_vowel_is_heard_until_the_next_phone() -> None:
    track = track_of({5: AA, 45: B})
    posteriors = log_posteriors_of(sustained(track, np.ones(60, np.float32)))
    assert (posteriors[9:42].argmax(axis=1) == AA).all()
    assert posteriors[45].argmax() == B, "the closure of the lips stays"
    other = log_posteriors_of(sustained(track_of({5: IY, 45: B}, faint=IY), np.ones(60, np.float32)))
    assert (other[9:42].argmax(axis=1) == IY).all()


def test_speech_is_left_alone() -> None:
    track = track_of(dict.fromkeys(range(2, 60, 5), AA))
    np.testing.assert_array_equal(sustained(track, np.ones(60, np.float32)).values, track.values)
    pause = track_of({5: AA})
    np.testing.assert_array_equal(sustained(pause, np.zeros(60, np.float32)).values, pause.values)
