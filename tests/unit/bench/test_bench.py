"""Ratios are right on made-up clocks, a tiny benchmark runs from picture to table, and results can be compared."""

import json
import subprocess
import sys
from types import SimpleNamespace

import pytest

from omnihuman.bench import run as bench_run
from omnihuman.bench.clock import interleaved
from omnihuman.bench.frames import FrameCosts
from omnihuman.bench.memory import measure_memory
from omnihuman.bench.record import Row, as_record, read_record, table, write_record
from omnihuman.bench.run import BenchPlan, run_bench
from omnihuman.bench.stages import RunCosts, StageClock, rows_of_runs
from omnihuman.bench.subject import restless
from omnihuman.config import ROOT
from omnihuman.errors import ConfigError, InputError, ResourceError
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.types import ProgressEvent
from tests.tiny import tiny_pipeline


class FakeClock:
    """Time that passes only where a task says so."""

    def __init__(self):
        self.now_s = 0.0

    def __call__(self):
        return self.now_s

    def task(self, *seconds):
        """A task that takes these times in turn, the last one for ever after."""
        left = list(seconds)

        def work():
            self.now_s += left.pop(0) if len(left) > 1 else left[0]

        return work


def test_medians_forget_the_warm_up_and_an_interruption():
    clock = FakeClock()
    spent = interleaved({"a": clock.task(50.0, 1.0, 9.0, 1.0), "b": clock.task(3.0)}, rounds=3, clock=clock)
    assert spent == {"a": 1.0, "b": 3.0}


def test_tasks_take_turns():
    order = []
    interleaved({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2)
    assert order == ["a", "b"] * 3


def test_frame_ratios():
    alone, with_encoding, cost = FrameCosts(512, frame_s=0.012, remap_s=0.002, encode_s=0.004).rows()
    assert alone.value == pytest.approx(2.0) and with_encoding.value == pytest.approx(16 / 6)
    assert (alone.verdict, with_encoding.verdict, cost.value) == ("ok", "MISSED", pytest.approx(12.0))
    assert FrameCosts(256, 0.012, 0.002, 0.004).rows()[1].verdict == ""


def test_a_stage_is_charged_with_its_own_time():
    clock = FakeClock()
    stages = StageClock(clock)
    for done, seconds in ((0, 5.0), (1, 2.0), (2, 3.0)):
        clock.now_s += seconds
        stages(ProgressEvent("render", done, 2, 0.0, None))
    assert dict(stages.spent_s) == {"render": 5.0}


def test_speeds_of_whole_runs():
    runs = [
        RunCosts(2.0, 50, 3.0, {"listen": 0.01, "denoise": 0.1}),
        RunCosts(8.0, 200, 6.0, {"listen": 0.04, "denoise": 0.4}),
    ]
    rows = {row.name: row for row in rows_of_runs(runs, 512)}
    assert rows["whole path, 8 s at 512x512"].value == pytest.approx(200 / 6)
    assert rows["phonetic network"].value == pytest.approx(200) and rows["denoiser"].value == pytest.approx(20)
    assert (
        rows["cost of one more second"].value == pytest.approx(0.5) and "2.00" in rows["cost of one more second"].detail
    )


def test_bars_of_speed_are_least_values():
    def verdicts(frames, denoise_s):
        rows = rows_of_runs([RunCosts(8.0, frames, 8.0, {"listen": 0.1, "denoise": denoise_s})] * 2, 512)
        return {row.name: (row.value, row.verdict) for row in rows if row.bar is not None}

    fast, slow = verdicts(110, 0.39), verdicts(90, 0.41)
    assert fast["whole path on two cores, 512x512"] == (pytest.approx(27.5), "ok")
    assert slow["whole path on two cores, 512x512"] == (pytest.approx(22.5), "MISSED")
    assert (fast["denoiser"][1], slow["denoiser"][1]) == ("ok", "MISSED")
    other = rows_of_runs([RunCosts(8.0, 90, 8.0, {})] * 2, 1024)
    assert next(row for row in other if row.name.startswith("whole path on two")).verdict == ""
    line = table(as_record([Row("denoiser", 14.0, "x real time", 20.0, more_is_better=True)], {}, {}))[1]
    assert ">= 20" in line and "MISSED" in line


def test_everything_moves_in_every_frame():
    motion = restless(50, 25.0)
    for name in ("head_yaw_deg", "jaw_open", "blink_l", "blink_r", "sway_x", "breathe"):
        assert (motion[:, INDEX[name]] != 0).all()


@pytest.fixture(scope="module")
def record():
    plan = BenchPlan(sides_px=(128,), num_frames=4, rounds=1, prepare_side_px=128, run_side_px=128,
                     durations_s=(0.2, 0.4), memory_s=None)  # fmt: skip
    heard = []
    made = run_bench(tiny_pipeline(), plan, heard.append)
    assert {event.stage for event in heard} == {"frames", "pictures", "whole runs"}
    assert heard[-1].done == heard[-1].total == 1
    return made


def test_a_tiny_benchmark_runs_end_to_end(record, tmp_path):
    values = {row["name"]: row["value"] for row in record["rows"]}
    assert all(value > 0 for value in values.values()) and len(values) >= 9
    frame_s, ratio = values["frame, 128x128"], values["frame / (remap + encode), 128x128"]
    both = values["(frame + encode) / (remap + encode), 128x128"]
    assert ratio < both < ratio + 1 and frame_s > 0
    assert (
        record["versions"]["numpy"] and record["cpu"] and "veryfast, crf 18, 2 threads" in record["settings"]["encoder"]
    )
    write_record(tmp_path / "deep" / "a.json", record)
    assert read_record(tmp_path / "deep" / "a.json") == json.loads(json.dumps(record))


def test_a_comparison_shows_the_change_and_what_is_new():
    def made(*rows):
        return as_record(rows, {}, {})

    earlier = made(Row("frame", 2.0, "x"))
    lines = table(made(Row("frame", 3.0, "x", 2.5), Row("other", 1.0, "s")), earlier)
    assert "MISSED" in lines[2] and "+50%" in lines[2] and "new" in lines[3]
    assert "%" not in table(earlier)[1]


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 1, "rows": []}', '{"schema": 9, "rows": [{"name": 1}]}', "[]"])
def test_what_is_no_result_is_coded(tmp_path, text):
    (tmp_path / "a.json").write_text(text)
    for name in ("a.json", "missing.json"):
        with pytest.raises(InputError, match="benchmark_unreadable"):
            read_record(tmp_path / name)


def test_another_space_is_coded():
    pipeline = SimpleNamespace(parts=SimpleNamespace(space=object(), name="other"))
    with pytest.raises(ConfigError, match="benchmark_space"):
        run_bench(pipeline, bench_run.QUICK)


def test_the_peak_remembers_what_was_freed():
    code = "from omnihuman.bench.memory import peak_memory_mb as peak; a = peak(); b = b'x' * 200_000_000; del b"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}; print(peak() - a)"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert 150 < float(done.stdout) < 250


def test_a_failing_child_is_coded():
    with pytest.raises(ResourceError, match="benchmark_failed"):
        measure_memory("no-such-preset", 64, 1.0)


@pytest.mark.slow
def test_memory_of_a_fresh_process(model_handle, monkeypatch):
    for name in ("motion-dit-tiny", "phones-hama", "voice-hibari", "face-detector", "face-mesh", "person-matte"):
        model_handle(name)
    monkeypatch.chdir(ROOT)
    peak, cost = measure_memory("tiny", 256, 0.5)
    assert 100 < peak.value < 1500 and peak.unit == "MB" and cost.value > 0
