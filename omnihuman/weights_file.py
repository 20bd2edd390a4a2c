"""One safetensors file with the model's config in its header: read, check, write whole. Knows no architecture.

Safetensors only: nothing here can run code from a file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from omnihuman.errors import ModelError
from omnihuman.media.files import write_whole

CONFIG_KEY = "config"
_WAY_OUT = "Run 'python -m omnihuman models verify': it says how to restore the file. Or train and export it again."


def only(files: Mapping[str, Path]) -> Path:
    """The single safetensors file of a registry entry.

    Raises:
        ModelError: `weights_unreadable` when there is none, or more than one.
    """
    paths = [path for path in files.values() if path.suffix == ".safetensors"]
    if len(paths) != 1:
        raise ModelError("weights_unreadable", f"expected one safetensors file, got {len(paths)}", _WAY_OUT)
    return paths[0]


def header(path: Path) -> dict[str, str]:
    """The text entries of a file's header.

    Raises:
        ModelError: `weights_unreadable`: missing, cut short or not safetensors.
    """
    try:
        with safe_open(path, framework="pt") as opened:
            return dict(opened.metadata() or {})
    except (OSError, SafetensorError) as error:
        raise ModelError("weights_unreadable", f"{path.name}: {error}", _WAY_OUT) from None


def read(path: Path, known: set[str]) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Config and tensors of a file.

    Args:
        path: A file that `write` made.
        known: Config keys the model takes.

    Raises:
        ModelError: `weights_unreadable`; or `weights_unfit` when the config is absent or has other keys.
    """
    text = header(path).get(CONFIG_KEY)
    try:
        config = json.loads(text) if text is not None else None
    except json.JSONDecodeError:
        config = None
    if not isinstance(config, dict):
        raise ModelError("weights_unfit", f"{path.name} carries no model config in its header", _WAY_OUT)
    if extra := sorted(set(config) - known):
        raise ModelError("weights_unfit", f"{path.name} has unknown config keys: {', '.join(extra)}", _WAY_OUT)
    with safe_open(path, framework="pt") as opened:
        return config, {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118 - not a dict


def fill(model: nn.Module, tensors: Mapping[str, Tensor], path: Path) -> None:
    """Loads tensors into a model, every key and shape exactly.

    Raises:
        ModelError: `weights_unfit`.
    """
    try:
        model.load_state_dict(dict(tensors), strict=True)
    except RuntimeError as error:
        first = str(error).splitlines()[1:2] or [str(error)]
        raise ModelError(
            "weights_unfit", f"{path.name} does not fit its config: {first[0].strip()}", _WAY_OUT
        ) from None


def write(path: Path, tensors: Mapping[str, Tensor], config: Mapping[str, Any], extra: Mapping[str, str]) -> None:
    """Writes tensors, config and further header entries.

    Raises:
        ResourceError: as `write_whole`.
    """
    write_tensors(path, tensors, {**extra, "format": "pt", CONFIG_KEY: json.dumps(config, sort_keys=True)})


def write_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str]) -> None:
    """Writes tensors with a header of text entries.

    Raises:
        ResourceError: as `write_whole`.
    """
    # Written by us and not by safetensors, whose own files no other user may read.
    write_whole(path, save({k: v.detach().cpu().contiguous() for k, v in tensors.items()}, metadata))
