"""One item in a child of its own: whatever becomes of the child, the parent tells it and nothing half-written stays."""

import signal
import subprocess
import sys
import threading
import time

import pytest

from omnihuman.config import ROOT
from omnihuman.media.files import parts_of
from omnihuman.runner.failure import FailureClass
from omnihuman.runner.run import RunOptions, run_item
from omnihuman.runner.stop import Stop
from omnihuman.types import AnimationRequest
from tests.unit.runner.playing import names, played

STUB = [sys.executable, "-m", "tests.unit.runner.stub_child"]
REQUEST = AnimationRequest(image="nobody.png", say="hello")
posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")


def run(folder, *words, on_event=None, stop=None, **options):
    events = []

    def hear(event):
        events.append(event)
        if on_event is not None:
            on_event(event)

    options = RunOptions(command=[*STUB, *words], **options)
    return run_item(REQUEST, folder / "a.mp4", options, hear, stop), events


def at_frame(number, act):
    """An `on_event` that acts once, when that frame is done."""
    done = []

    def hear(event):
        if event.stage == "render" and event.done >= number and not done:
            done.append(event)
            act()

    return hear


def test_an_item_is_made_and_told_by_one_schema(tmp_path):
    outcome, events = run(tmp_path, "prints=1")
    assert outcome.failure is None and outcome.result.video == tmp_path / "a.mp4" and outcome.result.seed == 7
    assert names(tmp_path) == ["a.json", "a.mp4"] and played(tmp_path / "a.mp4")[0] == 75
    kinds = [event.event for event in events]
    assert kinds[0] == "started" and kinds[-1] == "finished" and set(kinds[1:-1]) == {"progress"}
    done = [event.done for event in events if event.stage == "render"]
    assert done == sorted(done) and done[-1] == 75 and len(done) < 75
    assert all(type(event).model_validate_json(event.line()) == event for event in events)


@pytest.mark.parametrize(
    ("words", "failure", "code", "exit_code"),
    [
        ("fail=input@start", FailureClass.INPUT, "face_not_found", 2),
        ("fail=bug@start", FailureClass.INTERNAL, "internal", 3),
        ("fail=exit@start", FailureClass.CRASH, "worker_crashed", 3),
        ("fail=6@start", FailureClass.CRASH, "worker_crashed", 3),
        ("fail=9@start", FailureClass.OUT_OF_MEMORY, "out_of_memory", 3),
    ],
)
def test_every_failure_has_a_class_a_code_and_leaves_nothing(tmp_path, words, failure, code, exit_code):
    outcome, events = run(tmp_path, words)
    assert (outcome.failure, outcome.error.code) == (failure, code)
    assert outcome.error.exit_code == exit_code == failure.exit_code
    assert events[-1].event == "failed" and outcome.error.kept is None and names(tmp_path) == []
    told = {"bug": "KeyError", "exit": "native code gave up", "6": "SIGABRT"}
    assert told.get(words[5:].split("@")[0], "") in f"{outcome.error} {outcome.trace}"


@posix
@pytest.mark.parametrize(("frame", "least"), [(3, 0), (40, 20), (74, 50)])
def test_killed_at_any_frame_it_plays(tmp_path, frame, least):
    outcome, events = run(tmp_path, f"fail=9@{frame}")
    assert outcome.error.code == "out_of_memory" and "warning" not in [event.event for event in events]
    if not least:
        assert outcome.error.kept is None and names(tmp_path) == []
        return
    assert outcome.error.kept == str(tmp_path / "a.partial.mp4") and names(tmp_path) == ["a.partial.mp4"]
    frames, video_s, audio_s = played(tmp_path / "a.partial.mp4")
    assert least <= frames <= frame and abs(audio_s - video_s) < 0.05


def test_stopped_while_it_renders_it_keeps_every_frame(tmp_path):
    stop, asked_s = Stop(), []
    (tmp_path / "a.partial.mp4").write_bytes(b"of an earlier run")

    def ask():
        asked_s.append(time.monotonic())
        stop.ask()

    outcome, _ = run(tmp_path, "hold=30", on_event=at_frame(30, ask), stop=stop)
    assert outcome.failure is FailureClass.CANCELLED and outcome.error.exit_code == 130
    assert time.monotonic() - asked_s[0] < 10
    assert names(tmp_path) == ["a.partial-2.mp4", "a.partial.mp4"]
    frames, video_s, audio_s = played(tmp_path / "a.partial-2.mp4")
    assert frames == 30 and video_s == pytest.approx(1.2, abs=0.01) and audio_s == pytest.approx(1.2, abs=0.01)
    assert "a.partial-2.mp4" in str(outcome.error)


def test_stopped_before_the_first_frame_and_while_a_stage_asks_nobody(tmp_path):
    stop = Stop()
    outcome, _ = run(tmp_path, "hold=start", on_event=lambda event: stop.ask(), stop=stop)
    assert outcome.failure is FailureClass.CANCELLED and names(tmp_path) == []


