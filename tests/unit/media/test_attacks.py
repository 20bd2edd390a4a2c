"""Files that attack: bombs, lists that open other files or addresses, headers that lie. Each is a code, and cheap."""

import io
import json
import struct
import subprocess
import sys
import threading
import zlib
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image as PillowImage

from omnihuman.errors import InputError
from omnihuman.media.audio import read_sound
from omnihuman.media.decoding.containers import open_container
from omnihuman.media.decoding.pictures import decode_picture
from omnihuman.media.decoding.sounds import CHUNK, answer_sound
from omnihuman.media.footage import read_frames, read_tags, video_facts
from omnihuman.media.image import read_image
from omnihuman.media.limits import KEPT_RATE_HZ, MAX_PICTURE_PIXELS
from tests.meta.source_tree import ROOT
from tests.unit.media import seeds

READERS = {"image": read_image, "audio": read_sound, "video": lambda path: list(read_frames(path))}
MEASURED = """
import json, resource, sys, time
from pathlib import Path
from omnihuman.errors import InputError
from omnihuman.media.image import read_image
told = []
for name in sys.argv[1:]:
    try:
        read_image(Path(name))
        told.append("read")
    except InputError as error:
        told.append(error.code)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([told, used.ru_maxrss, used.ru_utime + used.ru_stime]))
"""


