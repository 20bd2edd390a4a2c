"""Any usual frame rate is kept exactly, with and without sound, at sizes from tiny to 4K."""

from fractions import Fraction

import av
import numpy as np
import pytest

from omnihuman.media.footage import timed_frames
from omnihuman.media.video import VideoWriter
from omnihuman.types import Sound

RATE_HZ = 24000


def write(path, fps, duration_s, sound=None, shape=(48, 64)):
    count = round(duration_s * fps)
    with VideoWriter(path, fps, sound, {}) as writer:
        for index in range(count):
            writer.write(np.full((*shape, 3), 40 + index * 8 % 160, np.uint8))
    return count


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (5, Fraction(5)),
        (23.976, Fraction(24000, 1001)),
        (24000 / 1001, Fraction(24000, 1001)),
        (29.97, Fraction(30000, 1001)),
        (12.5, Fraction(25, 2)),
        (59.94, Fraction(60000, 1001)),
        (60, Fraction(60)),
    ],
)
def test_frame_rates_are_kept(tmp_path, fps, exact):
    count = write(tmp_path / "a.mp4", fps, 2.0)
    with av.open(str(tmp_path / "a.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == exact and stream.frames == count
    times_s = np.array([t for t, _ in timed_frames(tmp_path / "a.mp4")])
    np.testing.assert_allclose(times_s, np.arange(count) / float(exact), atol=1e-4)


@pytest.mark.parametrize("fps", [5, 23.976, 29.97, 60])
def test_sound_is_as_long_as_the_frames_at_any_rate(tmp_path, fps):
    sound = Sound(0.3 * np.sin(np.arange(2 * RATE_HZ) / 20).astype(np.float32), RATE_HZ)
    write(tmp_path / "a.mp4", fps, 2.0, sound)
    with av.open(str(tmp_path / "a.mp4")) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert float(video.duration * video.time_base) == pytest.approx(2.0, abs=1 / fps)
        assert float(audio.duration * audio.time_base) == pytest.approx(2.0, abs=0.03)


@pytest.mark.parametrize("shape", [(33, 65), (64, 16), (17, 256), (2160, 3840)])
def test_any_size_is_written_and_read(tmp_path, shape):
    write(tmp_path / "a.mp4", 25, 0.08, shape=shape)
    even = tuple(side + side % 2 for side in shape)
    assert [frame.shape[:2] for _, frame in timed_frames(tmp_path / "a.mp4")] == [even] * 2
