import errno
import json
import wave
from unittest.mock import Mock

import numpy as np
import pytest
from typer.testing import CliRunner

from omnihuman.cli import evaluation_sources
from omnihuman.cli.evaluate import app
from omnihuman.media.image import write_image
from omnihuman.media.video import VideoWriter
from omnihuman.speech.inventory import TimedPhone
from omnihuman.types import Sound
from tests.tiny import TinyFace, hum, tiny_pipeline
from tests.unit.evaluation.spoken import SETTINGS, tracks_of
from tests.unit.perception.drawn_face import draw_face


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
        (["x" * 300, "--phones", "PHONES"], "video_missing"),
        (["VIDEO", "--phones", "none.json"], "phones_missing"),
        (["VIDEO", "--phones", "FOLDER"], "phones_unreadable"),
    ],
)
def test_sync_refuses_what_it_cannot_judge(video, phones, arguments, code):
    places = {"VIDEO": video, "PHONES": phones, "FOLDER": video.parent}
    result = run("sync", *(places.get(argument, argument) for argument in arguments), "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code


@pytest.fixture
def lips(monkeypatch):
    """Says what the face tracker sees."""

    def see(gap):
        monkeypatch.setattr("omnihuman.cli.evaluation_sources.tracks_of", lambda video, face, *_: tracks_of(gap))

    return see


@pytest.fixture
def one_bar(monkeypatch):
    """A bar that two seconds of speech can meet."""
    settings = SETTINGS.model_copy(update={"bars": {"closure_f1": 0.6}})
    monkeypatch.setattr("omnihuman.evaluation.suite.load_sync_settings", lambda: settings)


@pytest.mark.usefixtures("one_bar")
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


@pytest.mark.usefixtures("one_bar")
def test_what_the_product_hears_itself_counts_for_no_bar(video, lips, monkeypatch):
    lips(np.full(50, 0.15, np.float32))
    said = [TimedPhone("AA", 0.0, 1.0), TimedPhone("M", 1.0, 1.1), TimedPhone("AA", 1.1, 2.0)]
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.heard", lambda sound, hub: said)
    result = run("sync", video, "--heard")
    assert result.exit_code == 0
    assert "bar" not in result.stdout.replace("counts for no bar", "")
    assert "phones: self-consistency" in result.stdout
    assert run("sync", video, "--heard", "--phones", video).exit_code == 2
    refused = json.loads(run("sync", video, "--heard", "--check", "--json").stdout)
    assert refused["error"]["code"] == "check_clash" and "self-consistency" in refused["error"]["cause"]


@pytest.fixture
def manifest(tmp_path):
    """A hum of two seconds in which an m is said."""
    rows = [("SIL", 0.0, 0.5), ("AA", 0.5, 0.9), ("M", 0.9, 1.0), ("AA", 1.0, 1.5), ("SIL", 1.5, 2.0)]
    (tmp_path / "p.json").write_text(json.dumps([{"symbol": s, "start_s": a, "end_s": b} for s, a, b in rows]))
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 16000, 0, "NONE", ""))
        file.writeframes((hum(2.0).samples * 32767).astype("<i2").tobytes())
    path = tmp_path / "clips.json"
    path.write_text(json.dumps({"schema": 1, "clips": [{"sound": "a.wav", "phones": "p.json", "speaker": "ann"}]}))
    return path


