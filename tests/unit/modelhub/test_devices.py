"""Devices, number formats, memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from omnihuman.errors import InputError, ResourceError
from omnihuman.modelhub import devices


def test_the_cpu_needs_no_torch() -> None:
    script = (
        "import sys; from omnihuman.modelhub.hub import ModelHub; from omnihuman.modelhub import devices;"
        "assert devices.resolve_device('cpu') == 'cpu'; devices.budget_mb('cpu'); ModelHub.open();"
        "heavy = {'torch', 'diffusers', 'transformers', 'huggingface_hub'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", script], check=True, cwd=Path(__file__).parents[3])


@pytest.mark.parametrize(
    ("answering", "picked"), [({"cuda", "mps"}, "cuda"), ({"mps"}, "mps"), (set(), "cpu")], ids=str
)
def test_auto_takes_the_best_device_that_answers(
    monkeypatch: pytest.MonkeyPatch, answering: set[str], picked: str
) -> None:
    monkeypatch.setattr(devices, "_answers", lambda device: device in answering)
    assert devices.resolve_device("auto") == picked


def test_a_device_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_answers", lambda _device: False)
    with pytest.raises(ResourceError, match="device_missing"):
        devices.resolve_device("cuda:1")


@pytest.mark.parametrize("name", ["gpu", "cuda:", "cuda:x", "", "CPU"])
def test_an_unknown_device_is_named(name: str) -> None:
    with pytest.raises(InputError, match="device_unknown"):
        devices.resolve_device(name)


def test_a_card_that_is_not_there_does_not_answer() -> None:
    pytest.importorskip("torch", reason="torch is not installed")
    with pytest.raises(ResourceError, match="device_missing"):
        devices.resolve_device("cuda:99")


def test_half_precision_stays_off_the_cpu() -> None:
    assert devices.pick_dtype("cpu") == "float32"


def test_the_budget_leaves_room_and_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMNIHUMAN_MEMORY_MB", raising=False)
    monkeypatch.setattr(devices, "free_memory_mb", lambda _device: 1000)
    assert 500 < devices.budget_mb("cpu") < 1000
    monkeypatch.setenv("OMNIHUMAN_MEMORY_MB", "321")
    assert devices.budget_mb("cpu") == 321
    monkeypatch.setenv("OMNIHUMAN_MEMORY_MB", "")
    assert 500 < devices.budget_mb("cpu") < 1000
    for wrong in ("lots", "-3", "0", "1.5"):
        monkeypatch.setenv("OMNIHUMAN_MEMORY_MB", wrong)
        with pytest.raises(InputError, match="memory_invalid"):
            devices.budget_mb("cpu")


def test_a_container_limit_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "memory.max").write_text(f"{300 << 20}\n", encoding="ascii")
    (tmp_path / "memory.current").write_text(f"{250 << 20}\n", encoding="ascii")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {50 << 20}\n", encoding="ascii")
    monkeypatch.setattr(devices, "_CGROUP", tmp_path)
    assert devices.free_memory_mb("cpu") == 100
    (tmp_path / "memory.max").write_text("max\n", encoding="ascii")
    assert devices.free_memory_mb("cpu") > 100
