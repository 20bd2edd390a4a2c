"""`models ...` and `licences` as a person or a script calls them."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from omnihuman.cli import licences, models
from omnihuman.errors import ConfigError
from omnihuman.modelhub.bundle import LICENCES, MANIFEST
from omnihuman.modelhub.hub import ModelHub
from tests.unit.modelhub.conftest import MEMBERS, Machine

NET = MEMBERS["test_wheel/net.tflite"]


def call(*arguments: str) -> Result:
    return CliRunner().invoke(models.app, [str(argument) for argument in arguments])


def call_json(*arguments: str) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(call(*arguments, "--json").stdout)
    return record


def test_list_and_show_tell_state_licence_and_source(wheel_machine: Machine) -> None:
    assert {model["id"]: model["state"] for model in call_json("list")["models"]} == {
        "net": "missing",
        "table": "missing",
    }
    call("fetch", "net")
    assert {model["id"]: model["state"] for model in call_json("list")["models"]} == {"net": "ok", "table": "missing"}
    shown = call_json("show", "net")
    assert shown["licence"]["name"] == "MIT"
    assert Path(shown["paths"]["net.tflite"]).read_bytes() == NET
    for command in (("list",), ("show", "net")):
        result = call(*command)
        assert result.exit_code == 0
        assert "MIT" in result.stdout


def test_fetch_embedded_takes_what_can_be_fetched(wheel_machine: Machine, weights_machine: Machine) -> None:
    (weights_machine.weights / "own.safetensors").unlink()
    assert call_json("fetch", "--embedded")["fetched"] == ["net", "table"]
    again = call_json("fetch", "--all")
    assert (again["fetched"], again["present"]) == ([], ["net", "table"])
    assert call_json("fetch", "own")["error"]["code"] == "model_missing"


@pytest.mark.parametrize("arguments", [("fetch",), ("fetch", "net", "--all"), ("fetch", "--all", "--embedded")])
def test_fetch_wants_one_clear_selection(wheel_machine: Machine, arguments: tuple[str, ...]) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert "selection_unclear" in result.stderr


def test_errors_are_one_line_with_an_exit_code(wheel_machine: Machine) -> None:
    result = call("fetch", "nett")
    assert result.exit_code == 3
    assert result.stderr.strip() == "error[model_unknown]: there is no model 'nett'. Did you mean 'net'?"
    assert call_json("show", "nett")["error"]["code"] == "model_unknown"


def test_progress_goes_to_stderr_and_silence_is_possible(wheel_machine: Machine) -> None:
    assert "MB" in call("fetch", "net").stderr
    shutil.rmtree(wheel_machine.cache)
    assert call("fetch", "net", "--quiet").stderr == ""


def test_verify_hashes_truly(wheel_machine: Machine) -> None:
    call("fetch", "net")
    assert call_json("verify") == {"ok": True, "files": call_json("verify", "net")["files"]}
    path = wheel_machine.cache / "models" / "net" / "net.tflite"
    before = path.stat()
    path.write_bytes(NET[:-1] + b"x")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    result = call("verify")
    assert result.exit_code == 3
    assert "changed    net/net.tflite" in result.stdout
    assert "models fetch net" in result.stderr
    assert call("verify", "table").exit_code == 3
    assert call("fetch", "net").exit_code == 0


def test_pin_writes_the_lock_file(weights_machine: Machine) -> None:
    record = call_json("pin", "own")
    assert Path(record["lock"]) == weights_machine.configs / "weights.lock.json"
    assert record["files"][0]["size"] == len(b"weights")
    assert call("verify", "own").exit_code == 0


@pytest.fixture
def bundle(wheel_machine: Machine, weights_machine: Machine, tmp_path: Path) -> Path:
    call("pin", "own")
    folder = tmp_path / "bundle"
    result = call("bundle", str(folder))
    assert result.exit_code == 0, result.stderr
    return folder


def test_a_bundle_is_all_that_an_offline_machine_needs(
    bundle: Path, wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(wheel_machine.cache)
    shutil.rmtree(wheel_machine.index)
    shutil.rmtree(wheel_machine.weights)
    monkeypatch.setenv("OMNIHUMAN_CACHE", str(bundle))
    monkeypatch.setenv("OMNIHUMAN_OFFLINE", "1")
    hub = ModelHub.open()
    assert hub.ensure("net")["net.tflite"].read_bytes() == NET
    assert hub.ensure("own")["own.safetensors"].read_bytes() == b"weights"
    assert call("verify", "net", "table", "own").exit_code == 0


def test_a_bundle_carries_manifest_and_licences(bundle: Path) -> None:
    manifest = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    assert [model["id"] for model in manifest["models"]] == ["net", "table", "own"]
    for model in manifest["models"]:
        for file in model["files"]:
            assert (bundle / "models" / model["id"] / file["name"]).stat().st_size == file["size"]
    page = (bundle / LICENCES).read_text(encoding="utf-8")
    assert "Training data: none at all" in page
    assert (bundle / "models" / "net" / "LICENSE").is_file()
    assert not list(bundle.rglob("*.part"))


def test_a_bundle_can_be_completed_but_not_poured_into_a_used_folder(bundle: Path, tmp_path: Path) -> None:
    (bundle / MANIFEST).unlink()
    (bundle / "models" / "net" / "net.tflite").write_bytes(b"half")
    assert call("bundle", str(bundle), "net").exit_code == 0
    assert (bundle / "models" / "net" / "net.tflite").read_bytes() == NET
    result = call("bundle", str(tmp_path), "net")
    assert result.exit_code == 2
    assert "bundle_folder_used" in result.stderr


def test_a_corrupt_model_is_not_bundled(weights_machine: Machine, tmp_path: Path) -> None:
    call("pin", "own")
    (weights_machine.weights / "own.safetensors").write_bytes(b"weightz")
    result = call("bundle", str(tmp_path / "bundle"))
    assert result.exit_code == 3
    assert "model_corrupt" in result.stderr
    assert not (tmp_path / "bundle" / MANIFEST).exists()


def test_a_bundle_folder_that_cannot_be_is_refused_before_anything_is_fetched(
    wheel_machine: Machine, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    impossible = [tmp_path / ("x" * 300), tmp_path / "file" / "bundle"]
    impossible += [Path("/proc/bundle")] if Path("/proc/self").exists() else []
    for folder in impossible:
        error = call_json("bundle", str(folder), "net")["error"]
        assert error["code"] == "folder_read_only", folder
        assert error["way_out"].lower().endswith("name another folder.")
    assert not wheel_machine.cache.exists()


def test_a_full_disk_under_a_bundle_is_not_blamed_on_the_cache(
    wheel_machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    call("fetch", "net")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: shutil._ntuple_diskusage(1, 1, 0))
    error = call_json("bundle", str(tmp_path / "bundle"), "net")["error"]
    assert error["code"] == "disk_full"
    assert "OMNIHUMAN_CACHE" not in error["way_out"]


def test_the_pages_of_the_checkout_never_describe_another_registry(weights_machine: Machine) -> None:
    with pytest.raises(ConfigError) as caught:
        licences.generated_pages()
    assert caught.value.code == "configs_elsewhere"


def test_the_generated_pages_are_up_to_date() -> None:
    for path, text in licences.generated_pages().items():
        assert path.read_text(encoding="utf-8") == text, f"{path.name}: run 'python -m omnihuman licences'"


def test_no_model_or_codec_without_licence_and_training_data() -> None:
    pages = {path.name: text for path, text in licences.generated_pages().items()}
    for model in ModelHub.open().registry:
        page = pages["README.md" if model.source.kind == "weights" else "THIRD_PARTY.md"]
        block = page.split(f"# {model.id}\n")[1].split("\n#")[0]
        assert f"- Licence: {model.licence.name}" in block
        assert f"- Training data: {model.training_data}" in block
    assert "libx264" in pages["THIRD_PARTY.md"]
    assert "GPL-2.0-or-later" in pages["THIRD_PARTY.md"]
