"""A child that crashes, hangs, eats memory or writes nonsense is a coded error, and then it is gone."""

import json
import os
import platform
import re
import socket
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from omnihuman.errors import InputError, ResourceError
from omnihuman.media import sandbox
from omnihuman.media.footage import read_frames, timed_frames, video_facts
from omnihuman.media.image import read_image
from omnihuman.media.messages import Bound, BrokenMessage, Message, NoMessage, receive, send
from omnihuman.media.video import VideoWriter
from tests.unit.media import seeds

PICTURE = {"picture": Bound("uint8", 2, 10_000, (3,)), "facts": None}
PRELUDE = "import os, signal, sys, time\nout = sys.stdout.buffer\nsys.stdin.readline()\n"
SAY_READY = PRELUDE + """out.write(b'{"kind": "ready", "fields": {}}\\n'); out.flush()\n"""
TCP_IS_LOCKED = tuple(map(int, re.findall(r"\d+", platform.release())[:2])) >= (6, 7)
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals end processes on POSIX systems")


@pytest.fixture
def picture(tmp_path) -> Path:
    (tmp_path / "a.png").write_bytes(seeds.picture("png"))
    return tmp_path / "a.png"


@pytest.fixture
def evil(monkeypatch):
    """Puts another program in the place of the decoder."""

    def become(script: str, wait_s: float = 30.0) -> None:
        monkeypatch.setattr(sandbox, "CHILD", ("-S", "-c", script))
        monkeypatch.setattr(sandbox, "MESSAGE_WAIT_S", wait_s)

    return become


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        read_image(path)
    assert caught.value.code == "image_unreadable" and caught.value.way_out and str(caught.value).isprintable()
    return caught.value


@posix
@pytest.mark.parametrize(
    ("deed", "cause"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", "crashed"),
        ("os.abort()", "crashed"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "ended by the system"),
        ("signal.raise_signal(signal.SIGXCPU)", "too long"),
        ("sys.exit(7)", "crashed"),
    ],
)
def test_a_child_that_dies(evil, picture, deed, cause):
    evil(SAY_READY + deed)
    assert cause in refused(picture).cause


@pytest.mark.parametrize(
    "deed",
    [
        "time.sleep(60)",
        "while True: pass",
        "while True: out.write(b' '); out.flush(); time.sleep(0.05)",
        """out.write(b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [64, 64, 3]}\\n1'); out.flush()
time.sleep(60)""",
    ],
    ids=["sleeps", "spins", "trickles", "stops within an array"],
)
def test_a_child_that_hangs(evil, picture, deed):
    evil(SAY_READY + deed, wait_s=1.5)
    began_s = time.monotonic()
    assert "too long" in refused(picture).cause
    assert time.monotonic() - began_s < 20


@posix
@pytest.mark.parametrize("deed", ["os.fork()", "if os.fork(): os._exit(0)"], ids=["both stay", "one stays"])
def test_what_the_child_has_started_ends_with_it(evil, picture, deed):
    evil(f"{SAY_READY}{deed}\ntime.sleep(60)", wait_s=1.5)
    began_s = time.monotonic()
    assert "too long" in refused(picture).cause
    assert time.monotonic() - began_s < 20


@pytest.mark.parametrize(
    "deed",
    [
        "out.write(os.urandom(1 << 16))",
        "out.write(b'A' * (1 << 22))",
        """out.write(b'{"kind": "tags", "fields": {}}\\n')""",
        """out.write(b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [9999999, 9999999, 3]}\\n')""",
    ],
    ids=["noise", "endless line", "unasked", "huge"],
)
def test_a_child_that_writes_nonsense(evil, picture, deed):
    evil(SAY_READY + deed)
    assert "crashed" in refused(picture).cause


