"""Ctrl+C and SIGTERM at the command line, as a terminal and a job system send them; what is left plays."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from omnihuman.config import ROOT
from omnihuman.pipeline.mark import NOTICE
from omnihuman.pipeline.preset import load_preset
from tests.unit.runner.playing import names, played

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

ADA = ROOT / "examples" / "portrait_ada.png"
COMMAND_LINE = """
import sys
from functools import partial
from omnihuman.cli import animate, main
from omnihuman.runner.run import RunOptions
words, sys.argv[1:] = sys.argv[1].split(), sys.argv[2:]
command = [sys.executable, "-m", "tests.unit.runner.stub_child", *words]
animate.RunOptions = partial(RunOptions, command=command)
main()
"""
"""The command line itself, whose child draws instead of dreaming."""


def start(folder, *command, **options):
    words = [
        "animate",
        "--image",
        str(ADA),
        "--say",
        "Hello there, it takes time.",
        "--out",
        str(folder / "a.mp4"),
    ]
    return subprocess.Popen(
        [sys.executable, *command, *words, *options.pop("more", [])],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def wait_for(process, what, limit_s=600):
    """Waits until `what()` holds; the process must live until then."""
    began_s = time.monotonic()
    while not what():
        assert process.poll() is None, process.communicate()
        if time.monotonic() - began_s > limit_s:
            os.killpg(process.pid, signal.SIGKILL)
            raise TimeoutError
        time.sleep(0.01)


def grown(folder, size):
    """Whether the growing file has so many bytes."""
    return lambda: any(path.suffix == ".part" and path.stat().st_size > size for path in folder.iterdir())


def ended(process, number):
    """Sends the signal to the whole group, as a terminal does; gives status, output and errors."""
    os.killpg(process.pid, number)
    output, errors = process.communicate(timeout=300)
    return process.returncode, output, errors


def test_before_the_first_frame_nothing_is_left(tmp_path):
    process = start(tmp_path, "-c", COMMAND_LINE, "hold=start")
    wait_for(process, lambda: children_of(process.pid))
    status, _, errors = ended(process, signal.SIGINT)
    assert status == 130 and "stopped before it was complete" in errors and "Traceback" not in errors
    assert names(tmp_path) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_during_the_frames_a_partial_plays_and_is_told(tmp_path, number):
    process = start(tmp_path, "-c", COMMAND_LINE, "hold=60", more=["--json"])
    wait_for(process, grown(tmp_path, 50_000))
    status, output, errors = ended(process, number)
    assert status == 130 and errors == "" and names(tmp_path) == ["a.partial.mp4"]
    error = json.loads(output)["error"]
    assert error["code"] == "cancelled" and error["kept"] == str(tmp_path / "a.partial.mp4")
    frames, video_s, audio_s = played(error["kept"])
    assert 20 < frames <= 60 and abs(video_s - audio_s) < 0.02


def test_while_the_file_is_finished_there_is_no_final_file(tmp_path):
    process = start(tmp_path, "-c", COMMAND_LINE, "slow_end=1")
    wait_for(process, lambda: any(".whole." in path.name for path in tmp_path.iterdir()))
    status, _, errors = ended(process, signal.SIGINT)
    assert status == 130 and "a.partial.mp4" in errors
    assert names(tmp_path) == ["a.partial.mp4"] and played(tmp_path / "a.partial.mp4")[0] == 75


def test_twice_does_not_wait(tmp_path):
    process = start(tmp_path, "-c", COMMAND_LINE, "hold=60 deaf=1")
    wait_for(process, grown(tmp_path, 50_000))
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(0.3)
    status, _, _ = ended(process, signal.SIGINT)
    assert status == 130 and names(tmp_path) == ["a.partial.mp4"]


def test_the_real_thing_stopped(tmp_path, model_handle):
    for model_id in load_preset("tiny").model_ids:
        model_handle(model_id)
    more = ["--preset", "tiny", "--quiet", "--fps", "60"]
    process = start(tmp_path, "-m", "omnihuman", more=more, env=os.environ | {"OMP_NUM_THREADS": "1"})
    wait_for(process, grown(tmp_path, 5_000))
    status, _, errors = ended(process, signal.SIGINT)
    assert status == 130 and names(tmp_path) == ["a.partial.mp4"], errors
    frames, video_s, audio_s = played(tmp_path / "a.partial.mp4", NOTICE)
    assert frames > 10 and abs(video_s - audio_s) < 0.03


def children_of(pid):
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(word) for word in found.stdout.split()]
