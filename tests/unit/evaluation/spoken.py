"""A made-up clip: phones at known times and a face whose lips do as told."""

import numpy as np

from omnihuman.evaluation.suite import SpokenClip, SyncSettings
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.speech.inventory import TimedPhone
from omnihuman.types import Sound

FPS = 25.0

SETTINGS = SyncSettings(
    close_below=0.06, open_above=0.08, tolerance_s=0.04, max_yaw_deg=20, settle_s=0.2, max_lag_s=0.4,
    shift_s=0.7, block_s=2.0, bootstrap_draws=200, fast_close_below=0.02, fast_open_above=0.03,
    bars={"closure_f1": 0.6, "offset": (-0.05, 0.05)}, bars_where_measured={"rest_when_silent": 0.9},
    language_bars={},
)  # fmt: skip


def babble(rng, num_syllables=40):
    """Silence, then syllables of one consonant and one open vowel, then silence."""
    phones, now_s = [TimedPhone("SIL", 0.0, 1.0)], 1.0
    for _ in range(num_syllables):
        for symbol, length_s in ((rng.choice(["P", "B", "M", "T", "K", "S"]), 0.1), ("AA", rng.uniform(0.12, 0.3))):
            phones.append(TimedPhone(str(symbol), now_s, now_s + length_s))
            now_s += length_s
    return [*phones, TimedPhone("SIL", now_s, now_s + 1.0)]


def tracks_of(gap, yaw_deg=0.0):
    num = len(gap)
    times_s = ((np.arange(num) + 0.5) / FPS).astype(np.float32)
    angles = np.zeros((num, 3), np.float32)
    angles[:, 0] = yaw_deg
    steady = np.tile(np.random.default_rng(9).normal(0, 0.4, (12, 3)).astype(np.float32), (num, 1, 1))
    return FaceTracks(times_s, FPS, gap, np.full(num, 0.1, np.float32), angles, steady)


def obeying_gap(phones):
    """Shut for p b m and silence, 0.15 otherwise."""
    gap = np.full(int(phones[-1].end_s * FPS), 0.15, np.float32)
    times_s = (np.arange(len(gap)) + 0.5) / FPS
    for phone in phones:
        if phone.symbol in ("P", "B", "M", "SIL"):
            gap[(times_s >= phone.start_s - 0.01) & (times_s < phone.end_s + 0.01)] = 0.005
    return gap


def noise_sound(phones, rate_hz=8000):
    """Noise that is louder in vowels and absent in silence."""
    rng = np.random.default_rng(5)
    samples = rng.normal(0, 0.02, int(phones[-1].end_s * rate_hz)).astype(np.float32)
    for phone in phones:
        part = slice(int(phone.start_s * rate_hz), int(phone.end_s * rate_hz))
        samples[part] *= {"SIL": 0.0, "AA": 8.0}.get(phone.symbol, 1.0)
    return Sound(samples, rate_hz)


def clip_of(gap, phones, name="clip", sound=None):
    return SpokenClip(name, tracks_of(gap), phones, sound)