@posix
def test_a_child_that_eats_memory_meets_its_limit(evil, picture):
    if sys.platform == "darwin":
        pytest.skip("macOS does not enforce RLIMIT_AS")
    evil("""
import omnihuman.media.decoding.pictures as pictures
from omnihuman.media.decoding.__main__ import main
def answer(path):
    import numpy as np
    eaten = []
    while True:
        eaten.append(np.empty(1 << 27, np.uint8))
pictures.answer_picture = answer
main()""")
    assert "too much memory" in refused(picture).cause


@posix
def test_the_child_may_neither_write_nor_open_much(evil, picture, tmp_path):
    """The limits hold inside the decoder: it tells by its own error what it could do."""
    evil(f"""
import omnihuman.media.decoding.pictures as pictures
from omnihuman.errors import InputError
from omnihuman.media.decoding.__main__ import main
def answer(path):
    import os
    done = []
    try:
        with open({str(tmp_path / "loot")!r}, "wb") as file:
            file.write(b"x" * 10)
        done.append("wrote")
    except OSError:
        pass
    try:
        held = [os.open(path, os.O_RDONLY) for _ in range(100)]
        done.append("opened")
    except OSError:
        pass
    done += [name for name in os.environ if "TOKEN" in name]
    raise InputError("image_unreadable", f"done: {{done}}", "Stop.")
    yield
pictures.answer_picture = answer
main()""")
    assert refused(picture).cause == "done: []"


@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_the_kernel_keeps_the_child_from_other_files_and_addresses(evil, picture, tmp_path):
    """The child tells whether it was locked, and how much its decoder got at all the same."""
    (tmp_path / "secret").write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as server:
        evil(f"""
import socket
import omnihuman.media.decoding.landlock as landlock
import omnihuman.media.decoding.pictures as pictures
from omnihuman.errors import InputError
from omnihuman.media.decoding.__main__ import main
locked, lock_down = [], landlock.lock_down
landlock.lock_down = lambda path: locked.append(lock_down(path))
def answer(path):
    got = []
    path.read_bytes()
    for act, what in ((open, {str(tmp_path / "secret")!r}), (socket.create_connection, {server.getsockname()!r})):
        try:
            got.append(act(what))
        except PermissionError:
            pass
    raise InputError("image_unreadable", f"locked {{locked[0]}}, got {{len(got)}}", "Stop.")
    yield
pictures.answer_picture = answer
main()""")
        cause = refused(picture).cause
    if cause.startswith("locked False"):
        pytest.skip("this kernel has no Landlock")
    assert cause == ("locked True, got 0" if TCP_IS_LOCKED else "locked True, got 1")


def test_a_child_that_does_not_start_is_no_fault_of_the_file(evil, picture, monkeypatch):
    evil("raise ImportError")
    with pytest.raises(ResourceError, match="decoder_unavailable"):
        read_image(picture)
    monkeypatch.setattr(sandbox.sys, "executable", str(picture))
    with pytest.raises(ResourceError, match="decoder_unavailable"):
        read_image(picture)


def test_errors_of_the_child_are_checked(evil, picture):
    def script(code: str) -> str:
        fields = {"code": code, "cause": "a\x1b[31m\nb", "way_out": "c"}
        line = json.dumps({"kind": "error", "fields": fields}).encode() + b"\n"
        return SAY_READY + f"out.write({line!r})"

    evil(script("image_unreadable"))
    assert refused(picture).cause == "a [31m b"
    for code in ("rm_rf", "video_unreadable"):
        evil(script(code))
        assert "crashed" in refused(picture).cause


