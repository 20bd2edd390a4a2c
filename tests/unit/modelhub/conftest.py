"""A person's machine in a temporary folder: registry, cache, weights, and an index that serves one small wheel."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from omnihuman.modelhub.hub import ModelHub

DISTRIBUTION = "omnihuman-test-wheel"
VERSION = "1.2.3"
WHEEL_NAME = "omnihuman_test_wheel-1.2.3-cp39-cp39-manylinux_2_28_x86_64.whl"
"""Tags of no interpreter that runs these tests: only explicit tags can bring it."""
MEMBERS = {
    "test_wheel/net.tflite": b"network " * 4096,
    "test_wheel/deep/table.json": b'{"a": 1}',
    "omnihuman_test_wheel-1.2.3.dist-info/LICENSE": b"Do as you like.\n",
}


def pinned(path: str, content: bytes, name: str | None = None) -> dict[str, Any]:
    spec = {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    return spec if name is None else {**spec, "name": name}


def entry(**changes: Any) -> dict[str, Any]:
    plain = {
        "title": "A small network",
        "loader": "files",
        "target": "omnihuman.tests:Nothing",
        "licence": {"name": "MIT", "note": "made for a test"},
        "training_data": "none at all",
        "memory_mb": 10,
    }
    return {**plain, **changes}


@dataclass(frozen=True)
class Machine:
    root: Path

    @property
    def configs(self) -> Path:
        return self.root / "configs" / "models"

    @property
    def cache(self) -> Path:
        return self.root / "cache"

    @property
    def weights(self) -> Path:
        return self.root / "weights"

    @property
    def index(self) -> Path:
        return self.root / "index"

    def write(self, family: str, data: dict[str, Any]) -> None:
        (self.configs / f"{family}.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")

    def write_wheel(self, members: dict[str, bytes]) -> None:
        with zipfile.ZipFile(self.index / WHEEL_NAME, "w", zipfile.ZIP_DEFLATED) as archive:
            for path, content in members.items():
                archive.writestr(path, content)
            info = "omnihuman_test_wheel-1.2.3.dist-info"
            archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {VERSION}\n")
            tag = "-".join(WHEEL_NAME[:-4].split("-")[2:])
            archive.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
            archive.writestr(f"{info}/RECORD", "")

    def hub(self) -> ModelHub:
        return ModelHub.open(memory_mb=1000)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    here = Machine(tmp_path)
    for folder in (here.configs, here.weights, here.index):
        folder.mkdir(parents=True)
    for name, folder in (("CONFIGS", tmp_path / "configs"), ("CACHE", here.cache), ("WEIGHTS", here.weights)):
        monkeypatch.setenv(f"OMNIHUMAN_{name}", str(folder))
    monkeypatch.delenv("OMNIHUMAN_OFFLINE", raising=False)
    monkeypatch.delenv("OMNIHUMAN_MEMORY_MB", raising=False)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(here.index))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    return here


@pytest.fixture
def index_machine(machine: Machine) -> Machine:
    """Its registry knows `net` and `table`, both inside the wheel that its index serves through real pip."""
    machine.write_wheel(MEMBERS)
    net, table, licence = MEMBERS
    source = {"kind": "wheel", "distribution": DISTRIBUTION, "version": VERSION, "python": "3.9"}
    source |= {"implementation": "cp", "abi": "cp39", "platform": "manylinux_2_28_x86_64", "size": 4000}
    models = {
        "net": entry(files=[pinned(net, MEMBERS[net])], embedded=True),
        "table": entry(files=[pinned(table, MEMBERS[table], "deep/table.json")], embedded=True),
    }
    machine.write("family", {"source": source, "notices": [pinned(licence, MEMBERS[licence])], "models": models})
    return machine


@pytest.fixture
def wheel_machine(index_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """The same with a stand-in for pip that copies the wheel: real pip costs half a second each time."""

    def pip(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        assert command[1:4] == ["-m", "pip", "download"]
        folder = Path(command[command.index("--dest") + 1])
        shutil.copy(index_machine.index / WHEEL_NAME, folder)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    return index_machine


@pytest.fixture
def weights_machine(machine: Machine) -> Machine:
    """Its registry knows `own`, an unpinned file of weights/ that is there."""
    models = {"own": entry(source={"kind": "weights"}, files=[{"path": "own.safetensors"}], embedded=True)}
    machine.write("own", {"models": models})
    (machine.weights / "own.safetensors").write_bytes(b"weights")
    return machine
