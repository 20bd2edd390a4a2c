"""A render that is stopped, killed or out of disk leaves a file that plays, or nothing; a finished one is proven."""

import errno

import av
import numpy as np
import pytest

from omnihuman.errors import InterruptedRun, ResourceError, kept_of
from omnihuman.media import finishing
from omnihuman.media.audio import read_sound
from omnihuman.media.footage import read_frames, read_tags
from omnihuman.media.video import VideoWriter
from omnihuman.types import Sound

RATE_HZ, FPS, SECONDS = 16000, 25.0, 2.4
TAGS = {"comment": "mark", "omnihuman": '{"words": "\u0645\u0631\u062d\u0628\u0627 = ; # \\\\ \U0001f600"}'}


def noise(number):
    return np.random.default_rng(number).integers(0, 255, (48, 64, 3), np.uint8)


def tone():
    return Sound(0.5 * np.sin(np.arange(round(SECONDS * RATE_HZ)) / 7).astype(np.float32), RATE_HZ)


def writer(path, **options):
    return VideoWriter(path, FPS, tone(), TAGS, **options)


def write(opened, count=60):
    for number in range(count):
        opened.write(noise(number))


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def lengths_s(path):
    with av.open(str(path)) as container:
        return [float(s.duration * s.time_base) for s in (*container.streams.video, *container.streams.audio)]


@pytest.fixture(scope="module")
def torn(tmp_path_factory):
    """Bytes of the growing file just before the end, and how many frames had been written."""
    folder = tmp_path_factory.mktemp("torn")
    with writer(folder / "a.mp4") as opened:
        write(opened)
        return opened.part.read_bytes()


def test_cut_at_any_byte_it_plays_or_nothing_is_left(torn, tmp_path):
    part, counts = tmp_path / ".a.mp4.1.0.part", []
    for size in [0, 1, 40, 3000, *np.linspace(5000, len(torn), 9, dtype=int)]:
        part.write_bytes(torn[:size])
        kept = finishing.keep_partial(part, tmp_path / "a.mp4")
        assert not part.exists()
        if kept is None:
            counts.append(0)
            continue
        video_s, audio_s = lengths_s(kept)
        counts.append(len(list(read_frames(kept))))
        assert (TAGS | {"partial": f"the first {counts[-1]} frames"}).items() <= read_tags(kept).items()
        # What the encoders had not yet given out may leave a hole of a frame or two, and a moment without sound.
        assert -0.15 < audio_s - video_s < 0.01 and video_s == pytest.approx(counts[-1] / FPS, abs=0.09)
        kept.unlink()
    assert counts[:3] == [0, 0, 0] and counts == sorted(counts) and counts[-1] >= 40 and len(set(counts)) > 5
    assert files(tmp_path) == []


def test_bytes_that_are_no_video_leave_nothing(tmp_path):
    part = tmp_path / ".a.mp4.1.0.part"
    for content in (
        b"nonsense" * 99,
        b"\0\0\0\x10mdat12345678",
        b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x10mdat12345678",
    ):
        part.write_bytes(content)
        assert finishing.keep_partial(part, tmp_path / "a.mp4") is None
    assert files(tmp_path) == []


STOPPED = InterruptedRun("cancelled", "stopped", "again")


@pytest.mark.parametrize("error", [KeyboardInterrupt(), STOPPED, MemoryError(), KeyError()])
def test_whatever_ends_a_render_its_frames_are_kept_and_the_failure_tells_where(tmp_path, error):
    with pytest.raises(type(error)) as caught, writer(tmp_path / "a.mp4") as opened:
        write(opened, 7)
        raise error
    assert kept_of(caught.value) == str(tmp_path / "a.partial.mp4") and files(tmp_path) == ["a.partial.mp4"]
    assert len(list(read_frames(tmp_path / "a.partial.mp4"))) == 7
    assert lengths_s(tmp_path / "a.partial.mp4") == pytest.approx([0.28, 0.28], abs=1e-3)


def test_without_a_frame_nothing_is_kept(tmp_path):
    with pytest.raises(KeyboardInterrupt) as caught, writer(tmp_path / "a.mp4"):
        raise KeyboardInterrupt
    assert kept_of(caught.value) is None and files(tmp_path) == []


def test_the_sound_of_a_partial_is_the_beginning_of_the_sound(tmp_path):
    for name, count in (("whole", 60), ("cut", 31)):
        try:
            with writer(tmp_path / f"{name}.mp4") as opened:
                write(opened, count)
                if name == "cut":
                    raise KeyboardInterrupt
        except KeyboardInterrupt:
            pass
    whole, cut = (read_sound(tmp_path / f"{name}.mp4").samples for name in ("whole", "cut.partial"))
    inner = slice(0, len(cut) - 2048)
    assert abs(len(cut) / RATE_HZ - 31 / FPS) < 0.065 and np.abs(whole[: len(cut)] - cut)[inner].max() < 0.05


def test_stopped_while_it_is_finished(tmp_path):
    calls = []

    def check():
        calls.append(None)
        if len(calls) > 20:
            raise STOPPED

    with pytest.raises(InterruptedRun), writer(tmp_path / "a.mp4", check=check) as opened:
        write(opened)
    assert files(tmp_path) == ["a.partial.mp4"] and len(list(read_frames(tmp_path / "a.partial.mp4"))) == 60


def test_equal_frames_and_sound_give_equal_files(tmp_path):
    for name in ("a", "b"):
        with writer(tmp_path / f"{name}.mp4") as opened:
            write(opened, 20)
    one, two = ((tmp_path / f"{name}.mp4").read_bytes() for name in "ab")
    assert one == two


def test_the_index_is_in_front_and_the_file_is_no_longer_in_fragments(tmp_path):
    with writer(tmp_path / "a.mp4") as opened:
        write(opened, 20)
    content = (tmp_path / "a.mp4").read_bytes()
    assert b"moof" not in content and content.index(b"moov") < content.index(b"mdat")


@pytest.mark.parametrize(("lost", "code"), [("tags", "provenance_failed"), ("frames", "video_damaged")])
def test_a_loss_is_loud_and_has_no_name(tmp_path, monkeypatch, lost, code):
    repack = finishing._repack

    def lossy(part, whole, tags, end_s, check):
        repack(part, whole, {} if lost == "tags" else tags, end_s, check)

    monkeypatch.setattr(finishing, "_repack", lossy)
    with pytest.raises(ResourceError, match=code), writer(tmp_path / "a.mp4") as opened:
        write(opened, 20)
        opened._num_frames += lost == "frames"
    assert "a.mp4" not in files(tmp_path)


def test_where_the_copy_has_no_room_the_fragments_themselves_are_kept(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(finishing, "_repack", refuse)
    with pytest.raises(ResourceError, match="disk_full") as caught, writer(tmp_path / "a.mp4") as opened:
        write(opened)
    assert files(tmp_path) == ["a.partial.mp4"] and "a.partial.mp4" in str(caught.value)
    assert len(list(read_frames(tmp_path / "a.partial.mp4"))) == 60
