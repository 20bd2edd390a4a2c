"""Sound comes out of every common container and out of videos; frames out of every common video."""

from pathlib import Path

import numpy as np
import pytest

from omnihuman.media.audio import read_sound
from omnihuman.media.decoding.frames import answer_frames
from omnihuman.media.decoding.sounds import answer_sound
from omnihuman.media.footage import timed_frames
from tests.unit.media import seeds


def saved(tmp_path: Path, suffix: str) -> Path:
    codecs = seeds.SOUNDS[suffix][1:] if suffix in seeds.SOUNDS else seeds.VIDEOS[suffix][1:]
    if not seeds.has(*codecs):
        pytest.skip(f"this FFmpeg writes no {' and '.join(codecs)}")
    path = tmp_path / f"a.{suffix}"
    path.write_bytes((seeds.sound if suffix in seeds.SOUNDS else seeds.video)(suffix))
    return path


def is_the_tone(samples: np.ndarray, rate_hz: int) -> bool:
    """Whether 440 Hz is what is heard, about as loud as it was written: codecs of telephones are free with it."""
    middle = samples[len(samples) // 4 : 3 * len(samples) // 4]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    pitch_hz = np.argmax(spectrum) * rate_hz / len(middle)
    return abs(pitch_hz - 440) < 8 and 0.2 < np.abs(middle).max() < 0.6


@pytest.mark.parametrize("suffix", [*seeds.SOUNDS, *seeds.VIDEOS])
def test_sound_of_any_container(tmp_path, suffix):
    messages = list(answer_sound(saved(tmp_path, suffix)))
    samples, rate_hz = np.concatenate([m.array for m in messages]), messages[0].fields["rate_hz"]
    assert len(samples) / rate_hz == pytest.approx(seeds.DURATION_S, abs=0.11)
    assert is_the_tone(samples, rate_hz)


@pytest.mark.parametrize("suffix", seeds.VIDEOS)
def test_frames_of_any_container(tmp_path, suffix):
    read = list(answer_frames(saved(tmp_path, suffix), None, None, None, None))
    assert len(read) == 15
    levels = [int(np.median(message.array)) for message in read]
    assert np.abs(np.array(levels) - (20 + 10 * np.arange(15))).max() < 8
    times_s = [message.fields["time_s"] for message in read]
    # An AVI has no times: the second frame of MPEG-4 comes when the decoder has sorted the first ones.
    assert np.allclose(np.diff(times_s)[suffix == "avi" :], 1 / seeds.FPS, atol=2e-3)


def test_the_child_gives_what_the_decoder_gives(tmp_path):
    path = saved(tmp_path, "mov")
    sound, message = read_sound(path), next(answer_sound(path))
    assert sound.rate_hz == message.fields["rate_hz"] and np.array_equal(sound.samples, message.array)
    wanted = answer_frames(path, 4, 48, None, None)
    for (time_s, frame), message in zip(timed_frames(path, first=4, longest_px=48), wanted, strict=True):
        assert time_s == message.fields["time_s"] and np.array_equal(frame, message.array)