@pytest.mark.usefixtures("one_bar")
def test_a_list_of_sounds_is_performed_clean_and_spoiled(manifest, tmp_path, monkeypatch):
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.pipeline_of", lambda preset, hub: tiny_pipeline())
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.face_of", lambda hub: TinyFace())
    write_image(tmp_path / "face.png", draw_face())
    given = ["sync", "--manifest", manifest, "--image", tmp_path / "face.png"]
    record = json.loads(run(*given, "--fast", "--spoil", "noise20", "--json").stdout)
    assert record["bars"] == {} and "no frame was looked at" in record["facts"]["gap"]
    assert record["facts"]["bilabials"] == 1 and set(record["groups"]) == {"ann", "sound noise20"}
    assert "f1_loss_noise20" in record["measurements"]
    kept = tmp_path / "kept"
    record = json.loads(run(*given, "--size", "128", "--keep", kept, "--json").stdout)
    assert record["bars"] and (kept / "a.mp4").is_file()
    assert record["facts"]["frames_judged"] == 1.0
    assert record["facts"]["picture_gap"] < 0.06 and "warning" not in record["facts"]
    strict = SETTINGS.model_copy(update={"close_below": 1e-6})
    monkeypatch.setattr("omnihuman.evaluation.suite.load_sync_settings", lambda: strict)
    assert "warning: the picture's own lips are open" in run(*given, "--fast").stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "clips_needed"),
        (["MANIFEST", "--languages", "--image", "x.png"], "clips_needed"),
        (["--languages"], "picture_needed"),
        (["MANIFEST", "--spoil", "8k"], "picture_needed"),
        (["MANIFEST"], "picture_needed"),
        (["MANIFEST", "--image", "x.png", "--spoil", "echo"], "spoil_unknown"),
        (["a.mp4", "--fast", "--image", "x.png"], "videos_finished"),
        (["MANIFEST", "--fast", "--image", "x.png", "--check"], "check_clash"),
        (["MANIFEST", "--fast", "--image", "x.png", "--size", "256"], "fast_clash"),
        (["MANIFEST", "--fast", "--image", "x.png", "--keep", "kept"], "fast_clash"),
        (["MANIFEST", "--image", "x.png", "--size", "5000"], "request_invalid"),
        (["MANIFEST", "--image", "x.png", "--seed", "9999999999"], "request_invalid"),
    ],
)
def test_sync_refuses_what_nobody_can_perform(manifest, monkeypatch, arguments, code):
    rows = json.loads((manifest.parent / "p.json").read_text())
    sentence = {"sound": "a.wav", "transcript": "my"}
    manifest.write_text(json.dumps({"schema": 1, "clips": [sentence]}))
    if code == "spoil_unknown":
        monkeypatch.setattr("omnihuman.cli.evaluation_sources.aligned", lambda *_: [TimedPhone(**row) for row in rows])
    else:
        refuse = Mock(side_effect=AssertionError("aligned before the refusal"))
        monkeypatch.setattr("omnihuman.cli.evaluation_sources.aligned", refuse)
    given = [part for argument in arguments
             for part in (["--manifest", manifest] if argument == "MANIFEST" else [argument])]  # fmt: skip
    result = run("sync", *given, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["code"] == code


@pytest.mark.usefixtures("one_bar")
def test_check_ends_with_one_when_the_bar_is_missed(video, phones, lips):
    lips(np.full(50, 0.15, np.float32))
    assert run("sync", video, "--phones", phones).exit_code == 0
    assert run("sync", video, "--phones", phones, "--check").exit_code == 1


def test_clips_of_one_name_stay_two_in_the_table(video, phones, lips, tmp_path):
    gap = np.full(50, 0.15, np.float32)
    gap[24:26] = 0.01
    lips(gap)
    other = tmp_path / "b" / video.name
    other.parent.mkdir()
    other.write_bytes(video.read_bytes())
    record = json.loads(run("sync", video, other, "--phones", phones, "--phones", phones, "--json").stdout)
    assert set(record["clips"]) == {f"{tmp_path.name}/talk", "b/talk"}


def test_the_record_of_an_input_is_no_place_for_a_report(video, phones, no_work, tmp_path):
    record = video.with_suffix(".json")
    record.write_text("{}")
    beside = tmp_path / "clips.json"
    beside.write_text(json.dumps({"schema": 1, "clips": [{"sound": "talk.mp4", "phones": "phones.json"}]}))
    for command in (["motion", video], ["sync", video, "--phones", phones], ["mimic", video],
                    ["sync", "--manifest", beside, "--image", "x.png"]):  # fmt: skip
        result = json.loads(run(*command, "--json", "--report", record).stdout)
        assert result["error"]["code"] == "output_invalid"
    assert record.read_text() == "{}"


def test_looking_is_told_frame_by_frame(video, tmp_path, monkeypatch):
    face, look, frames = TinyFace(), evaluation_sources.tracks_of, [draw_face()] * 50
    told = []
    monkeypatch.setattr("omnihuman.media.footage.read_frames", lambda path: iter(frames))
    assert len(look(video, face, told.append).gap) == 50
    assert [(event.done, event.total) for event in told] == [(done, 50) for done in range(51)]
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.face_of", lambda hub: face)
    assert "looking at the face" in run("motion", video, "--no-background").stderr
    monkeypatch.setattr("omnihuman.evaluation.face_identity.embed_picture", lambda *_: np.ones(4, np.float32))
    monkeypatch.setattr("omnihuman.evaluation.face_identity.embed_frames", lambda seen, *_: np.ones((len([*seen]), 4)))
    write_image(tmp_path / "me.png", draw_face())
    assert "looking at the face" in run("identity", video, "--image", tmp_path / "me.png").stderr


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
    [
        ([], "times_needed"),
        (["--times", "soon"], "times_unreadable"),
        (["--times", "nan"], "times_unreadable"),
        (["--times", ""], "times_unreadable"),
        (["--times", "7"], "time_outside"),
        (["--transcript", ""], "transcript_empty"),
    ],
)
def test_sheet_refuses_what_it_cannot_show(video, tmp_path, options, code):
    result = run("sheet", video, "--whole", "--out", tmp_path / "x.png", *options)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error[{code}]: ")
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "x.png").exists()