def png_bomb(side_px: int) -> bytes:
    """A true PNG of `side_px` squared black pixels: one bit each, a row of zeros squeezed again and again."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + (side_px + 7) // 8)
    packed = b"".join(packer.compress(row) for _ in range(side_px)) + packer.flush()
    head = struct.pack(">IIBBBBB", side_px, side_px, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")


@pytest.fixture
def canary():
    """A server on this machine that counts who comes."""
    visits = []

    class Counting(BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802 - the server asks for this name
            visits.append(self.path)
            self.send_error(404)

        do_HEAD = do_GET  # noqa: N815

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Counting) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", visits
        server.shutdown()


@pytest.mark.skipif(sys.platform == "win32", reason="the system does not count the memory of children")
def test_bombs_of_pixels_are_refused_before_they_unfold(tmp_path):
    for side_px in (9000, 13000, 20000):
        (tmp_path / f"{side_px}.png").write_bytes(png_bomb(side_px))
    assert (tmp_path / "20000.png").stat().st_size < 100_000
    names = sorted(map(str, tmp_path.iterdir()))
    command = [sys.executable, "-c", MEASURED, *names]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    codes, peak, cpu_s = json.loads(done.stdout)
    assert codes == ["image_too_large"] * 3
    assert peak * (1 if sys.platform == "darwin" else 1024) < 150e6
    assert cpu_s < 3 * 0.6


def test_a_picture_inside_a_picture_may_not_grow(tmp_path):
    """A GIF of 100 x 100 pixels whose first frame says that it has 60000 x 60000."""
    held = io.BytesIO()
    PillowImage.new("P", (100, 100)).save(held, "GIF")
    data = bytearray(held.getvalue())
    at = data.index(b"\x2c", 13 + 3 * (2 << (data[10] & 7)))
    data[at + 5 : at + 9] = struct.pack("<HH", 60000, 60000)
    (tmp_path / "a.gif").write_bytes(bytes(data))
    with pytest.raises(InputError, match="image_too_large"):
        decode_picture(tmp_path / "a.gif")


@pytest.mark.parametrize("suffix", ["svg", "eps", "pdf", "psd", "ico", "ppm", "fits", "wmf"])
def test_other_formats_of_pictures_are_not_even_tried(tmp_path, suffix):
    heads = {
        "svg": b"<svg/>",
        "eps": b"%!PS-Adobe-3.0 EPSF",
        "pdf": b"%PDF-1.7",
        "psd": b"8BPS\x00\x01",
        "ppm": b"P6 9 9 255 ",
    }
    (tmp_path / "a.png").write_bytes(heads.get(suffix, suffix.encode()) + bytes(500))
    with pytest.raises(InputError, match="image_format"):
        decode_picture(tmp_path / "a.png")


LISTS = {
    "ffconcat": "ffconcat version 1.0\nfile other.mp4\n",
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{url}/a.ts\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
    "hls of a sibling": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.mp4\n#EXT-X-ENDLIST\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period><AdaptationSet>'
    '<Representation id="1"><BaseURL>{url}/a.mp4</BaseURL></Representation></AdaptationSet></Period></MPD>',
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\n",
    "rtsp": "RTSPtext\nrtsp://127.0.0.1/a\n",
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>',
}


@pytest.mark.parametrize("suffix", ["mp4", "m3u8", "wav"])
@pytest.mark.parametrize("kind", LISTS)
def test_lists_open_neither_files_nor_addresses(tmp_path, canary, kind, suffix):
    """Every list beside a good video that it names; opened as the child opens it, without the cost of a child."""
    url, visits = canary
    (tmp_path / "other.mp4").write_bytes(seeds.video("mp4", 2))
    path = tmp_path / f"a.{suffix}"
    path.write_text(LISTS[kind].format(url=url))
    with pytest.raises(av.FFmpegError):
        open_container(path).close()
    assert visits == []


@pytest.mark.parametrize(("kind", "suffix"), [("ffconcat", "mp4"), ("hls", "m3u8")])
def test_lists_are_coded_through_every_door(tmp_path, canary, kind, suffix):
    url, visits = canary
    (tmp_path / "other.mp4").write_bytes(seeds.video("mp4", 2))
    path = tmp_path / f"a.{suffix}"
    path.write_text(LISTS[kind].format(url=url))
    for family, read in {**READERS, "video ": read_tags, " video": video_facts}.items():
        with pytest.raises(InputError, match=rf"{family.strip()}_(unreadable|format)"):
            read(path)
    assert visits == []


def test_a_list_without_the_guard_does_open_the_sibling(tmp_path):
    """The attack is real: plain FFmpeg follows it. If this fails one day, the tests above prove nothing any more."""
    (tmp_path / "other.mp4").write_bytes(seeds.video("mp4", 2))
    (tmp_path / "a.mp4").write_text(LISTS["ffconcat"])
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert container.streams.video[0].width == 96


def test_a_polyglot_is_what_the_reader_makes_of_it(tmp_path):
    """A picture with an archive, a page or a playlist behind it stays a picture, and no sound or video."""
    for tail in (b"PK\x03\x04" + bytes(50), b"<html><script>", b"#EXTM3U\nhttp://127.0.0.1:9/a.ts\n"):
        (tmp_path / "a.png").write_bytes(seeds.picture("png") + tail)
        assert decode_picture(tmp_path / "a.png")[0].shape == (80, 96, 3)
        with pytest.raises(av.FFmpegError):
            open_container(tmp_path / "a.png").close()


def test_a_video_of_huge_frames_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width = stream.height = 8192
        stream.pix_fmt = "yuvj420p"
        frame = av.VideoFrame(8192, 8192, "yuvj420p")
        frame.pts = 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(InputError, match="video_too_large"):
        next(read_frames(tmp_path / "a.mp4"))


def test_frames_that_grow_on_the_way_are_not_decoded(tmp_path, monkeypatch):
    """The header says 96 x 64, a later packet more: the codec itself holds the limit."""
    from omnihuman.media.decoding import containers, frames

    (tmp_path / "a.mkv").write_bytes(seeds.video("mkv"))
    monkeypatch.setattr(containers, "MAX_FRAME_PIXELS", 96 * 64 - 1)
    monkeypatch.setattr(
        containers, "_check_video", lambda name, container: containers.confined(container.streams.video[0])
    )
    with pytest.raises(InputError, match="video_unreadable"):
        list(frames.answer_frames(tmp_path / "a.mkv", None, None, None, None))


def eight_channels(path: Path, duration_s: float, rate_hz: int) -> None:
    """Silence in eight channels: a kilobyte of it is a megabyte of samples."""
    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=rate_hz, layout="7.1")
        silence = np.zeros((1, 8 * 4096), np.int16)
        for index in range(round(duration_s * rate_hz / 4096)):
            frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="7.1")
            frame.sample_rate, frame.pts = rate_hz, index * 4096
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def test_many_channels_are_mixed_as_they_come(tmp_path):
    eight_channels(tmp_path / "a.flac", 60.0, 8000)
    with closing(answer_sound(tmp_path / "a.flac")) as messages:
        sizes = [message.array.shape for message in messages]
    assert all(len(shape) == 1 and shape[0] < 2 * CHUNK for shape in sizes)
    assert sum(shape[0] for shape in sizes) == pytest.approx(60 * 8000, abs=4096)


def test_a_sound_that_is_too_long_is_told_while_it_is_read(tmp_path, monkeypatch):
    from omnihuman.media.decoding import sounds

    eight_channels(tmp_path / "a.flac", 20.0, 8000)
    monkeypatch.setattr(sounds, "MAX_SOUND_S", 5.0)
    with pytest.raises(InputError, match="audio_too_long"):
        list(answer_sound(tmp_path / "a.flac"))


@pytest.mark.parametrize("rate_hz", [96000, 192000])
def test_fast_sound_arrives_at_the_rate_of_the_video(tmp_path, rate_hz):
    samples = (20000 * np.sin(2 * np.pi * 440 * np.arange(rate_hz) / rate_hz)).astype(np.int16)
    with av.open(str(tmp_path / "a.wav"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], format="s16", layout="mono")
        frame.sample_rate = rate_hz
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    (message,) = answer_sound(tmp_path / "a.wav")
    assert message.fields["rate_hz"] == KEPT_RATE_HZ and len(message.array) == pytest.approx(KEPT_RATE_HZ, abs=64)
    wanted = 20000 / 32768 * np.sin(2 * np.pi * 440 * np.arange(len(message.array)) / KEPT_RATE_HZ)
    assert np.abs(message.array - wanted)[200:-200].max() < 2e-3


@pytest.mark.parametrize("rate_hz", [0, 1000, 2**31 - 1])
def test_impossible_rates_are_coded(tmp_path, rate_hz):
    data = bytearray(seeds.sound("wav"))
    data[24:28] = struct.pack("<I", rate_hz)
    (tmp_path / "a.wav").write_bytes(bytes(data))
    with pytest.raises(InputError, match="audio_unreadable"):
        list(answer_sound(tmp_path / "a.wav"))


def test_the_largest_picture_fits_into_the_memory_of_a_child(tmp_path):
    side_px = int(MAX_PICTURE_PIXELS**0.5)
    (tmp_path / "a.png").write_bytes(png_bomb(side_px))
    assert read_image(tmp_path / "a.png").shape == (side_px, side_px, 3)
