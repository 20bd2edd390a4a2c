"""Recordings in the cache: made once, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from omnihuman.errors import ResourceError
from omnihuman.training.stored import folder_named, make_missing, write_arrays


def test_only_what_is_missing_is_made(tmp_path: Path):
    made: list[int] = []
    told: list[tuple[int, int, float]] = []

    def make(index: int, path: Path) -> None:
        made.append(index)
        write_arrays(path, {"index": index})

    def all_of_them() -> list[Path]:
        return make_missing(tmp_path / "a", 3, make, lambda *args: told.append(args))

    paths = all_of_them()
    paths[1].unlink()
    assert all_of_them() == paths and made == [0, 1, 2, 1]
    assert [args[:2] for args in told] == [(1, 3), (2, 3), (3, 3)] * 2 and told[-1][2] == 0.0
    assert [int(np.load(path)["index"]) for path in paths] == [0, 1, 2]
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [path.name for path in paths]


def test_a_folder_that_cannot_be_made_is_a_coded_error(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ResourceError, match="cache_unwritable"):
        make_missing(tmp_path / "file" / "a", 1, lambda index, path: None, lambda *args: None)


def test_a_recording_that_cannot_be_written_is_a_coded_error(tmp_path: Path):
    (tmp_path / "a.npz").mkdir()
    with pytest.raises(ResourceError):
        write_arrays(tmp_path / "a.npz", {"x": np.zeros(2)})


def test_other_facts_are_another_folder():
    one, same, other = (folder_named("kind", {"a": value}) for value in (1, 1, 2))
    assert one == same != other and one.name.startswith("kind-")