def test_secrets_stay_with_the_parent(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    assert "HF_TOKEN" not in sandbox._environment()


@pytest.mark.parametrize("time_s", ["NaN", "-1", "0.5", '"1"', "null"])
def test_frames_with_impossible_times_are_refused(evil, picture, time_s):
    frame = (
        """out.write(b'{"kind": "frame", "fields": {"time_s": %s}, "dtype": "uint8", "shape": [1, 1, 3]}\\nabc')\n"""
    )
    evil(SAY_READY + frame % "0.5" + frame % time_s)
    frames = read_frames(picture)
    assert next(frames).tobytes() == b"abc"
    with pytest.raises(InputError, match="video_unreadable"):
        next(frames)


def test_a_stream_without_end_is_read_a_frame_at_a_time(evil, picture, children):
    evil(
        SAY_READY
        + """
for number in range(10**9):
    head = '{"kind": "frame", "fields": {"time_s": %d}, "dtype": "uint8", "shape": [512, 512, 3]}\\n' % number
    out.write(head.encode() + bytes(512 * 512 * 3))"""
    )
    frames = timed_frames(picture, max_duration_s=None)
    assert [next(frames)[0] for _ in range(3)] == [0, 1, 2]
    assert children[-1].poll() is None
    frames.close()
    assert children[-1].returncode is not None


@posix
def test_a_child_that_is_killed_between_frames(tmp_path, children):
    with VideoWriter(tmp_path / "a.mp4", 25.0, None, {}) as writer:
        for _ in range(8):
            writer.write(np.zeros((1024, 1024, 3), np.uint8))
    frames = read_frames(tmp_path / "a.mp4")
    next(frames)
    children[-1].kill()
    with pytest.raises(InputError, match="video_unreadable"):
        list(frames)


@posix
@pytest.mark.parametrize("name", ["concat:a|b.png", "http:x.png", "%03d.mp4", "a\nb.png", "\udcff.png", "-i.png"])
def test_any_name_is_only_a_name(tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        Path(name).write_bytes(seeds.video("mp4", 2))
    except OSError:
        pytest.skip("this file system does not know such names")
    assert video_facts(Path(name)).fps == 25
    Path(name).write_bytes(seeds.picture("png"))
    assert read_image(Path(name)).shape == (80, 96, 3)


def test_files_that_are_none_start_no_child(tmp_path, children, monkeypatch):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    monkeypatch.setattr(sandbox, "MAX_PICTURE_BYTES", 10)
    (tmp_path / "large.png").write_bytes(bytes(11))
    for name, code in (("none", "missing"), ("", "missing"), ("pipe", "missing"), ("large.png", "too_large")):
        with pytest.raises(InputError, match=f"image_{code}"):
            read_image(tmp_path / name)
    assert children == []


def through(tmp_path, *written: bytes) -> Path:
    (tmp_path / "pipe").write_bytes(b"".join(written))
    return tmp_path / "pipe"


def test_messages_pass_unchanged(tmp_path):
    array = np.arange(2 * 5 * 3, dtype=np.uint8).reshape(2, 5, 3)
    with (tmp_path / "pipe").open("wb") as pipe:
        send(pipe, Message("picture", array[:, ::-1], {"a": [1, None]}))
        send(pipe, Message("picture", array[:0]))
        send(pipe, Message("facts", None, {"b": 0.1}))
    with (tmp_path / "pipe").open("rb") as pipe:
        first, empty, facts = (receive(pipe, PICTURE) for _ in range(3))
        with pytest.raises(NoMessage):
            receive(pipe, PICTURE)
    assert np.array_equal(first.array, array[:, ::-1]) and first.fields == {"a": [1, None]}
    assert empty.array.shape == (0, 5, 3) and facts.fields == {"b": 0.1}


@pytest.mark.parametrize(
    "line",
    [
        b"{}",
        b"[]",
        b"[" * 10_000,
        b"\xff",
        b'{"kind": "picture"}',
        b'{"kind": ["picture"], "fields": {}}',
        b'{"kind": "picture", "fields": {}, "dtype": "object", "shape": [1, 1, 3]}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [-1, -1, 3]}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [true, 1, 3]}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [1.0, 1, 3]}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [101, 100, 3]}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": [1, 1, 4]}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8", "shape": "113"}',
        b'{"kind": "picture", "fields": {}, "dtype": "uint8"}',
        b'{"kind": "facts", "fields": [1]}',
    ],
)
def test_messages_that_were_not_asked_for_are_refused(tmp_path, line):
    with through(tmp_path, line, b"\n", bytes(100)).open("rb") as pipe, pytest.raises(BrokenMessage):
        receive(pipe, PICTURE)
