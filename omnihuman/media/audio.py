"""Sound files (or the sound of a video) -> mono samples, and resampling. Knows nothing of speech."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import soxr

from omnihuman.errors import InputError
from omnihuman.media.files import is_readable_file
from omnihuman.types import Sound

MAX_DURATION_S = 3600.0
MIN_DURATION_S = 0.1
MIN_RATE_HZ = 4000
SILENCE_PEAK = 1e-4


def read_sound(path: Path) -> Sound:
    """Decodes the first sound stream of a file.

    Args:
        path: Any common container: wav, mp3, flac, ogg, m4a, mp4, mov, webm.

    Returns:
        Float32 in -1..1 at the file's own rate: the mean of the channels, and both where there are two.

    Raises:
        InputError: audio_missing, audio_unreadable, audio_too_long or audio_too_short.
    """
    if not is_readable_file(path):
        raise InputError("audio_missing", f"there is no sound file {path.name!r}", "Check the path.")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError("audio_unreadable", f"{path.name!r} holds no sound", "Give a file with a sound track.")
            sound = _decode(container)
    except av.FFmpegError as error:
        cause = f"{path.name!r} cannot be decoded: {error.strerror}"
        raise InputError("audio_unreadable", cause, "Save it as wav, mp3, flac or m4a.") from None
    return checked_sound(sound)


def is_silent(sound: Sound) -> bool:
    """True when no sample rises above the quietest audible level."""
    return bool(np.abs(sound.samples).max(initial=0.0) < SILENCE_PEAK)


def resample(sound: Sound, rate_hz: int) -> Sound:
    """The same sound at another rate (soxr, high quality); the same object when the rate fits already."""
    if sound.rate_hz == rate_hz:
        return sound
    return Sound(np.asarray(soxr.resample(sound.samples, sound.rate_hz, rate_hz), np.float32), rate_hz)


def _decode(container: av.container.InputContainer) -> Sound:
    stream = container.streams.audio[0]
    rate_hz = int(stream.rate or 0)
    if rate_hz < MIN_RATE_HZ:
        cause = f"the sound has {rate_hz} samples per second"
        raise InputError("audio_unreadable", cause, f"Save it with at least {MIN_RATE_HZ}.")
    # FFmpeg's own mix to mono keeps the power and so clips what both channels share: channels are averaged here.
    planar = av.AudioResampler(format="fltp", rate=rate_hz)
    chunks: list[np.ndarray] = []
    num_samples = 0
    for frame in container.decode(stream):
        for part in planar.resample(frame):
            chunks.append(part.to_ndarray())
            num_samples += chunks[-1].shape[1]
        if num_samples > MAX_DURATION_S * rate_hz:
            cause = f"the sound is longer than {MAX_DURATION_S / 60:.0f} minutes"
            raise InputError("audio_too_long", cause, "Cut it into parts.")
    chunks.extend(part.to_ndarray() for part in planar.resample(None))
    channels = np.concatenate(chunks, axis=1) if chunks else np.zeros((1, 0), np.float32)
    channels = np.clip(np.nan_to_num(channels), -1.0, 1.0).astype(np.float32)
    stereo = np.ascontiguousarray(channels.T) if len(channels) == 2 else None
    return Sound(channels.mean(axis=0), rate_hz, stereo)


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
    if sound.duration_s < MIN_DURATION_S:
        cause = f"the sound lasts only {sound.duration_s:.2f} s"
        raise InputError("audio_too_short", cause, f"Give at least {MIN_DURATION_S} s.")
    return replace(sound, samples=np.clip(sound.samples, -1.0, 1.0).astype(np.float32))
