"""Footage arrives upright, with true times, within its limits, and its file is closed again."""

import gc
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from omnihuman.errors import InputError
from omnihuman.media.decoding import containers, frames
from omnihuman.media.footage import frame_rate, read_frames, timed_frames, video_facts
from tests.unit.media.conftest import is_gone

WIDTH, HEIGHT = 96, 64


def corner_frame(index: int = 0) -> np.ndarray:
    """Dark with a bright corner at the upper left, so that every turn and mirror can be told; greyer with time."""
    frame = np.full((HEIGHT, WIDTH, 3), 20 + 4 * (index % 50), np.uint8)
    frame[:24, :32] = 230
    return frame


def save(path: Path, times_ms: list[int], aspect: Fraction | None = None) -> Path:
    """Frames at any time, which our own writer cannot do."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"crf": "8", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        if aspect is not None:
            stream.codec_context.sample_aspect_ratio = aspect
        for index, time_ms in enumerate(times_ms):
            frame = av.VideoFrame.from_ndarray(corner_frame(index), format="rgb24")
            frame.pts, frame.time_base = time_ms, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def tag_matrix(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Writes the display matrix into the track header of an mp4."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    one = 1 << 16
    data[at : at + 36] = struct.pack(">9i", a * one, b * one, 0, c * one, d * one, 0, 0, 0, 1 << 30)
    path.write_bytes(bytes(data))


def test_times_are_those_of_the_frames(tmp_path):
    times_ms = [0, 40, 90, 300, 310, 1000]
    path = save(tmp_path / "a.mp4", times_ms)
    read = list(timed_frames(path))
    assert np.allclose([t for t, _ in read], np.array(times_ms) / 1000, atol=2e-3)
    assert np.abs(read[3][1].astype(int) - corner_frame(3)).mean() < 4


def test_a_clip_that_begins_late_begins_at_zero(tmp_path):
    path = save(tmp_path / "a.mkv", [700, 740, 800])
    assert np.allclose([t for t, _ in timed_frames(path)], [0, 0.04, 0.1], atol=2e-3)


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        ((1, 0, 0, 1), lambda f: f),
        ((0, 1, -1, 0), lambda f: np.rot90(f, -1)),
        ((-1, 0, 0, -1), lambda f: np.rot90(f, 2)),
        ((0, -1, 1, 0), lambda f: np.rot90(f)),
        ((-1, 0, 0, 1), lambda f: f[:, ::-1]),
        ((1, 0, 0, -1), lambda f: f[::-1]),
        ((0, 1, 1, 0), lambda f: f.transpose(1, 0, 2)),
        ((0, -1, -1, 0), lambda f: np.rot90(f, 2).transpose(1, 0, 2)),
    ],
)
def test_turned_and_mirrored_video_is_upright(tmp_path, matrix, expected):
    path = save(tmp_path / "a.mp4", [0, 40])
    tag_matrix(path, *matrix)
    frame = next(timed_frames(path))[1]
    wanted = expected(corner_frame())
    assert frame.shape == wanted.shape and np.abs(frame.astype(int) - wanted).mean() < 4


def test_stretched_pixels_become_square(tmp_path):
    path = save(tmp_path / "a.mp4", [0, 40], aspect=Fraction(2, 1))
    assert next(read_frames(path)).shape == (HEIGHT, 2 * WIDTH, 3)


def test_frames_are_thinned_to_a_rate(tmp_path):
    path = save(tmp_path / "a.mp4", [round(i * 1000 / 60) for i in range(61)])
    times_s = [t for t, _ in timed_frames(path, max_fps=25)]
    assert len(times_s) == pytest.approx(26, abs=1) and np.diff(times_s).min() > 0.03
    assert len(list(timed_frames(path, max_fps=60))) == 61


def test_first_frames_and_smaller_frames(tmp_path):
    path = save(tmp_path / "a.mp4", list(range(0, 2000, 40)))
    few = list(timed_frames(path, first=3, longest_px=48, max_duration_s=0.1))
    assert [f.shape for _, f in few] == [(32, 48, 3)] * 3


def test_too_long_is_told_before_and_while_decoding(tmp_path, monkeypatch):
    path = save(tmp_path / "a.mp4", list(range(0, 2000, 40)))
    with pytest.raises(InputError, match="video_too_long"):
        next(timed_frames(path, max_duration_s=1.0))
    monkeypatch.setattr(frames, "facts_of", lambda _: (25.0, None))
    seen = 0
    with pytest.raises(InputError, match="video_too_long"):
        for _ in frames.answer_frames(path, None, None, None, 1.0):
            seen += 1
    assert seen == 26


def test_too_large_is_coded(tmp_path, monkeypatch):
    path = save(tmp_path / "a.mp4", [0], aspect=Fraction(9, 1))
    for most in (1000, 2 * WIDTH * HEIGHT):
        # The second is large enough for the frame, but not for what the tag makes of it.
        monkeypatch.setattr(containers, "MAX_FRAME_PIXELS", most)
        monkeypatch.setattr(frames, "MAX_FRAME_PIXELS", most)
        with pytest.raises(InputError, match="video_too_large"):
            next(frames.answer_frames(path, None, None, None, None))


def test_a_damaged_tail_ends_in_a_code_or_in_fewer_frames(tmp_path):
    path = save(tmp_path / "a.mkv", list(range(0, 2000, 40)))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    try:
        assert 0 < len(list(read_frames(path))) < 50
    except InputError as error:
        assert error.code == "video_unreadable"


@pytest.mark.parametrize("way", ["close", "forget", "finish"])
def test_the_child_is_gone(tmp_path, way, children):
    path = save(tmp_path / "a.mp4", [0, 40, 80])

    read = timed_frames(path)
    next(read)
    assert not is_gone(children[0])
    if way == "close":
        read.close()
    elif way == "finish":
        list(read)
    del read
    gc.collect()
    assert is_gone(children[0])


def test_facts_tell_rate_and_length(tmp_path):
    path = save(tmp_path / "a.mp4", [i * 40 for i in range(25)])
    facts = video_facts(path)
    assert frame_rate(path) == facts.fps == pytest.approx(25, abs=0.1)
    assert facts.duration_s == pytest.approx(1.0, abs=0.05)


def test_a_playlist_opens_nothing_else(tmp_path):
    (tmp_path / "a.m3u8").write_text("#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n")
    with pytest.raises(InputError, match="video_unreadable"):
        next(timed_frames(tmp_path / "a.m3u8"))


def test_frames_are_let_go_without_the_collector(tmp_path):
    path = save(tmp_path / "a.mp4", [40 * index for index in range(60)])
    gc.collect()
    gc.disable()
    try:
        count = sum(1 for _ in frames.answer_frames(path, None, None, None, None))
        left = gc.collect()
    finally:
        gc.enable()
    assert count == 60 and left < count
