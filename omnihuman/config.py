"""YAML files -> frozen, validated settings; and the folders they live in.

An unknown key is an error that suggests the right one. Holds no defaults of its own: a default lives in the
model that declares the field. No torch here.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from omnihuman.errors import ConfigError

VERSION = "0.1.0"
"""Version of the engine; packaging reads it here."""

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: `configs/` and `weights/` lie beside the packages."""
_LONGEST_NAME = 80


class StrictModel(BaseModel):
    """Base of every settings model: immutable, no unknown keys, no silent coercion of extra fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)


Settings = TypeVar("Settings", bound=BaseModel)


def configs_dir() -> Path:
    """Folder of the shipped configuration; `OMNIHUMAN_CONFIGS` points elsewhere."""
    return _named_folder("OMNIHUMAN_CONFIGS") or ROOT / "configs"


def weights_dir() -> Path:
    """Folder of the shipped weights; `OMNIHUMAN_WEIGHTS` points elsewhere."""
    return _named_folder("OMNIHUMAN_WEIGHTS") or ROOT / "weights"


def cache_dir() -> Path:
    """Folder of fetched model files and derived data; `OMNIHUMAN_CACHE` points elsewhere. Not created here."""
    named = _named_folder("OMNIHUMAN_CACHE")
    return named or (_named_folder("XDG_CACHE_HOME") or _expanded("~/.cache")) / "omnihuman"


def _named_folder(variable: str) -> Path | None:
    """The folder that an environment variable names; None when it is empty or not set."""
    named = os.environ.get(variable)
    return _expanded(named) if named else None


def _expanded(name: str) -> Path:
    """The path with `~` replaced by the home folder."""
    try:
        return Path(name).expanduser()
    except RuntimeError:
        raise ConfigError("home_unknown", f"the home folder of '{name}' is not known", "Name a whole path.") from None


def nearest(name: str, known: list[str]) -> str:
    """Returns ` Did you mean 'x'?` for the closest known name, or a list of what exists."""
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if match:
        return f"Did you mean '{match[0]}'?"
    return f"Known: {', '.join(sorted(known))}." if known else "See the documentation for what exists."


def read_yaml(path: Path) -> dict[str, Any]:
    """Reads one YAML mapping.

    Raises:
        ConfigError: `config_missing` with the nearest file beside it; `config_unreadable`: a folder, a name that the
            system refuses, no permission, not YAML, or not a mapping.
    """
    name = path.name if path.name.isprintable() and len(path.name) <= _LONGEST_NAME else repr(path.name[:_LONGEST_NAME])
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        siblings = [p.stem for p in path.parent.glob("*.yaml")] if path.parent.is_dir() else []
        raise ConfigError("config_missing", f"there is no {name}", nearest(path.stem, siblings)) from None
    except OSError as error:
        raise ConfigError("config_unreadable", f"{name}: {error.strerror}", "Name a YAML file.") from None
    except RecursionError:
        raise ConfigError("config_unreadable", f"{name} is nested too deeply", "Mend the file.") from None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: not UTF-8, an impossible date, a NUL in the name
        cause = f"{name} is not YAML: {error}".rstrip(".")
        raise ConfigError("config_unreadable", cause, "Mend the file.") from None
    if not isinstance(data, dict):
        raise ConfigError("config_unreadable", f"{name} is not a mapping", "Write 'key: value' lines.")
    return data


def parse(model: type[Settings], data: dict[str, Any], where: str) -> Settings:
    """Validates a mapping against a settings model.

    Args:
        model: A pydantic model, normally a `StrictModel`.
        data: What was read.
        where: Name of the source for the error line.

    Raises:
        ConfigError: `setting_unknown` with the nearest right key, or `setting_invalid`.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # A misspelt key also leaves its right name missing: the unknown key is what to tell.
        first = min(error.errors(), key=lambda found: found["type"] != "extra_forbidden")
        key = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            hint = nearest(str(first["loc"][-1]), _fields_at(model, first["loc"][:-1]))
            raise ConfigError("setting_unknown", f"{where} has an unknown key '{key}'", hint) from None
        reason = first["msg"].removeprefix("Value error, ").rstrip(".")
        # A rule over several keys belongs to none of them.
        cause = f"{where}: '{key}': {reason}" if key else f"{where}: {reason}"
        raise ConfigError("setting_invalid", cause, "Change that value.") from None


def _fields_at(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """Names of the fields of the (nested) model at a place in the data."""
    for part in place:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)


def load(model: type[Settings], path: Path) -> Settings:
    """Reads and validates one YAML file; see `read_yaml` and `parse` for the errors."""
    return parse(model, read_yaml(path), path.name)
