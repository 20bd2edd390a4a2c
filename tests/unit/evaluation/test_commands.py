import json

import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli.evaluate import app
from omnihuman.media.video import VideoWriter
from omnihuman.types import Sound
from tests.unit.evaluation.spoken import tracks_of


@pytest.fixture
def video(tmp_path):
    """Two seconds of grey with a tone."""
    path = tmp_path / "talk.mp4"
    tone = np.sin(np.arange(16000) / 4).astype(np.float32) * 0.2
    with VideoWriter(path, 25.0, Sound(tone, 8000), {}) as writer:
        for level in range(50):
            writer.write(np.full((48, 64, 3), 4 * level, np.uint8))
    return path


@pytest.fixture
def phones(tmp_path):
    """An m within a vowel, in the middle of the video."""
    rows = [("SIL", 0.0, 0.6), ("AA", 0.6, 0.96), ("M", 0.96, 1.04), ("AA", 1.04, 1.4), ("SIL", 1.4, 2.0)]
    path = tmp_path / "phones.json"
    path.write_text(json.dumps([{"symbol": s, "start_s": a, "end_s": b} for s, a, b in rows]))
    return path


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["VIDEO"], "phones_needed"),
        (["VIDEO", "--phones", "PHONES", "--transcript", "my"], "phones_needed"),
        (["VIDEO", "VIDEO", "--phones", "PHONES"], "clips_uneven"),
        (["none.mp4", "--phones", "PHONES"], "video_missing"),
        (["VIDEO", "--phones", "none.json"], "phones_missing"),
    ],
)
def test_sync_refuses_what_it_cannot_judge(video, phones, arguments, code):
    places = {"VIDEO": video, "PHONES": phones}
    result = run("sync", *(places.get(argument, argument) for argument in arguments), "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code


@pytest.fixture
def lips(monkeypatch):
    """Says what the face tracker sees."""

    def see(gap):
        monkeypatch.setattr("omnihuman.cli.evaluate._tracks", lambda video, face: tracks_of(gap))

    return see


def test_sync_prints_a_table_or_json_and_writes_the_report(video, phones, lips, tmp_path):
    gap = np.full(50, 0.15, np.float32)
    gap[:14] = gap[24:26] = gap[36:] = 0.01
    lips(gap)
    table = run("sync", video, "--phones", phones, "--check")
    assert table.exit_code == 0
    assert "bar 0.6: met" in table.stdout
    report = tmp_path / "report.json"
    record = json.loads(run("sync", video, "--phones", phones, "--json", "--report", report).stdout)
    assert record["measurements"]["closure_f1"]["value"] == 1.0
    assert json.loads(report.read_text()) == record


def test_check_ends_with_one_when_the_bar_is_missed(video, phones, lips):
    lips(np.full(50, 0.15, np.float32))
    assert run("sync", video, "--phones", phones).exit_code == 0
    assert run("sync", video, "--phones", phones, "--check").exit_code == 1


def test_motion_without_background_needs_the_face_only(video, lips):
    lips(np.full(50, 0.01, np.float32))
    record = json.loads(run("motion", video, "--no-background", "--json").stdout)
    assert record["measurements"]["blink_rate"]["value"] == 0.0
    assert record["facts"]["frames"] == 50


def test_sheet_of_whole_frames(video, phones, tmp_path):
    by_time = run("sheet", video, "--times", "0.1,1.9", "--whole", "--out", tmp_path / "a.png")
    by_phone = run("sheet", video, "--phones", phones, "--whole", "--out", tmp_path / "b.png")
    assert (by_time.exit_code, by_phone.exit_code) == (0, 0)
    assert "2 frames" in by_time.stdout
    assert "3 frames" in by_phone.stdout
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("options", "code"),
    [([], "times_needed"), (["--times", "soon"], "times_unreadable"), (["--times", "7"], "time_outside")],
)
def test_sheet_refuses_what_it_cannot_show(video, tmp_path, options, code):
    result = run("sheet", video, "--whole", "--out", tmp_path / "x.png", *options)
    assert result.exit_code == 2
    assert code in result.stderr
    assert not (tmp_path / "x.png").exists()
