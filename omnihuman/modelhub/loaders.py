"""Verified files -> a loaded model.

The target class is resolved at load time, from the allow-list only; no remote code.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from omnihuman.errors import ModelError
from omnihuman.modelhub.devices import pick_dtype
from omnihuman.modelhub.pool import is_out_of_memory
from omnihuman.modelhub.registry import TARGET_PREFIXES, ModelEntry

Loader = Callable[[ModelEntry, Mapping[str, Path], str], Any]
"""(entry, file name -> verified path, device) -> loaded model."""


def resolve_target(target: str) -> type:
    """Imports `module:Class`.

    Raises:
        ModelError: `model_target_missing` when the module or class is not there.
    """
    module_name, _, class_name = target.partition(":")
    assert f"{module_name}.".startswith(TARGET_PREFIXES), f"{target} slipped through the registry"
    try:
        found = getattr(importlib.import_module(module_name), class_name, None)
    except ImportError as error:
        raise ModelError(
            "model_target_missing", f"{target} cannot be imported: {error}", "Install the requirements of this model."
        ) from error
    if not isinstance(found, type):
        raise ModelError("model_target_missing", f"{module_name} has no class {class_name}", "Correct the registry.")
    return found


def load_files(entry: ModelEntry, files: Mapping[str, Path], device: str) -> Any:
    """Hands the files to `Class.from_files(files, device=...)`."""
    target: Any = resolve_target(entry.target)
    return target.from_files(dict(files), device=device)


def load_pretrained(entry: ModelEntry, files: Mapping[str, Path], device: str) -> Any:
    """Classes of diffusers and transformers: `from_pretrained` on the verified local folder, then to the device."""
    import torch

    target: Any = resolve_target(entry.target)
    dtype = pick_dtype(device) if entry.dtype == "auto" else entry.dtype
    options: dict[str, Any] = {"use_safetensors": True, "local_files_only": True}
    options |= (
        {"torch_dtype": getattr(torch, dtype)} if entry.loader == "diffusers" else {"dtype": getattr(torch, dtype)}
    )
    if entry.loader == "transformers":
        options["trust_remote_code"] = False
    model = target.from_pretrained(str(_common_folder(files)), **options)
    return model.to(device) if hasattr(model, "to") else model


def _common_folder(files: Mapping[str, Path]) -> Path:
    return Path(os.path.commonpath([path.parent for path in files.values()]))


LOADERS: dict[str, Loader] = {"files": load_files, "diffusers": load_pretrained, "transformers": load_pretrained}


def _format_errors() -> tuple[type[Exception], ...]:
    """What a file format raises on its own account."""
    module = sys.modules.get("safetensors")
    return () if module is None else (module.SafetensorError,)


def load(entry: ModelEntry, files: Mapping[str, Path], device: str) -> Any:
    """Loads one model.

    Raises:
        ModelError: `model_target_missing`, or `model_unloadable` when its class refuses the files.
        MemoryError: and torch's own out-of-memory error pass through; the pool answers them.
    """
    refusals: tuple[type[Exception], ...] = (ValueError, KeyError, OSError, TypeError, RuntimeError, *_format_errors())
    try:
        return LOADERS[entry.loader](entry, files, device)
    except refusals as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            "model_unloadable",
            f"{entry.id} cannot be loaded: {type(error).__name__}: {error}",
            f"Run 'python -m omnihuman models verify {entry.id}'; if it is ok, report this.",
        ) from error
