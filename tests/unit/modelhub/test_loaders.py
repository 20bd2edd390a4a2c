"""Verified files -> objects: the target, the arguments, and what a refusing class becomes."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest

from omnihuman.errors import ModelError
from omnihuman.modelhub import loaders
from omnihuman.modelhub.registry import Licence, ModelEntry
from omnihuman.modelhub.sources import WeightsSource

MODULE = "omnihuman.scripted_networks"
FILES = {"config.json": Path("/x/net/config.json"), "net/model.safetensors": Path("/x/net/net/model.safetensors")}


class Network:
    """Stands for every class that a registry may name."""

    error: ClassVar[BaseException | None] = None

    def __init__(self, *given: Any) -> None:
        self.given = given
        self.device = "none"

    @classmethod
    def from_files(cls, files: dict[str, Path], device: str) -> Network:
        if cls.error:
            raise cls.error
        return cls(files, device)

    @classmethod
    def from_pretrained(cls, folder: str, **options: Any) -> Network:
        return cls(folder, options)

    def to(self, device: str) -> Network:
        self.device = device
        return self


@pytest.fixture(autouse=True)
def module(monkeypatch: pytest.MonkeyPatch) -> None:
    scripted = ModuleType(MODULE)
    vars(scripted).update(Network=Network, number=3)
    monkeypatch.setitem(sys.modules, MODULE, scripted)
    monkeypatch.setattr(Network, "error", None)


def entry_for(loader: str, name: str = "Network", dtype: str = "auto") -> ModelEntry:
    facts = {"id": "net", "title": "Network", "training_data": "none at all", "memory_mb": 1, "dtype": dtype}
    licence = Licence(name="MIT", url=None, note="made for a test")
    files = [{"path": "model.safetensors"}]
    given = {**facts, "loader": loader, "target": f"{MODULE}:{name}", "licence": licence, "files": files}
    return ModelEntry.model_validate({**given, "source": WeightsSource()})


def test_files_are_handed_over_by_name() -> None:
    assert loaders.load(entry_for("files"), FILES, "cpu").given == (FILES, "cpu")


@pytest.mark.parametrize(("loader", "dtype_key"), [("diffusers", "torch_dtype"), ("transformers", "dtype")])
def test_pretrained_classes_get_the_local_folder_and_no_remote_code(loader: str, dtype_key: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    model = loaders.load(entry_for(loader, dtype="float16"), FILES, "cpu")
    folder, options = model.given
    assert Path(folder) == Path("/x/net")
    assert options["local_files_only"] is True
    assert options["use_safetensors"] is True
    assert options[dtype_key] is torch.float16
    assert options.get("trust_remote_code", False) is False
    assert model.device == "cpu"
    assert loaders.load(entry_for(loader), FILES, "cpu").given[1][dtype_key] is torch.float32


@pytest.mark.parametrize("name", ["Missing", "number"])
def test_a_target_that_is_no_class_is_named(name: str) -> None:
    with pytest.raises(ModelError, match="model_target_missing"):
        loaders.load(entry_for("files", name), FILES, "cpu")


def test_a_module_that_cannot_be_imported_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)
    with pytest.raises(ModelError, match="model_target_missing"):
        loaders.load(entry_for("files"), FILES, "cpu")


@pytest.mark.parametrize("error", [ValueError("shape"), KeyError("x"), OSError("cut"), RuntimeError("state dict")])
def test_a_class_that_refuses_its_files_is_a_coded_line(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(Network, "error", error)
    with pytest.raises(ModelError) as caught:
        loaders.load(entry_for("files"), FILES, "cpu")
    assert caught.value.code == "model_unloadable"
    assert "models verify net" in caught.value.way_out


def test_running_out_of_memory_is_left_to_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    for error in (MemoryError(), RuntimeError("can't allocate memory")):
        monkeypatch.setattr(Network, "error", error)
        with pytest.raises(type(error)):
            loaders.load(entry_for("files"), FILES, "cpu")
