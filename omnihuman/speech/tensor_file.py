"""Named tensors out of the one safetensors file of a registry entry, with coded errors. Knows no architecture."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from omnihuman.errors import ModelError
from omnihuman.speech.hama_container import corrupt


def read_tensors(files: Mapping[str, Path]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Named tensors and header of the one safetensors file of a registry entry.

    Raises:
        ModelError: `model_missing`, or `model_corrupt`: cut short, not safetensors, or not finite.
    """
    path = next((path for path in files.values() if path.suffix == ".safetensors"), None)
    assert path is not None, f"the registry entry lacks a safetensors file: {sorted(files)}"
    if not path.is_file():
        fix = "Fetch it: python -m omnihuman models fetch"
        raise ModelError("model_missing", f"{path.name} cannot be read", fix)
    try:
        with safe_open(path, framework="pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict
            metadata = dict(opened.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise corrupt(path, str(error)) from None
    if not all(bool(torch.isfinite(tensor).all()) for tensor in tensors.values()):
        raise corrupt(path, "a weight is not finite")
    return tensors, metadata
