"""Proving bytes: states, ledger, write aside, full and read-only disks."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path

import pytest

from omnihuman.errors import ModelError, OmniHumanError, ResourceError
from omnihuman.modelhub import integrity
from omnihuman.modelhub.integrity import FileSpec, FileState, Ledger, examine, install

CONTENT = b"0123456789" * 1000


def spec_of(content: bytes = CONTENT, name: str = "net.onnx") -> FileSpec:
    return FileSpec(path=name, name=name, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (CONTENT, FileState.OK),
        (CONTENT[:-1], FileState.TRUNCATED),
        (b"", FileState.TRUNCATED),
        (CONTENT[:-1] + b"x", FileState.CHANGED),
        (None, FileState.MISSING),
    ],
)
def test_a_file_is_compared_with_its_pins(tmp_path: Path, content: bytes | None, state: FileState) -> None:
    path = tmp_path / "net.onnx"
    if content is not None:
        path.write_bytes(content)
    assert examine(path, spec_of()) is state
    assert examine(path, spec_of(), Ledger(tmp_path)) is state


def test_without_a_pin_nothing_is_proven(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(CONTENT)
    assert examine(path, FileSpec(path="net.onnx", name="net.onnx", sha256=None, size=None)) is FileState.UNPINNED


def test_the_ledger_saves_hashing_until_the_file_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, spec, hashed = tmp_path / "net.onnx", spec_of(), []
    path.write_bytes(CONTENT)
    real = integrity.file_sha256
    monkeypatch.setattr(integrity, "file_sha256", lambda path: hashed.append(path) or real(path))
    for _ in range(3):
        assert examine(path, spec, Ledger(tmp_path)) is FileState.OK
    assert len(hashed) == 1
    path.write_bytes(CONTENT[:-1] + b"x")
    os.utime(path, ns=(1, 1))
    assert examine(path, spec, Ledger(tmp_path)) is FileState.CHANGED
    assert len(hashed) == 2


def test_a_thorough_look_sees_what_the_ledger_cannot(tmp_path: Path) -> None:
    path, spec = tmp_path / "net.onnx", spec_of()
    path.write_bytes(CONTENT)
    assert examine(path, spec, Ledger(tmp_path)) is FileState.OK
    times = path.stat().st_mtime_ns
    path.write_bytes(CONTENT[:-1] + b"x")
    os.utime(path, ns=(times, times))
    assert examine(path, spec) is FileState.CHANGED


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"net.onnx": 5}', '{"net.onnx": {"size": 10000}}'])
def test_a_damaged_ledger_only_costs_hashing(tmp_path: Path, text: str) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(CONTENT)
    (tmp_path / integrity.LEDGER_NAME).write_text(text, encoding="utf-8")
    assert examine(path, spec_of(), Ledger(tmp_path)) is FileState.OK


def test_an_intact_file_of_an_older_pin_is_outdated_not_corrupt(tmp_path: Path) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(CONTENT)
    assert examine(path, spec_of(), Ledger(tmp_path)) is FileState.OK
    assert examine(path, spec_of(b"newer"), Ledger(tmp_path)) is FileState.OUTDATED


@pytest.mark.parametrize(
    ("staged", "code"),
    [
        (None, "model_download_incomplete"),
        (CONTENT[:5], "model_download_incomplete"),
        (CONTENT[::-1], "model_hash_mismatch"),
    ],
)
def test_bad_bytes_never_reach_their_place(tmp_path: Path, staged: bytes | None, code: str) -> None:
    source, final = tmp_path / "staged.part", tmp_path / "home" / "net.onnx"
    final.parent.mkdir()
    final.write_bytes(b"what was there")
    if staged is not None:
        source.write_bytes(staged)
    with pytest.raises(ModelError) as caught:
        install(source, final, spec_of(), Ledger(final.parent))
    assert caught.value.code == code
    assert final.read_bytes() == b"what was there"
    assert not source.exists()


def test_good_bytes_are_moved_and_noted(tmp_path: Path) -> None:
    source, final = tmp_path / "staged.part", tmp_path / "home" / "sub" / "net.onnx"
    source.write_bytes(CONTENT)
    install(source, final, spec_of(), Ledger(tmp_path / "home"))
    assert final.read_bytes() == CONTENT
    assert not source.exists()
    assert Ledger(tmp_path / "home").recall("net.onnx", final) == spec_of().sha256


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "disk_full"),
        (errno.EDQUOT, "disk_full"),
        (errno.EROFS, "folder_read_only"),
        (errno.EACCES, "folder_read_only"),
    ],
)
def test_disk_errors_are_coded(tmp_path: Path, number: int, code: str) -> None:
    with pytest.raises(ResourceError) as caught, integrity.disk_errors(tmp_path):
        raise OSError(number, os.strerror(number))
    assert caught.value.code == code
    assert "OMNIHUMAN_CACHE" in caught.value.way_out
    with pytest.raises(ResourceError) as caught, integrity.disk_errors(tmp_path, "name another folder"):
        raise OSError(number, os.strerror(number))
    assert caught.value.way_out.endswith("or name another folder.")


def test_other_system_errors_pass(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="odd"), integrity.disk_errors(tmp_path):
        raise OSError(errno.EIO, "odd")


def test_a_cache_that_is_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder", encoding="utf-8")
    with pytest.raises(ResourceError, match="folder_read_only"), integrity.locked(tmp_path / "cache" / "models", "k"):
        pass


def test_too_little_space_is_found_before_the_download(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="disk_full"):
        integrity.require_space(tmp_path, 1 << 60)


def test_a_lock_that_is_held_ends_in_a_coded_line(tmp_path: Path) -> None:
    second = integrity.locked(tmp_path, "key", timeout_s=0.05)
    with integrity.locked(tmp_path, "key"), pytest.raises(OmniHumanError, match="model_locked"):
        second.__enter__()
    with integrity.locked(tmp_path, "key", timeout_s=0.05):
        assert (tmp_path / ".key.lock").exists()


def test_staging_clears_what_a_killed_process_left(tmp_path: Path) -> None:
    stale = tmp_path / ".key~99999999.part"
    stale.mkdir()
    (stale / "half").write_bytes(b"half")
    with integrity.staging(tmp_path, "key", keep_partial=False) as folder:
        assert not stale.exists()
        assert list(folder.iterdir()) == []
    assert not folder.exists()


@pytest.mark.parametrize("keep_partial", [True, False])
def test_staging_leaves_what_belongs_to_a_longer_version(tmp_path: Path, keep_partial: bool) -> None:
    other = integrity.staging(tmp_path, "wheel-hama-1.7.0", keep_partial)
    with other as theirs, integrity.staging(tmp_path, "wheel-hama-1.7", keep_partial=False):
        assert theirs.is_dir()


def test_staging_of_a_resumable_source_survives_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cut off"), integrity.staging(tmp_path, "key", keep_partial=True) as folder:
        (folder / "half").write_bytes(b"half")
        raise ValueError("cut off")
    with integrity.staging(tmp_path, "key", keep_partial=True) as again:
        assert (again / "half").read_bytes() == b"half"
    assert not again.exists()
