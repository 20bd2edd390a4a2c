"""Reader of `.hama` files: a flat archive of named tensors, as it lies in the hama wheel. Data only, nothing runs.

Layout, little endian: magic, version u8, kind u8, count u32; per tensor: name length u16, name, type u8, rank u8,
dimensions u32, offset u64, bytes u64; then, from the next multiple of 16, the tensors. Facts read from the format's
own writer (github.com/hamanlp/hama, Apache-2.0); every field is checked before it is used.
"""

from __future__ import annotations

import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from omnihuman.errors import ModelError

Tensors = dict[str, NDArray[Any]]
"""Tensors by name."""

_MAGIC = b"HAMAPK"
_VERSION = 1
_ALIGNMENT = 16
_DTYPES = {0: "<f4", 1: "<f2", 2: "<i8", 3: "<i4", 4: "u1"}
_MAX_BYTES = 256 * 2**20
_MAX_TENSORS = 4096
_MAX_RANK = 8


class _Cursor:
    """Reads fields one after the other and refuses to run over the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def take(self, layout: str) -> tuple[Any, ...]:
        """Next fields, in the notation of `struct`, little endian."""
        size = struct.calcsize("<" + layout)
        if self.at + size > len(self._data):
            raise ValueError("the table of tensors is cut off")
        fields = struct.unpack_from("<" + layout, self._data, self.at)
        self.at += size
        return fields


def corrupt(path: Path, cause: str) -> ModelError:
    """The coded error for a file whose content cannot be right."""
    return ModelError("model_corrupt", f"{path.name}: {cause}", "Fetch it again: python -m omnihuman models verify")


def read_container(path: Path) -> Tensors:
    """Every tensor of a file, as float32 where it is stored as a float.

    Args:
        path: A `.hama` file.

    Raises:
        ModelError: `model_missing` when there is no such file, `model_corrupt` when a field contradicts another, a
            tensor lies outside the file or a weight is not finite.
    """
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= _MAX_BYTES else b""
    except OSError as error:
        fix = "Fetch it: python -m omnihuman models fetch"
        raise ModelError("model_missing", f"{path.name} cannot be read ({error.strerror})", fix) from None
    try:
        return _parse(data)
    except ValueError as error:
        raise corrupt(path, str(error)) from None


def _parse(data: bytes) -> Tensors:
    cursor = _Cursor(data)
    magic, version, _, count = cursor.take(f"{len(_MAGIC)}sBBI")
    if magic != _MAGIC or version != _VERSION:
        raise ValueError("not a named-tensor container of the known version")
    if not 0 < count <= _MAX_TENSORS:
        raise ValueError(f"claims {count} tensors")
    entries = [_entry(cursor) for _ in range(count)]
    base = -(-cursor.at // _ALIGNMENT) * _ALIGNMENT
    tensors = {name: _tensor(data, base + offset, dtype, shape) for name, dtype, shape, offset in entries}
    if len(tensors) != count:
        raise ValueError("two tensors have one name")
    return tensors


def _entry(cursor: _Cursor) -> tuple[str, np.dtype[Any], tuple[int, ...], int]:
    (length,) = cursor.take("H")
    (raw_name,) = cursor.take(f"{length}s")
    code, rank = cursor.take("BB")
    if code not in _DTYPES or rank > _MAX_RANK:
        raise ValueError(f"a tensor has type {code} and rank {rank}")
    shape = cursor.take(f"{rank}I")
    offset, size = cursor.take("QQ")
    dtype = np.dtype(_DTYPES[code])
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError("the size of a tensor does not fit its shape")
    return raw_name.decode("utf-8"), dtype, shape, offset


def _tensor(data: bytes, start: int, dtype: np.dtype[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    count = math.prod(shape)
    if start + count * dtype.itemsize > len(data):
        raise ValueError("a tensor lies outside the file")
    values = np.frombuffer(data, dtype, count, start).reshape(shape)
    if dtype.kind != "f":
        return values
    if not np.isfinite(values).all():
        raise ValueError("a weight is not a finite number")
    return values.astype(np.float32)
