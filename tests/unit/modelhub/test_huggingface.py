"""Hugging Face: pins from the hub's announcement, the lock file, resuming, refusals. The client is a scripted one."""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from omnihuman.errors import ModelError, OmniHumanError
from omnihuman.modelhub.integrity import FileState
from tests.unit.modelhub.conftest import Machine, entry

REVISION = "0123456789abcdef0123456789abcdef01234567"
CONTENT = {"model.safetensors": b"tensors " * 100, "sub/config.json": b'{"width": 3}'}


class HubError(OSError):
    """Stands for the client's own error family."""


@dataclass
class ScriptedHub:
    """Serves `content`; announces what `announced` says, or the truth."""

    content: dict[str, bytes] = field(default_factory=lambda: dict(CONTENT))
    announced: dict[str, bytes] = field(default_factory=lambda: dict(CONTENT))
    error: Exception | None = None
    calls: list[str] = field(default_factory=list)

    def hf_hub_download(self, repo_id: str, filename: str, *, revision: str, local_dir: str) -> str:
        self.calls.append(filename)
        assert (repo_id, revision) == ("someone/model", REVISION)
        if self.error:
            raise self.error
        target = Path(local_dir) / filename
        target.parent.mkdir(parents=True, exist_ok=True)
        if not target.exists():  # like the real client, which resumes
            target.write_bytes(self.content[filename])
        return str(target)

    def get_paths_info(self, repo_id: str, paths: list[str], *, revision: str) -> list[Any]:
        assert (repo_id, revision) == ("someone/model", REVISION)
        if self.error:
            raise self.error
        return [self._info(path) for path in paths if path in self.announced]

    def _info(self, path: str) -> Any:
        content = self.announced[path]
        blob_id = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
        lfs = SimpleNamespace(sha256=hashlib.sha256(content).hexdigest(), size=len(content))
        return SimpleNamespace(path=path, blob_id=blob_id, lfs=lfs if path.endswith(".safetensors") else None)


@pytest.fixture
def scripted(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> ScriptedHub:
    files = [{"path": "model.safetensors"}, {"path": "sub/config.json"}]
    source = {"kind": "huggingface", "repo": "someone/model", "revision": REVISION}
    machine.write("hf", {"models": {"remote": entry(source=source, files=files)}})
    hub = ScriptedHub()
    package, errors = ModuleType("huggingface_hub"), ModuleType("huggingface_hub.errors")
    vars(package).update(hf_hub_download=hub.hf_hub_download, HfApi=lambda: hub, errors=errors)
    vars(errors).update(HfHubHTTPError=HubError)
    monkeypatch.setitem(sys.modules, "huggingface_hub", package)
    monkeypatch.setitem(sys.modules, "huggingface_hub.errors", errors)
    return hub


def code_of(machine: Machine, action: str) -> str:
    with pytest.raises(OmniHumanError) as caught:
        getattr(machine.hub(), action)("remote")
    return caught.value.code


def test_nothing_is_fetched_before_it_is_pinned(machine: Machine, scripted: ScriptedHub) -> None:
    assert code_of(machine, "ensure") == "model_unpinned"
    assert scripted.calls == []


def test_pins_come_from_the_announcement_and_are_enforced(machine: Machine, scripted: ScriptedHub) -> None:
    lock = machine.hub().pin("remote")
    assert lock.name == "huggingface.lock.json"
    pins = json.loads(lock.read_text(encoding="utf-8"))["remote"]
    for path, content in CONTENT.items():
        assert pins[path] == {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    assert scripted.calls == ["sub/config.json"]  # the large file was announced, not downloaded
    files = machine.hub().ensure("remote")
    assert {name: path.read_bytes() for name, path in files.items()} == {
        "model.safetensors": CONTENT["model.safetensors"], "config.json": CONTENT["sub/config.json"],
    }  # fmt: skip


def test_a_hub_that_serves_other_bytes_later_is_refused(machine: Machine, scripted: ScriptedHub) -> None:
    machine.hub().pin("remote")
    scripted.content["model.safetensors"] = b"tensors " * 99 + b"tensorz "
    assert code_of(machine, "ensure") == "model_hash_mismatch"


def test_a_small_file_unlike_its_announcement_is_not_pinned(machine: Machine, scripted: ScriptedHub) -> None:
    scripted.content["sub/config.json"] = b'{"width": 4}'
    assert code_of(machine, "pin") == "model_hash_mismatch"
    assert not (machine.configs / "huggingface.lock.json").exists()


def test_a_file_the_repo_lacks_is_named(machine: Machine, scripted: ScriptedHub) -> None:
    del scripted.announced["sub/config.json"]
    with pytest.raises(ModelError, match=r"holds no sub/config\.json"):
        machine.hub().pin("remote")


@pytest.mark.parametrize("error", [HubError("401 gated"), ConnectionError("no route"), ValueError("odd"), OSError("x")])
def test_what_the_client_raises_becomes_one_line(machine: Machine, scripted: ScriptedHub, error: Exception) -> None:
    scripted.error = error
    assert code_of(machine, "pin") == "model_download_failed"


def test_a_full_disk_stays_a_full_disk(machine: Machine, scripted: ScriptedHub) -> None:
    machine.hub().pin("remote")
    scripted.error = OSError(28, "No space left on device")
    assert code_of(machine, "ensure") == "disk_full"


def test_an_interrupted_fetch_keeps_what_it_has(machine: Machine, scripted: ScriptedHub) -> None:
    machine.hub().pin("remote")
    scripted.content["sub/config.json"] = b"{"
    assert code_of(machine, "ensure") == "model_download_incomplete"
    assert list(machine.cache.rglob("*.part"))
    scripted.content["sub/config.json"] = CONTENT["sub/config.json"]
    hub = machine.hub()
    hub.ensure("remote")
    assert all(report.state is FileState.OK for report in hub.examine(hub.registry["remote"]))
    assert not list(machine.cache.rglob("*.part"))


def test_offline_asks_nobody(machine: Machine, scripted: ScriptedHub, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.hub().pin("remote")
    scripted.calls.clear()
    monkeypatch.setenv("OMNIHUMAN_OFFLINE", "1")
    assert code_of(machine, "ensure") == "offline"
    assert code_of(machine, "pin") == "offline"
    assert scripted.calls == []


def test_without_the_client_the_line_says_what_to_install(
    machine: Machine, scripted: ScriptedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert code_of(machine, "pin") == "model_fetcher_missing"


def test_the_real_client_takes_the_same_arguments() -> None:
    client = pytest.importorskip("huggingface_hub", reason="huggingface_hub is not installed")
    for scripted_call, real_call in (
        (ScriptedHub.hf_hub_download, client.hf_hub_download),
        (ScriptedHub.get_paths_info, client.HfApi.get_paths_info),
    ):
        names = [name for name in inspect.signature(scripted_call).parameters if name != "self"]
        assert set(names) <= set(inspect.signature(real_call).parameters)
    assert {"path", "blob_id", "lfs"} <= set(client.hf_api.RepoFile.__dataclass_fields__)
    assert issubclass(client.errors.HfHubHTTPError.__bases__[0], Exception)
