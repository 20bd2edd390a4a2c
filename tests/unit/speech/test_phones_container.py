from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from omnihuman.errors import ModelError
from omnihuman.speech.hama_container import read_container

from .tiny_hama import pack

TENSORS = {
    "half": np.linspace(-2, 2, 6, dtype=np.float16).reshape(2, 3),
    "single": np.array([1e-8, 3e8], np.float32),
    "whole": np.arange(5, dtype=np.int64),
}
FIRST_ENTRY = 12 + 2 + len("half")
"""Where type and rank of the first tensor stand."""


def read(tmp_path: Path, data: bytes) -> dict[str, np.ndarray]:
    path = tmp_path / "file.hama"
    path.write_bytes(data)
    return read_container(path)


def patched(at: int, layout: str, *values: int) -> bytes:
    data = bytearray(pack(TENSORS))
    struct.pack_into("<" + layout, data, at, *values)
    return bytes(data)


def test_gives_back_what_was_written(tmp_path: Path) -> None:
    found = read(tmp_path, pack(TENSORS))
    assert list(found) == list(TENSORS)
    for name, value in TENSORS.items():
        np.testing.assert_array_equal(found[name], value)
    assert found["half"].dtype == found["single"].dtype == np.float32
    assert found["whole"].dtype == np.int64


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "cut off"),
        (b"PK\3\4" + pack(TENSORS)[4:], "version"),
        (patched(6, "B", 9), "version"),
        (patched(8, "I", 0), "claims"),
        (patched(8, "I", 2**31), "claims"),
        (pack(TENSORS)[:40], "cut off"),
        (pack(TENSORS)[:-8], "outside"),
        (patched(FIRST_ENTRY, "B", 200), "type 200"),
        (patched(FIRST_ENTRY + 1, "B", 90), "rank 90"),
        (patched(FIRST_ENTRY + 2, "I", 2**30), "does not fit"),
        (patched(FIRST_ENTRY + 10, "Q", 2**62), "outside"),
        (pack({"a": np.array([np.nan], np.float32)}), "finite"),
        (pack({"ab": TENSORS["single"], "ac": TENSORS["single"]}).replace(b"ac", b"ab"), "one name"),
    ],
    ids=lambda value: value.replace(" ", "_") if isinstance(value, str) else "",
)
def test_a_contradiction_is_a_coded_error(tmp_path: Path, data: bytes, word: str) -> None:
    with pytest.raises(ModelError) as caught:
        read(tmp_path, data)
    assert caught.value.code == "model_corrupt"
    assert word in caught.value.cause


def test_flipped_bytes_never_escape_as_another_error(tmp_path: Path) -> None:
    good = pack(TENSORS)
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        data = bytearray(good)
        for at in rng.integers(0, len(good) - 60, 2):
            data[at] = rng.integers(256)
        try:
            read(tmp_path, bytes(data))
        except ModelError as error:
            refused += error.code == "model_corrupt"
    assert refused > 100


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model_missing.*nowhere.hama"):
        read_container(tmp_path / "nowhere.hama")
