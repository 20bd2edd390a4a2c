"""Sound is exact through the mp4, tags survive, and no half-written file keeps the final name."""

import errno
import wave

import av
import numpy as np
import pytest

from omnihuman.errors import InputError, ResourceError
from omnihuman.media.audio import checked_sound, is_silent, read_sound, resample
from omnihuman.media.footage import frame_rate, read_frames, read_tags
from omnihuman.media.video import VideoWriter
from omnihuman.types import Sound

RATE_HZ = 24000


def clicks(duration_s: float = 1.3) -> Sound:
    samples = np.zeros(round(duration_s * RATE_HZ), np.float32)
    samples[:: RATE_HZ // 4] = 0.9
    return Sound(samples + 0.01 * np.random.default_rng(0).standard_normal(samples.size).astype(np.float32), RATE_HZ)


def save_wav(path, sound: Sound, channels: int = 1) -> None:
    with wave.open(str(path), "wb") as file:
        file.setparams((channels, 2, sound.rate_hz, 0, "NONE", ""))
        file.writeframes(np.repeat((sound.samples * 32767).astype("<i2"), channels).tobytes())


def frames(count: int) -> list[np.ndarray]:
    ramp = np.linspace(0, 255, 64 * 48).reshape(48, 64, 1).repeat(3, 2)
    return [np.roll(ramp, i, axis=1).astype(np.uint8) for i in range(count)]


def test_wav_is_read_exactly_and_stereo_is_mixed(tmp_path):
    sound = clicks()
    save_wav(tmp_path / "mono.wav", sound)
    save_wav(tmp_path / "stereo.wav", sound, channels=2)
    for name in ("mono.wav", "stereo.wav"):
        read = read_sound(tmp_path / name)
        assert read.rate_hz == RATE_HZ and read.samples.shape == sound.samples.shape
        assert np.abs(read.samples - sound.samples).max() < 1e-3


def test_resampling_keeps_duration():
    sound = clicks()
    assert resample(sound, RATE_HZ) is sound
    assert resample(sound, 16000).duration_s == pytest.approx(sound.duration_s, abs=1e-3)


def test_silence_is_told():
    assert is_silent(Sound(np.zeros(100, np.float32), 16000)) and not is_silent(clicks())


def test_video_carries_frames_sound_and_tags(tmp_path):
    sound, path = clicks(), tmp_path / "deep" / "a.mp4"
    num_frames = 33
    with VideoWriter(path, 25.0, sound, {"comment": "mark", "own_key": "own"}) as writer:
        for frame in frames(num_frames):
            writer.write(frame)
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.mp4"]
    assert {"comment": "mark", "own_key": "own"}.items() <= read_tags(path).items()
    assert frame_rate(path) == 25.0
    decoded = list(read_frames(path))
    assert len(decoded) == num_frames
    assert np.abs(decoded[5].astype(int) - frames(6)[5]).mean() < 6
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        video_s, audio_s = float(video.duration * video.time_base), float(audio.duration * audio.time_base)
    assert abs(video_s - sound.duration_s) < 1 / 25 and abs(audio_s - sound.duration_s) < 1 / 25


def test_sound_is_in_place_after_the_mux(tmp_path):
    sound = clicks()
    with VideoWriter(tmp_path / "a.mp4", 25.0, sound, {}) as writer:
        for frame in frames(33):
            writer.write(frame)
    heard = read_sound(tmp_path / "a.mp4").samples
    size = min(len(heard), len(sound.samples))
    spectrum = np.fft.rfft(heard[:size]) * np.conj(np.fft.rfft(sound.samples[:size]))
    assert int(np.argmax(np.fft.irfft(spectrum))) == 0


def test_stereo_stays_stereo(tmp_path):
    left = clicks()
    right = 0.5 * np.sin(2 * np.pi * 300 * np.arange(len(left.samples)) / RATE_HZ).astype(np.float32)
    both = np.stack([left.samples, right], axis=1)
    sound = Sound(both.mean(axis=1), RATE_HZ, both)
    with VideoWriter(tmp_path / "a.mp4", 25.0, sound, {}) as writer:
        for frame in frames(33):
            writer.write(frame)
    heard = read_sound(tmp_path / "a.mp4")
    assert heard.stereo is not None
    size = min(len(heard.stereo), len(both))
    for channel in range(2):
        assert np.corrcoef(heard.stereo[:size, channel], both[:size, channel])[0, 1] > 0.9


@pytest.mark.parametrize(
    "sound",
    [
        Sound(np.zeros((100, 2), np.float32), RATE_HZ),
        Sound(np.full(RATE_HZ, np.nan, np.float32), RATE_HZ),
        Sound(np.zeros(RATE_HZ, np.float32), 1),
        Sound(np.zeros(0, np.float32), RATE_HZ),
    ],
)
def test_sounds_that_cannot_be_used_are_coded(sound):
    with pytest.raises(InputError, match="audio_"):
        checked_sound(sound)


def test_a_full_or_forbidden_disk_is_coded(tmp_path, monkeypatch):
    def refuse(self, packets):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(VideoWriter, "_mux", refuse)
    with pytest.raises(ResourceError, match="disk_full"), VideoWriter(tmp_path / "a.mp4", 25.0, None, {}) as writer:
        writer.write(frames(1)[0])
    assert list(tmp_path.iterdir()) == []


def test_unwritable_place_is_coded(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(ResourceError, match="output_unwritable"),
        VideoWriter(tmp_path / "file" / "a.mp4", 25, None, {}),
    ):
        pass


@pytest.mark.parametrize("content", [None, b"", b"RIFF....WAVEfmt nonsense"])
def test_bad_sound_is_coded(tmp_path, content):
    if content is not None:
        (tmp_path / "a.wav").write_bytes(content)
    with pytest.raises(InputError, match=r"audio_(missing|unreadable)"):
        read_sound(tmp_path / "a.wav")


def test_too_short_and_soundless_are_coded(tmp_path):
    save_wav(tmp_path / "a.wav", clicks(0.02))
    with pytest.raises(InputError, match="audio_too_short"):
        read_sound(tmp_path / "a.wav")
    with VideoWriter(tmp_path / "mute.mp4", 25.0, None, {}) as writer:
        writer.write(frames(1)[0])
    with pytest.raises(InputError, match="audio_unreadable"):
        read_sound(tmp_path / "mute.mp4")


def test_bad_video_is_coded(tmp_path):
    (tmp_path / "a.mp4").write_bytes(b"nothing")
    save_wav(tmp_path / "a.wav", clicks())
    for name in ("a.mp4", "a.wav", "missing.mp4"):
        with pytest.raises(InputError, match=r"video_(unreadable|missing)"):
            list(read_frames(tmp_path / name))