@pytest.fixture
def no_work(monkeypatch):
    """Fails the test when a frame is looked at."""

    def look(*_):
        pytest.fail("worked before the refusal")

    monkeypatch.setattr("omnihuman.cli.evaluation_sources.tracks_of", look)
    monkeypatch.setattr("omnihuman.evaluation.contact_sheet.pick_frames", look)


@pytest.mark.parametrize(
    ("place", "status", "code"),
    [
        ("", 2, "output_invalid"),
        ("talk.mp4", 2, "output_invalid"),
        ("me.jpg", 2, "output_invalid"),
        ("none/report.json", 2, "folder_missing"),
        ("talk.mp4/report.json", 3, "output_unwritable"),
        ("x" * 300 + ".json", 3, "output_unwritable"),
    ],
)
def test_a_report_that_cannot_be_written_is_refused_before_the_work(video, phones, no_work, place, status, code):
    before = video.read_bytes()
    for command in (["motion"], ["sync", "--phones", phones]):
        result = run(*command, video, "--json", "--report", video.parent / place)
        assert result.exit_code == status
        assert json.loads(result.stdout)["error"]["code"] == code
    assert video.read_bytes() == before


def test_a_read_only_place_is_refused_before_the_work(video, tmp_path, no_work, monkeypatch):
    refusal = PermissionError(errno.EACCES, "Permission denied")
    monkeypatch.setattr("omnihuman.media.files.TemporaryFile", Mock(side_effect=refusal))
    for command, option, name in (
        (["motion"], "--report", "new.json"),
        (["sheet", "--times", "1"], "--out", "new.png"),
    ):
        result = run(*command, video, option, tmp_path / name)
        assert result.exit_code == 3
        assert result.stderr.startswith("error[output_unwritable]: ")


def test_a_report_that_fails_at_the_end_is_coded(video, lips, tmp_path, monkeypatch):
    lips(np.full(50, 0.01, np.float32))
    full = OSError(errno.ENOSPC, "No space left on device")
    report = tmp_path / "report.json"
    report.write_text("before")
    monkeypatch.setattr("pathlib.Path.write_bytes", Mock(side_effect=full))
    result = run("motion", video, "--no-background", "--report", report)
    assert report.read_text() == "before", "whole or not at all"
    assert result.exit_code == 3
    assert result.stderr.startswith("error[disk_full]: ")


@pytest.mark.parametrize("name", ["s.xyz", "s", "s.jpg"])
def test_sheet_refuses_another_format_before_the_work(video, tmp_path, no_work, name):
    result = run("sheet", video, "--times", "1", "--whole", "--out", tmp_path / name)
    assert result.exit_code == 2
    assert result.stderr.startswith("error[output_invalid]: ")
    assert not (tmp_path / name).exists()


def test_an_interruption_is_one_coded_line(video, monkeypatch):
    monkeypatch.setattr("omnihuman.cli.evaluation_sources.tracks_of", Mock(side_effect=KeyboardInterrupt))
    result = run("motion", video)
    assert result.exit_code == 130
    assert result.stderr.startswith("error[interrupted]: ")
    assert json.loads(run("motion", video, "--json").stdout)["error"]["code"] == "interrupted"
