"""Sound files (or the sound of a video) -> mono samples, and resampling. Knows nothing of speech.

Files are decoded by `decoding.sounds` in a child process, which mixes many channels as they come.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr

from omnihuman.errors import InputError
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.limits import KEPT_RATE_HZ, MAX_SOUND_S, MIN_RATE_HZ, MIN_SOUND_S
from omnihuman.media.messages import Bound, Message
from omnihuman.media.sandbox import Task, decode
from omnihuman.types import Sound

SILENCE_PEAK = 1e-4
_MOST_SAMPLES = 1 << 24
"""Of one message; a frame of a lossless file may be long."""
_TASK = Task(
    "sound",
    "audio",
    {"mono": Bound("float32", 1, _MOST_SAMPLES), "stereo": Bound("float32", 1, _MOST_SAMPLES, (2,))},
)


def read_sound(path: Path) -> Sound:
    """Decodes the first sound stream of a file, in a child process.

    Args:
        path: Any common container: wav, mp3, flac, ogg, opus, m4a, aiff, amr, mp4, mov, webm, mkv, avi.

    Returns:
        Float32 in -1..1 at the file's own rate, or 48 kHz where that is higher: the mean of the channels, and both
        where there are two.

    Raises:
        InputError: audio_missing, audio_unreadable, audio_too_large, audio_too_long or audio_too_short.
    """
    mono, stereo, rate_hz = bytearray(), bytearray(), 0
    with closing(decode(_TASK, path)) as messages:
        for message in messages:
            chunk, rate_hz = message.array, _rate_of(path, message, rate_hz)
            assert chunk is not None
            # Grown in place: chunks in a list would need the memory twice when they are joined.
            mono += (chunk if chunk.ndim == 1 else (chunk[:, 0] + chunk[:, 1]) / 2).data
            if chunk.ndim == 2:
                stereo += chunk.data
            if len(mono) > 4 * (MAX_SOUND_S * rate_hz + _MOST_SAMPLES):
                raise _damaged(path)
    if not rate_hz or len(stereo) not in (0, 2 * len(mono)):
        raise _damaged(path)
    both = np.frombuffer(stereo, np.float32).reshape(-1, 2) if stereo else None
    return checked_sound(Sound(np.frombuffer(mono, np.float32), rate_hz, both))


def is_silent(sound: Sound) -> bool:
    """True when no sample rises above the quietest audible level."""
    return bool(np.abs(sound.samples).max(initial=0.0) < SILENCE_PEAK)


def resample(sound: Sound, rate_hz: int) -> Sound:
    """The same sound at another rate (soxr, high quality); the same object when the rate fits already."""
    if sound.rate_hz == rate_hz:
        return sound
    return Sound(np.asarray(soxr.resample(sound.samples, sound.rate_hz, rate_hz), np.float32), rate_hz)


def checked_sound(sound: Sound) -> Sound:
    """The same sound when it can be used.

    Raises:
        InputError: audio_unreadable or audio_too_short.
    """
    shape_is_right = sound.samples.ndim == 1 and (
        sound.stereo is None or sound.stereo.shape == (*sound.samples.shape, 2)
    )
    if not shape_is_right or sound.rate_hz < MIN_RATE_HZ or not np.isfinite(sound.samples).all():
        cause = "the sound is not finite mono samples with a sample rate"
        raise InputError("audio_unreadable", cause, "Give float32 samples of shape (S,) in -1..1.")
    if sound.duration_s < MIN_SOUND_S:
        cause = f"the sound lasts only {sound.duration_s:.2f} s"
        raise InputError("audio_too_short", cause, f"Give at least {MIN_SOUND_S} s.")
    return replace(sound, samples=np.clip(sound.samples, -1.0, 1.0).astype(np.float32, copy=False))


def _rate_of(path: Path, message: Message, before_hz: int) -> int:
    """Samples per second of a message: usual, and the same as `before_hz` unless it is the first."""
    rate_hz = message.fields.get("rate_hz")
    if type(rate_hz) is not int or not MIN_RATE_HZ <= rate_hz <= KEPT_RATE_HZ or before_hz not in (0, rate_hz):
        raise _damaged(path)
    return rate_hz


def _damaged(path: Path) -> InputError:
    cause = f"the sound of {path.name[:LONGEST_NAME]!r} is damaged"
    return InputError("audio_unreadable", cause, "Save it as wav, mp3, flac or m4a.")
