"""The first sound stream of a file -> chunks of float32, mixed as they come. Runs in the decoding child."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import av
import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.decoding.containers import confined, open_container
from omnihuman.media.files import LONGEST_NAME
from omnihuman.media.limits import KEPT_RATE_HZ, MAX_CHANNELS, MAX_RATE_HZ, MAX_SOUND_S, MIN_RATE_HZ
from omnihuman.media.messages import Message

if TYPE_CHECKING:
    from av.container import InputContainer

CHUNK = 1 << 16
"""Samples of a message, at least: about a second."""


def answer_sound(path: Path) -> Iterator[Message]:
    """Messages `mono` (`S`) or `stereo` (`S 2`), each with `rate_hz`; at least one, which may be empty.

    Raises:
        InputError: audio_unreadable or audio_too_long.
    """
    name = path.name[:LONGEST_NAME]
    try:
        with open_container(path) as container:
            yield from _messages(name, container)
    except (av.FFmpegError, OSError) as error:
        cause = f"{name!r} cannot be decoded: {error.strerror}"
        raise InputError("audio_unreadable", cause, "Save it as wav, mp3, flac or m4a.") from None


def _messages(name: str, container: InputContainer) -> Iterator[Message]:
    rate_hz = _rate_of(name, container)
    waiting: list[np.ndarray] = []
    num_samples, num_waiting = 0, 0
    for mixed in _mixed(container, rate_hz):
        waiting.append(mixed)
        num_samples, num_waiting = num_samples + len(mixed), num_waiting + len(mixed)
        if num_samples > MAX_SOUND_S * rate_hz:
            cause = f"the sound is longer than {MAX_SOUND_S / 60:.0f} minutes"
            raise InputError("audio_too_long", cause, "Cut it into parts.")
        if num_waiting >= CHUNK:
            yield _message(waiting, rate_hz)
            waiting, num_waiting = [], 0
    if waiting or not num_samples:
        yield _message(waiting or [np.zeros(0, np.float32)], rate_hz)


def _message(chunks: list[np.ndarray], rate_hz: int) -> Message:
    joined = np.concatenate(chunks)
    return Message("mono" if joined.ndim == 1 else "stereo", joined, {"rate_hz": rate_hz})


def _rate_of(name: str, container: InputContainer) -> int:
    """Samples per second that will be given, of a sound that can be used."""
    if not container.streams.audio:
        raise InputError("audio_unreadable", f"{name!r} holds no sound", "Give a file with a sound track.")
    stream = container.streams.audio[0]
    if not confined(stream):
        cause = f"the sound of {name!r} is coded in an unusual way"
        raise InputError("audio_unreadable", cause, "Save it as wav, mp3, flac or m4a.")
    rate_hz = int(stream.rate or 0)
    if not MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ:
        cause = f"the sound has {rate_hz} samples per second"
        raise InputError("audio_unreadable", cause, f"Save it with {MIN_RATE_HZ} to {MAX_RATE_HZ}.")
    if stream.channels > MAX_CHANNELS:
        cause = f"the sound has {stream.channels} channels"
        raise InputError("audio_unreadable", cause, "Save it with one or two.")
    return min(rate_hz, KEPT_RATE_HZ)


def _mixed(container: InputContainer, rate_hz: int) -> Iterator[np.ndarray]:
    """Samples `S`, or `S 2` where there are two channels, in -1..1."""
    # FFmpeg's own mix to mono keeps the power and so clips what both channels share: channels are averaged here.
    # Packed, not planar: PyAV 18.1 counts nine planes where there are eight channels and reads beyond the last.
    packed = av.AudioResampler(format="flt", rate=rate_hz)
    for frame in container.decode(container.streams.audio[0]):
        for part in packed.resample(frame):
            yield _mix(part)
    for part in packed.resample(None):
        yield _mix(part)


def _mix(part: av.AudioFrame) -> np.ndarray:
    num_channels = part.layout.nb_channels
    samples = np.clip(np.nan_to_num(part.to_ndarray()), -1.0, 1.0).astype(np.float32).reshape(-1, num_channels)
    return samples if num_channels == 2 else np.ascontiguousarray(samples.T).mean(axis=0)