def test_stopped_while_the_file_is_finished_there_is_a_partial_and_no_final_file(tmp_path):
    stop = Stop()
    outcome, _ = run(tmp_path, "slow_end=1", on_event=lambda event: event.stage == "finish" and stop.ask(), stop=stop)
    assert outcome.failure is FailureClass.CANCELLED and names(tmp_path) == ["a.partial.mp4"]
    assert played(tmp_path / "a.partial.mp4")[0] == 75


@posix
@pytest.mark.parametrize("force", [False, True])
def test_what_does_not_listen_is_killed_with_what_it_started(tmp_path, force):
    stop, asked_s = Stop(), []

    def ask():
        asked_s.append(time.monotonic())
        stop.ask(force)

    outcome, events = run(tmp_path, "hold=50", "deaf=1", on_event=at_frame(50, ask), stop=stop)
    assert outcome.failure is FailureClass.CANCELLED and time.monotonic() - asked_s[0] < 20
    assert played(outcome.error.kept)[0] >= 20 and names(tmp_path) == ["a.partial.mp4"]
    assert not is_alive(events[0].pid)


def test_too_slow_is_a_timeout_that_keeps_what_there_is(tmp_path):
    outcome, _ = run(tmp_path, "hold=40", timeout_s=4.0)
    assert outcome.failure is FailureClass.TIMEOUT and outcome.error.code == "timeout"
    assert names(tmp_path) in ([], ["a.partial.mp4"])


@pytest.mark.parametrize("kind", ["memory", "allocate"])
def test_out_of_memory_is_tried_once_more_and_told(tmp_path, kind):
    outcome, events = run(tmp_path, f"fail={kind}@40", "once=1")
    assert outcome.failure is None and names(tmp_path) == ["a.json", "a.mp4"]
    assert [event.event for event in events].count("warning") == 1


def test_out_of_memory_twice_is_coded(tmp_path):
    outcome, events = run(tmp_path, "fail=memory@30")
    assert outcome.error.code == "out_of_memory" and "--size" in str(outcome.error)
    assert [event.event for event in events].count("started") == 2
    assert names(tmp_path) == ["a.partial-2.mp4"] and played(outcome.error.kept)[0] == 30


@posix
@pytest.mark.parametrize("largest", [0, 2_000, 60_000, 200_000])
def test_a_full_disk_keeps_what_fits(tmp_path, largest):
    outcome, _ = run(tmp_path, "frames=100", f"largest={largest}")
    assert outcome.failure is FailureClass.RESOURCE and outcome.error.code == "disk_full"
    assert "a.mp4" not in names(tmp_path) and all(not name.startswith(".") for name in names(tmp_path))
    if largest > 50_000:
        frames, video_s, audio_s = played(outcome.error.kept)
        assert frames > 5 and abs(video_s - audio_s) < 0.25


@posix
def test_a_folder_that_cannot_be_written_to_is_coded(tmp_path):
    (tmp_path / "file").write_text("")
    outcome, _ = run(tmp_path / "file")
    assert outcome.error.code == "output_unwritable" and names(tmp_path) == ["file"]


def test_two_items_at_once_to_one_output_do_not_meet(tmp_path):
    outcomes = []
    threads = [threading.Thread(target=lambda: outcomes.append(run(tmp_path)[0])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [outcome.failure for outcome in outcomes] == [None, None]
    assert names(tmp_path) == ["a.json", "a.mp4"] and played(tmp_path / "a.mp4")[0] == 75


PARENT = """
from pathlib import Path
import sys
from omnihuman.runner.run import RunOptions, run_item
from omnihuman.types import AnimationRequest
command = [sys.executable, "-m", "tests.unit.runner.stub_child", *sys.argv[2:]]
tell = lambda event: print(event.line(), flush=True)
run_item(AnimationRequest(image="a.png", say="a"), Path(sys.argv[1]), RunOptions(command=command), tell)
"""


@posix
def test_a_child_whose_parent_is_killed_keeps_its_frames_and_ends(tmp_path):
    command = [sys.executable, "-c", PARENT, str(tmp_path / "a.mp4"), "hold=50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT, text=True) as parent:
        pid = None
        for line in parent.stdout:
            if '"pid"' in line:
                pid = int(line.split('"pid":')[1].split(",")[0].strip(" }\n"))
            if '"done": 50' in line:
                break
        parent.send_signal(signal.SIGKILL)
    for _ in range(600):
        if not parts_of(tmp_path / "a.mp4", pid) and not is_alive(pid):
            break
        time.sleep(0.05)
    assert not is_alive(pid) and names(tmp_path) == ["a.partial.mp4"] and played(tmp_path / "a.partial.mp4")[0] == 50


def is_alive(group):
    """Whether a process of the group still runs; zombies that nobody has buried yet do not."""
    found = subprocess.run(["ps", "-eo", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in found.splitlines()]
    return any(int(row[0]) == group and not row[1].startswith("Z") for row in rows)
