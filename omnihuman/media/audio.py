"""Sound files (or the sound of a video) -> mono samples, and resampling. Knows nothing of speech."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soxr

from omnihuman.errors import InputError
from omnihuman.types import Sound

MAX_DURATION_S = 3600.0
MIN_DURATION_S = 0.1
SILENCE_PEAK = 1e-4


def read_sound(path: Path) -> Sound:
    """Decodes the first sound stream of a file.

    Args:
        path: Any common container: wav, mp3, flac, ogg, m4a, mp4, mov, webm.

    Returns:
        Mono float32 in -1..1 at the file's own rate.

    Raises:
        InputError: audio_missing, audio_unreadable, audio_too_long or audio_too_short.
    """
    if not path.is_file():
        raise InputError("audio_missing", f"there is no sound file {path.name!r}", "Check the path.")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise InputError("audio_unreadable", f"{path.name!r} holds no sound", "Give a file with a sound track.")
            sound = _decode(container)
    except av.FFmpegError as error:
        cause = f"{path.name!r} cannot be decoded: {error.strerror}"
        raise InputError("audio_unreadable", cause, "Save it as wav, mp3, flac or m4a.") from None
    if sound.duration_s < MIN_DURATION_S:
        cause = f"the sound lasts only {sound.duration_s:.2f} s"
        raise InputError("audio_too_short", cause, f"Give at least {MIN_DURATION_S} s.")
    return sound


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
    if rate_hz <= 0:
        raise InputError("audio_unreadable", "the sound states no sample rate", "Save it again as wav.")
    # FFmpeg's own mix to mono keeps the power and so clips what both channels share: channels are averaged here.
    planar = av.AudioResampler(format="fltp", rate=rate_hz)
    chunks: list[np.ndarray] = []
    num_samples = 0
    for frame in container.decode(stream):
        for part in planar.resample(frame):
            chunks.append(part.to_ndarray().mean(axis=0))
            num_samples += chunks[-1].size
        if num_samples > MAX_DURATION_S * rate_hz:
            cause = f"the sound is longer than {MAX_DURATION_S / 60:.0f} minutes"
            raise InputError("audio_too_long", cause, "Cut it into parts.")
    chunks.extend(part.to_ndarray().mean(axis=0) for part in planar.resample(None))
    samples = np.concatenate(chunks) if chunks else np.zeros(0, np.float32)
    return Sound(np.clip(np.nan_to_num(samples), -1.0, 1.0).astype(np.float32), rate_hz)
