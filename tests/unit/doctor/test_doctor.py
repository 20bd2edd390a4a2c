"""The doctor tells what is in the way and how to get past it, names nobody, and fetches nothing unasked."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from omnihuman.cli import app
from omnihuman.doctor import examine as examination
from omnihuman.doctor import machine, render, software
from omnihuman.doctor.finding import failed, ok, warning
from omnihuman.doctor.models import look_at_models
from omnihuman.errors import ModelError
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.preset import load_preset
from tests.tiny import draw_face, tiny_pipeline


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OMNIHUMAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def by_topic(findings):
    return {finding.topic: finding for finding in findings}


def test_this_machine_has_what_it_needs():
    found = by_topic([*software.look_at_software(), *software.look_at_codecs(), *machine.look_at_devices()])
    assert {"python", "system", "libraries", "encoders", "decoders", "cpu", "cuda", "mps", "memory"} <= {*found}
    assert [topic for topic, finding in found.items() if finding.verdict == "failed"] == []
    assert "torch" in found["libraries"].found and "libx264" in found["encoders"].found


def test_a_missing_library_or_codec_fails_and_an_odd_version_warns(monkeypatch):
    monkeypatch.setattr(software, "_installed", lambda name: {"torch": "absent", "av": "1.0"}.get(name, "999"))
    monkeypatch.setattr(software, "_has_codec", lambda name, mode: name not in {"libx264", "vp9"})
    found = by_topic([*software.look_at_software(), *software.look_at_codecs()])
    assert (found["torch"].verdict, found["torch"].code) == ("failed", "library_missing")
    assert found["av"].verdict == "warning" and "1.0" in found["av"].found
    assert found["encoders"].code == "codec_missing" and "libx264" in found["encoders"].found
    assert found["decoders"].verdict == "warning" and "vp9" in found["decoders"].found


def test_places_without_room_or_permission(tmp_path, monkeypatch):
    assert {finding.verdict for finding in machine.look_at_places(tmp_path / "new")} == {"ok"}
    (tmp_path / "file").write_text("")
    assert next(machine.look_at_places(tmp_path / "file")).verdict == "failed"
    for free_mb, verdict in ((500, "warning"), (1, "failed")):
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _, mb=free_mb: SimpleNamespace(free=mb << 20))
        assert next(machine.look_at_places(tmp_path)).verdict == verdict


def test_models_that_are_not_there_fail_but_that_of_the_sentences(empty_cache):
    preset = load_preset("motion")
    found = by_topic(look_at_models(ModelHub.open(), preset))
    assert found[preset.models.sentences].verdict == "ok" and "--text" in found[preset.models.sentences].found
    assert found[preset.models.face_mesh].code == "model_missing" and "fetch" in found[preset.models.face_mesh].way_out
    assert found[preset.models.denoiser].verdict == "ok" and "Apache-2.0" in found[preset.models.denoiser].found


def test_a_changed_model_is_seen(empty_cache):
    preset, hub = load_preset("motion"), ModelHub.open()
    entry = hub.registry[preset.models.face_mesh]
    for spec in entry.all_files:
        place = hub.root / entry.id / spec.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"\0" * spec.size)
    assert by_topic(look_at_models(hub, preset))[entry.id].code == "model_corrupt"


def tiny_render(monkeypatch, pipeline):
    monkeypatch.setattr(render.OmniHumanPipeline, "from_pretrained", lambda preset, hub: pipeline)
    monkeypatch.setattr(render, "PICTURE", draw_face())
    return render.try_render(None, "motion")


def test_a_second_is_rendered_and_read_back(monkeypatch):
    finding = tiny_render(monkeypatch, tiny_pipeline())
    assert finding.verdict in {"ok", "warning"} and "read back" in finding.found


@pytest.mark.parametrize(
    ("error", "code"), [(ModelError("weights_unfit", "a", "b."), "weights_unfit"), (KeyError("/home"), "internal")]
)
def test_a_render_that_breaks_off_is_told_in_one_line(monkeypatch, error, code):
    def broken(*_, **__):
        raise error

    pipeline = tiny_pipeline()
    monkeypatch.setattr(type(pipeline), "__call__", broken)
    finding = tiny_render(monkeypatch, pipeline)
    assert (finding.verdict, finding.code) == ("failed", code) and "/home" not in finding.as_line(10)


def test_without_models_nothing_is_fetched_and_the_status_is_three(empty_cache):
    done = CliRunner().invoke(app, ["doctor", "--json"])
    told = json.loads(done.stdout)
    assert done.exit_code == 3 and not told["ok"] and not empty_cache.exists()
    assert told["findings"][-1]["topic"] == "render" and "--fetch" in told["findings"][-1]["way_out"]
    assert told["versions"]["torch"] != "absent"


def test_lines_and_status_for_people(monkeypatch):
    home = str(Path.home())
    findings = [ok("cache", f"{home}/.cache: writable"), warning("memory", "little", "Close something.")]
    monkeypatch.setattr(examination, "examine", lambda hub, preset: iter(findings))
    done = CliRunner().invoke(app, ["doctor"])
    lines = done.stdout.splitlines()
    assert done.exit_code == 0 and lines[0].split() == ["ok", "cache", "~/.cache:", "writable"]
    assert lines[1].endswith("little. Close something.") and lines[2].endswith("(failed: 0, warnings: 1).")
    findings.append(failed("render", "internal", "broke", "Report it."))
    assert CliRunner().invoke(app, ["doctor"]).exit_code == 3


def test_an_unknown_preset_is_a_coded_line():
    done = CliRunner().invoke(app, ["doctor", "--preset", "nothing"])
    assert done.exit_code == 2 and "config_missing" in done.stderr
