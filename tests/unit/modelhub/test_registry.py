"""The registry: what parses, what is refused and what the refusal says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnihuman.errors import ConfigError, ModelError, OmniHumanError
from omnihuman.modelhub.registry import SAFE_SUFFIXES, Registry, write_pins
from omnihuman.modelhub.sources import PathSource, WheelSource
from tests.unit.modelhub.conftest import Machine, entry

SHIPPED = sorted((Path(__file__).parents[3] / "configs" / "models").glob("*.yaml"))
EXPECTED_IDS = {
    "face-detector", "face-mesh", "body-pose", "person-matte", "phones-hama", "voice-hibari", "motion-dit",
}  # fmt: skip


def read(machine: Machine, **changes: Any) -> Registry:
    base = entry(source={"kind": "weights"}, files=[{"path": "a.safetensors"}])
    machine.write("family", {"models": {"one": {**base, **changes}}})
    return Registry.load()


def refusal(machine: Machine, **changes: Any) -> OmniHumanError:
    with pytest.raises(ConfigError) as caught:
        read(machine, **changes)
    return caught.value


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_every_shipped_file_gives_complete_entries(path: Path) -> None:
    ids = set(yaml.safe_load(path.read_text(encoding="utf-8"))["models"])
    entries = [model for model in Registry.load(path.parent) if model.id in ids]
    assert {model.id for model in entries} == ids
    for model in entries:
        assert len(model.training_data) >= 10
        assert model.licence.url or model.licence.note
        assert all(file.name.endswith(SAFE_SUFFIXES) for file in model.files)
        if isinstance(model.source, WheelSource):
            assert all(file.is_pinned for file in model.all_files)
            assert sum(file.size or 0 for file in model.files) < 4 * model.source.size


def test_the_default_models_are_shipped_and_embedded() -> None:
    assert {model.id for model in Registry.load(SHIPPED[0].parent) if model.embedded} >= EXPECTED_IDS


def test_family_keys_are_shared_and_own_keys_win(machine: Machine) -> None:
    own = {key: value for key, value in entry().items() if key != "memory_mb"}
    files = [{"path": "a.safetensors"}]
    family = {**own, "memory_mb": 5, "source": {"kind": "weights"}, "files": files}
    machine.write("family", {**family, "models": {"one": {}, "two": {"memory_mb": 7}}})
    registry = Registry.load()
    assert [registry["one"].memory_mb, registry["two"].memory_mb] == [5, 7]
    assert len(registry) == 2


def test_an_unknown_id_names_the_nearest(machine: Machine) -> None:
    with pytest.raises(ModelError, match="Did you mean 'one'") as caught:
        read(machine)["onne"]
    assert caught.value.code == "model_unknown"


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"memory_md": 3}, "setting_unknown", "memory_mb"),
        ({"source": {"kind": "weigths"}}, "setting_invalid", "weights"),
        (
            {"source": {"kind": "huggingface", "repo": "a/b", "revision": "0" * 40, "branc": 1}},
            "setting_unknown",
            "branc",
        ),
        ({"source": {"kind": "huggingface", "repo": "a/b", "revision": "main"}}, "setting_invalid", "revision"),
        ({"licence": {"name": "MIT", "urls": "https://x"}}, "setting_unknown", "url"),
        ({"licence": {"name": "MIT"}}, "setting_invalid", "traced"),
        ({"training_data": ""}, "setting_invalid", "training_data"),
        ({"target": "os:system"}, "setting_invalid", "target"),
        ({"target": "omnihuman_evil:Class"}, "setting_invalid", "target"),
        ({"target": "omnihuman.a:b.c"}, "setting_invalid", "target"),
        ({"files": [{"path": "a.pt"}]}, "setting_invalid", "safetensors"),
        ({"files": [{"path": "../a.json"}]}, "setting_invalid", "relative"),
        ({"files": [{"path": "/a.json"}]}, "setting_invalid", "relative"),
        ({"files": [{"path": ".verified.json"}]}, "setting_invalid", "dot"),
        ({"files": [{"path": "a.json", "name": "deep/.0.json"}]}, "setting_invalid", "dot"),
        ({"files": [{"path": "c:/a.json"}]}, "setting_invalid", "relative"),
        ({"files": [{"path": "x\\a.json"}]}, "setting_invalid", "relative"),
        ({"files": [{"path": "a.json", "sha265": "0" * 64}]}, "setting_unknown", "sha256"),
        ({"files": [{"path": "a.json"}, {"path": "b/a.json"}]}, "setting_invalid", "same name"),
        ({"files": []}, "setting_invalid", "file"),
        ({"loader": "pickle"}, "setting_invalid", "loader"),
    ],
)
def test_wrong_entries_are_refused_with_the_reason(
    machine: Machine, changes: dict[str, Any], code: str, words: str
) -> None:
    error = refusal(machine, **changes)
    assert error.code == code
    assert words in str(error)
    assert "family.yaml (one)" in str(error)


@pytest.mark.parametrize("missing", ["licence", "training_data", "target", "memory_mb", "source"])
def test_no_entry_without_the_facts(machine: Machine, missing: str) -> None:
    base = entry(source={"kind": "weights"}, files=[{"path": "a.safetensors"}])
    machine.write("family", {"models": {"one": {key: value for key, value in base.items() if key != missing}}})
    with pytest.raises(ConfigError, match=missing):
        Registry.load()


def test_a_wheel_must_be_pinned(wheel_machine: Machine) -> None:
    path = wheel_machine.configs / "family.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    del data["models"]["net"]["files"][0]["sha256"]
    wheel_machine.write("family", data)
    with pytest.raises(ConfigError, match="sha256"):
        Registry.load()


def test_one_id_in_two_files_is_refused(machine: Machine) -> None:
    read(machine)
    machine.write("other", {"models": {"one": entry(source={"kind": "weights"}, files=[{"path": "b.json"}])}})
    with pytest.raises(ConfigError, match=r"other\.yaml defines 'one' again"):
        Registry.load()


def test_an_empty_folder_and_an_empty_file_are_errors(machine: Machine) -> None:
    with pytest.raises(ConfigError, match="registry_missing"):
        Registry.load()
    machine.write("family", {"models": {}})
    with pytest.raises(ConfigError, match="registry_invalid"):
        Registry.load()


def test_pins_live_in_a_lock_file_per_kind(machine: Machine) -> None:
    registry = read(machine)
    file = registry["one"].files[0].model_copy(update={"sha256": "a" * 64, "size": 3})
    lock = write_pins(registry["one"], [file])
    assert lock.name == "weights.lock.json"
    assert json.loads(lock.read_text(encoding="utf-8")) == {"one": {"a.safetensors": {"sha256": "a" * 64, "size": 3}}}
    assert Registry.load()["one"].files[0].is_pinned


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "[" * 100_000, '{"one": []}', '{"one": "pins"}', '{"one": {"a.safetensors": "abc"}}',
        '{"one": {"a.safetensors": {"sha256": "zz"}}}',
    ],
    ids=lambda text: text[:40],
)  # fmt: skip
def test_a_damaged_lock_file_is_named(machine: Machine, text: str) -> None:
    read(machine)
    (machine.configs / "weights.lock.json").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"lock"):
        Registry.load()


def test_what_is_wrong_is_said_once_and_without_a_key_that_is_none(machine: Machine) -> None:
    error = refusal(machine, files=[{"path": "a.json"}, {"path": "b/a.json"}])
    expected = "family.yaml (one): two files have the same name; give one of them a 'name'"
    assert error.cause == expected
    assert refusal(machine, target="os:system").cause.startswith("family.yaml (one): 'target': must start")


def test_a_person_can_name_their_own_file(machine: Machine, tmp_path: Path) -> None:
    registry = read(machine)
    mine = tmp_path / "mine.safetensors"
    mine.write_bytes(b"x")
    changed = registry.with_path("one", mine)
    assert changed["one"].source == PathSource(path=mine)
    assert registry["one"].source.kind == "weights"
    (tmp_path / "mine.pt").write_bytes(b"x")
    with pytest.raises(ModelError, match="model_unsafe_format"):
        registry.with_path("one", tmp_path / "mine.pt")
    with pytest.raises(ModelError, match="model_missing"):
        registry.with_path("one", tmp_path / "none.safetensors")
