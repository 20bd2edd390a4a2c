"""The hub: ensure, fetch, pin, lease and handle over real files; each kind of bad file ends in its coded line."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from omnihuman.errors import ConfigError, ModelError, OmniHumanError
from omnihuman.modelhub import loaders
from omnihuman.modelhub.hub import ModelHub
from omnihuman.modelhub.integrity import FileState
from omnihuman.modelhub.registry import ModelEntry, Registry
from tests.unit.modelhub.conftest import MEMBERS, Machine, entry

NET = MEMBERS["test_wheel/net.tflite"]


@pytest.fixture
def fetched(wheel_machine: Machine) -> Machine:
    """Files in place as a fetch leaves them, written directly."""
    for member, home in (("test_wheel/net.tflite", "net/net.tflite"), (list(MEMBERS)[2], "net/LICENSE")):
        path = wheel_machine.cache / "models" / home
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(MEMBERS[member])
    return wheel_machine


def caught_code(machine: Machine, model_id: str) -> OmniHumanError:
    with pytest.raises(OmniHumanError) as caught:
        machine.hub().ensure(model_id)
    return caught.value


@pytest.mark.parametrize(
    ("content", "words"), [(NET[:-7], "instead of"), (NET[:-1] + b"x", "sha256")], ids=["truncated", "changed"]
)
def test_a_corrupt_file_is_an_error_until_it_is_fetched_again(fetched: Machine, content: bytes, words: str) -> None:
    (fetched.cache / "models" / "net" / "net.tflite").write_bytes(content)
    error = caught_code(fetched, "net")
    assert error.code == "model_corrupt"
    assert words in error.cause
    assert "models fetch net" in error.way_out
    assert fetched.hub().fetch(["net"]) == ["net"]
    assert fetched.hub().ensure("net")["net.tflite"].read_bytes() == NET


def test_a_missing_notice_is_fetched_like_a_model_file(fetched: Machine) -> None:
    (fetched.cache / "models" / "net" / "LICENSE").unlink()
    assert list(fetched.hub().ensure("net")) == ["net.tflite"]
    assert (fetched.cache / "models" / "net" / "LICENSE").is_file()


def test_a_half_download_of_a_killed_process_does_no_harm(fetched: Machine) -> None:
    models = fetched.cache / "models"
    (models / "net" / "net.tflite").unlink()
    left = models / ".wheel-omnihuman-test-wheel-1.2.3~99999999.part"
    (left / "test_wheel").mkdir(parents=True)
    (left / "test_wheel" / "net.tflite").write_bytes(NET[:50])
    assert fetched.hub().ensure("net")["net.tflite"].read_bytes() == NET
    assert not left.exists()


def test_once_fetched_nothing_is_run_written_or_hashed(fetched: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched.hub().ensure("net")
    before = {path: path.stat().st_mtime_ns for path in fetched.cache.rglob("*")}
    monkeypatch.setattr(subprocess, "run", lambda *_a, **_k: pytest.fail("a command was run"))
    monkeypatch.setattr("omnihuman.modelhub.integrity.file_sha256", lambda _path: pytest.fail("hashed again"))
    fetched.hub().ensure("net")
    assert {path: path.stat().st_mtime_ns for path in fetched.cache.rglob("*")} == before


def test_a_read_only_cache_works_once_filled(fetched: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "mkdir", refuse)
    assert fetched.hub().ensure("net")["net.tflite"].read_bytes() == NET


def test_a_read_only_cache_that_lacks_a_file_is_named(wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    assert caught_code(wheel_machine, "net").code == "folder_read_only"


def test_our_weights_are_used_in_place_once_pinned(weights_machine: Machine) -> None:
    assert caught_code(weights_machine, "own").code == "model_unpinned"
    weights_machine.hub().pin("own")
    assert weights_machine.hub().ensure("own") == {"own.safetensors": weights_machine.weights / "own.safetensors"}
    assert weights_machine.hub().fetch(["own"]) == []


def test_changed_and_missing_weights_say_how_to_go_on(weights_machine: Machine) -> None:
    weights_machine.hub().pin("own")
    own = weights_machine.weights / "own.safetensors"
    own.write_bytes(b"weightz")
    error = caught_code(weights_machine, "own")
    assert error.code == "model_corrupt"
    assert "models pin own" in error.way_out
    own.unlink()
    assert caught_code(weights_machine, "own").code == "model_missing"
    with pytest.raises(ModelError, match="model_missing"):
        weights_machine.hub().pin("own")


def test_weights_of_another_pin_are_called_that_and_no_fetch_is_advised(weights_machine: Machine) -> None:
    weights_machine.hub().pin("own")
    weights_machine.hub().ensure("own")
    lock = weights_machine.configs / "weights.lock.json"
    pinned = hashlib.sha256(b"weights").hexdigest()
    lock.write_text(lock.read_text(encoding="utf-8").replace(pinned, "0" * 64), encoding="utf-8")
    error = caught_code(weights_machine, "own")
    assert error.code == "model_outdated"
    assert "not on this machine" not in error.cause
    assert "git checkout weights" in error.way_out
    assert "fetch" not in error.way_out.lower()


def test_hidden_files_of_a_persons_folder_are_not_model_files(weights_machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    for name in ("a.json", ".cache/b.json", ".c.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("{}", encoding="utf-8")
    weights_machine.write("mine", {"models": {"mine": entry(source={"kind": "path", "path": str(folder)}, files=[])}})
    assert weights_machine.hub().ensure("mine") == {"a.json": folder / "a.json"}


def test_wheel_pins_are_written_by_hand(wheel_machine: Machine) -> None:
    with pytest.raises(ConfigError, match="pins_by_hand"):
        wheel_machine.hub().pin("net")


def test_the_persons_own_file_replaces_a_model(weights_machine: Machine, tmp_path: Path) -> None:
    mine = tmp_path / "checkpoint.safetensors"
    mine.write_bytes(b"mine")
    hub = ModelHub.open(registry=Registry.load().with_path("own", mine))
    assert hub.ensure("own") == {"own.safetensors": mine}
    mine.unlink()
    with pytest.raises(ModelError, match="model_missing"):
        hub.ensure("own")


def test_one_bad_source_does_not_stop_the_others(wheel_machine: Machine, weights_machine: Machine) -> None:
    (weights_machine.weights / "own.safetensors").unlink()
    with pytest.raises(ModelError, match="model_missing"):
        wheel_machine.hub().fetch(["own", "net"])
    hub = wheel_machine.hub()
    assert all(report.state is FileState.OK for report in hub.examine(hub.registry["net"]))


def test_a_newer_pin_fetches_again_without_fuss(fetched: Machine) -> None:
    fetched.hub().ensure("net")
    path = fetched.configs / "family.yaml"
    newer = NET[::-1]
    fetched.write_wheel({**MEMBERS, "test_wheel/net.tflite": newer})
    old, new = hashlib.sha256(NET).hexdigest(), hashlib.sha256(newer).hexdigest()
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert fetched.hub().ensure("net")["net.tflite"].read_bytes() == newer


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Ids in the order in which they were really loaded; the loaded model is its first file's bytes."""
    order: list[str] = []

    def load(entry: ModelEntry, files: dict[str, Path], device: str) -> Any:
        order.append(f"{entry.id}@{device}")
        return next(iter(files.values())).read_bytes()

    monkeypatch.setattr(loaders, "load", load)
    return order


def test_a_lease_loads_once_and_a_handle_opens_leases(fetched: Machine, loaded: list[str]) -> None:
    with fetched.hub() as hub:
        handle = hub.handle("net")
        assert loaded == []
        with handle() as first, hub.lease("net") as second:
            assert first is second
            assert first == NET
        with handle() as third:
            assert third is first
        assert loaded == ["net@cpu"]
    assert hub.pool.loaded() == []


def test_a_handle_of_an_unknown_model_fails_at_once(fetched: Machine) -> None:
    with pytest.raises(ModelError, match="Did you mean 'net'"):
        fetched.hub().handle("nett")


def test_a_lease_of_a_corrupt_model_is_the_same_coded_error(fetched: Machine, loaded: list[str]) -> None:
    (fetched.cache / "models" / "net" / "net.tflite").write_bytes(b"no")
    hub = fetched.hub()
    with pytest.raises(ModelError, match="model_corrupt"), hub.lease("net"):
        pytest.fail("lent a corrupt model")
    assert hub.pool.loaded() == []
    assert loaded == []
