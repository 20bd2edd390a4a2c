"""One loaded tflite network on the LiteRT runtime: arrays in, named arrays out. Knows no picture and no landmark.

A network is small and fast on one thread, so one instance serves one call at a time (a lock keeps callers apart).
"""

from __future__ import annotations

import os
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from omnihuman.errors import ModelError
from omnihuman.types import Float

_LOAD_LOCK = threading.Lock()
_DELEGATE_NOTE = b"Created TensorFlow Lite XNNPACK delegate"


class TFLiteModel:
    """A network that is loaded once and called many times.

    Args:
        content: The flatbuffer.
        name: How errors name the file.
        num_threads: Threads of one call.

    Raises:
        ModelError: `model_unreadable`, when the runtime does not accept the flatbuffer.
    """

    def __init__(self, content: bytes, name: str, num_threads: int = 1) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self._lock = threading.Lock()
        try:
            with _LOAD_LOCK, _without_delegate_note():
                self._interpreter = Interpreter(model_content=content, num_threads=num_threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                "model_unreadable", f"{name} was refused by the LiteRT runtime ({error})", "Fetch the model file again."
            ) from error
        self._inputs: list[dict[str, Any]] = self._interpreter.get_input_details()
        self._outputs: list[dict[str, Any]] = self._interpreter.get_output_details()

    @classmethod
    def from_file(cls, path: Path, num_threads: int = 1) -> TFLiteModel:
        """Loads `path`."""
        return cls(path.read_bytes(), path.name, num_threads)

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the first input, `1 H W 3` for the networks that look at pictures."""
        return tuple(int(n) for n in self._inputs[0]["shape"])

    def __call__(self, *inputs: Float) -> dict[str, Float]:
        """Runs the network once.

        Args:
            *inputs: One float32 array per input, in the file's order; a missing batch axis is added.

        Returns:
            Output name -> array with its batch axis; the arrays are copies.
        """
        assert len(inputs) == len(self._inputs), (len(inputs), len(self._inputs))
        with self._lock:
            for detail, value in zip(self._inputs, inputs, strict=True):
                shaped = np.ascontiguousarray(value, np.float32).reshape(detail["shape"])
                self._interpreter.set_tensor(detail["index"], shaped)
            self._interpreter.invoke()
            return {d["name"]: self._interpreter.get_tensor(d["index"]) for d in self._outputs}


def require_file(files: Mapping[str, Path], name: str) -> Path:
    """The path of `name` among the files of a registry entry.

    Raises:
        ModelError: `model_file_missing`, when the entry does not list the file.
    """
    if name not in files:
        raise ModelError(
            "model_file_missing", f"{name} is not among {sorted(files)}", "Correct this entry in configs/models."
        )
    return files[name]


@contextmanager
def _without_delegate_note() -> Iterator[None]:
    """Keeps the runtime's start-up note off standard error; whatever else was written there is passed on.

    The note comes from native code, so only the file descriptor itself can be diverted.
    """
    sys.stderr.flush()
    with tempfile.TemporaryFile() as diverted:
        saved = os.dup(2)
        os.dup2(diverted.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            diverted.seek(0)
            kept = [line for line in diverted.read().splitlines(keepends=True) if _DELEGATE_NOTE not in line]
            if kept:
                os.write(2, b"".join(kept))
