"""The model hub: registry + files + pool behind four calls. Made once in a composition root and handed down; no global.

Everything below the roots receives a handle, a callable that opens a lease, and never the hub itself.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from omnihuman.config import cache_dir
from omnihuman.errors import ModelError
from omnihuman.modelhub import devices, integrity, loaders
from omnihuman.modelhub.integrity import FileSpec, FileState, Ledger
from omnihuman.modelhub.pool import ModelPool
from omnihuman.modelhub.registry import SAFE_SUFFIXES, ModelEntry, Registry, write_pins
from omnihuman.modelhub.sources import PathSource, Source, WheelSource, announce
from omnihuman.modelhub.transfer import Progress


@dataclass(frozen=True)
class FileReport:
    """State of one file of one entry."""

    model_id: str
    spec: FileSpec
    path: Path
    state: FileState


def quiet(_what: str, _done_bytes: int, _expected_bytes: int) -> None:
    """Progress that nobody watches."""


class ModelHub:
    """Lends models in a `with` block.

    Args:
        registry: What exists.
        device: Where models are loaded; resolved already.
        pool: What is in memory.
        root: Folder of fetched files, one sub-folder per entry.
    """

    def __init__(self, registry: Registry, device: str, pool: ModelPool, root: Path) -> None:
        self.registry = registry
        self.device = device
        self.pool = pool
        self.root = root

    @classmethod
    def open(cls, device: str = "cpu", registry: Registry | None = None, memory_mb: int | None = None) -> ModelHub:
        """Opens a hub on the shipped registry and the person's cache.

        Args:
            device: `auto`, `cpu`, `cuda`, `cuda:N` or `mps`.
            registry: Another registry.
            memory_mb: Memory budget per device; measured when left out.

        Raises:
            ConfigError: the registry is wrong.
            ResourceError: the device is not there.
        """
        ask = devices.budget_mb if memory_mb is None else (lambda _device: memory_mb)
        return cls(registry or Registry.load(), devices.resolve_device(device), ModelPool(ask), cache_dir() / "models")

    def __enter__(self) -> ModelHub:
        """The hub itself; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the hub."""
        self.close()

    def close(self) -> None:
        """Unloads every model."""
        self.pool.close()

    def handle(self, model_id: str) -> Callable[[], AbstractContextManager[Any]]:
        """What everything below the roots is given: called, it opens a lease of this model.

        Raises:
            ModelError: `model_unknown`, now and not at first use.
        """
        return partial(self.lease, self.registry[model_id].id)

    @contextmanager
    def lease(self, model_id: str) -> Iterator[Any]:
        """Yields the loaded model; it cannot be unloaded inside the block.

        Raises:
            ModelError: its files are missing or wrong, or its class refuses them.
            ResourceError: it does not fit into memory.
        """
        entry = self.registry[model_id]
        with self.pool.lease(entry.id, self.device, entry.memory_mb, partial(self._load, entry)) as model:
            yield model

    def _load(self, entry: ModelEntry) -> Any:
        return loaders.load(entry, self.ensure(entry.id), self.device)

    def ensure(self, model_id: str) -> dict[str, Path]:
        """Verified local paths of a model's files; fetches what is missing. No network once fetched.

        Returns:
            File name -> path.

        Raises:
            ModelError: `model_corrupt`, `model_unpinned`, `model_missing`, `model_outdated`, `offline`, or what
                fetching raises.
        """
        entry = self.registry[model_id]
        if any(report.state in (FileState.MISSING, FileState.OUTDATED) for report in self.examine(entry)):
            self.fetch([other.id for other in self.registry.companions(entry)], repair=False)
        reports = self.examine(entry)
        for report in reports:
            require_ok(report, entry)
        notices = {spec.name for spec in entry.notices}
        return {report.spec.name: report.path for report in reports if report.spec.name not in notices}

    def examine(self, entry: ModelEntry, thorough: bool = False) -> list[FileReport]:
        """State of every file of an entry; `thorough` hashes again instead of trusting the ledger."""
        ledger = None if thorough else Ledger(self.root / entry.id)
        reports = []
        for spec in _listed_files(entry):
            path = self._locate(entry, spec)
            state = integrity.examine(path, spec, ledger)
            if state is FileState.UNPINNED and isinstance(entry.source, PathSource):
                state = FileState.OK  # the person's own file: there is nothing to compare it with
            reports.append(FileReport(entry.id, spec, path, state))
        return reports

    def fetch(self, model_ids: Sequence[str], progress: Progress = quiet, repair: bool = True) -> list[str]:
        """Fetches what is missing or wrong, one download per source.

        Args:
            model_ids: Which entries.
            progress: Told what arrives.
            repair: Also replace corrupt files.

        Returns:
            Ids of the entries that got files.

        Raises:
            ModelError: `offline`, `model_unpinned`, `model_missing` and what sources and verification raise.
            ResourceError: disk full, folder not writable, locked.
        """
        groups: dict[Source, list[ModelEntry]] = {}
        for model_id in dict.fromkeys(model_ids):
            entry = self.registry[model_id]
            groups.setdefault(entry.source, []).append(entry)
        fetched: list[str] = []
        failures: list[ModelError] = []
        for source, entries in groups.items():
            try:
                fetched += self._fetch_source(source, entries, progress, repair)
            except ModelError as error:
                failures.append(error)  # the other sources may still succeed
        if failures:
            raise failures[0]
        return fetched

    def pin(self, model_id: str, progress: Progress = quiet) -> Path:
        """Records size and sha256 that a source announces now in its lock file.

        Returns:
            The lock file; a newly opened hub reads it.

        Raises:
            ConfigError: `pins_by_hand`.
            ModelError: the source fails.
        """
        entry = self.registry[model_id]
        key = entry.source.key
        with integrity.locked(self.root, key), integrity.staging(self.root, f"{key}-pin", False) as folder:
            return write_pins(entry, announce(entry.source, entry.all_files, folder, progress))

    def _lacking(self, entries: Sequence[ModelEntry], repair: bool) -> list[FileReport]:
        """What a fetch has to bring; raises for what no fetch can mend."""
        accepted = (FileState.OK,) if repair else (FileState.OK, FileState.TRUNCATED, FileState.CHANGED)
        lacking = []
        for entry in entries:
            reports = [report for report in self.examine(entry) if report.state not in accepted]
            for report in reports:
                if not entry.source.fetches:
                    require_ok(report, entry)
                elif not report.spec.is_pinned:
                    require_ok(replace(report, state=FileState.UNPINNED), entry)
            lacking += reports
        return lacking

    def _fetch_source(self, source: Source, entries: list[ModelEntry], progress: Progress, repair: bool) -> list[str]:
        if not self._lacking(entries, repair):
            return []
        with integrity.locked(self.root, source.key):
            # Looked at again under the lock: another process may have fetched meanwhile.
            lacking = self._lacking(entries, repair)
            if lacking:
                self._bring(source, lacking, progress)
        return list(dict.fromkeys(report.model_id for report in lacking))

    def _bring(self, source: Source, lacking: list[FileReport], progress: Progress) -> None:
        specs = list({report.spec.path: report.spec for report in lacking}.values())
        needed = sum(spec.size or 0 for spec in specs)
        # A wheel lies twice on the disk while the installer hands it over.
        needed += 2 * source.size if isinstance(source, WheelSource) else 0
        integrity.require_space(self.root, needed)
        keep = source.resumes
        with integrity.staging(self.root, source.key, keep) as folder, integrity.disk_errors(self.root):
            try:
                source.fetch(specs, folder, progress)
            except ModelError as error:
                # A source knows its files, not the models that they belong to.
                names = ", ".join(dict.fromkeys(report.model_id for report in lacking))
                raise ModelError(error.code, f"{names}: {error.cause}", error.way_out) from None
            for number, report in enumerate(lacking):
                staged = folder / report.spec.path
                if any(other.spec.path == report.spec.path for other in lacking[number + 1 :]):
                    # Entries of one wheel share its licence text; the last one takes the staged file itself.
                    staged = shutil.copyfile(staged, folder / f".{number}.part")
                home = self.root / report.model_id
                integrity.install(staged, home / report.spec.name, report.spec, Ledger(home))

    def _locate(self, entry: ModelEntry, spec: FileSpec) -> Path:
        """In place where the source has it there; else the cache, where a bundle may have put it."""
        cached = self.root / entry.id / spec.name
        here = entry.source.in_place(spec)
        return here if here is not None and (here.is_file() or not cached.is_file()) else cached


def _listed_files(entry: ModelEntry) -> tuple[FileSpec, ...]:
    if entry.files or not isinstance(entry.source, PathSource):
        return entry.all_files
    folder = entry.source.path.expanduser()
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*")) if path.is_file()]
    seen = [name for name in names if name.endswith(SAFE_SUFFIXES) and "/." not in f"/{name}"]
    return tuple(FileSpec.model_validate({"path": name, "name": name}) for name in seen)


def require_ok(report: FileReport, entry: ModelEntry) -> None:
    """Raises the coded error of a bad state."""
    if report.state is FileState.OK:
        return
    name = f"{report.model_id}: {report.spec.name}"
    way_out = entry.source.remedy(entry.id)
    if report.state is FileState.UNPINNED:
        raise ModelError(
            "model_unpinned",
            f"{name} has no sha256 in the registry",
            f"Run 'python -m omnihuman models pin {report.model_id}' once its bytes are known to be right.",
        )
    if report.state is FileState.MISSING:
        raise ModelError("model_missing", f"{name} is not on this machine", way_out)
    if report.state is FileState.OUTDATED:
        raise ModelError("model_outdated", f"{name} is intact, but the registry now pins another version", way_out)
    if report.state is FileState.TRUNCATED:
        found = f"has {report.path.stat().st_size} bytes instead of {report.spec.size}"
    else:
        found = "was changed: its sha256 is not the pinned one"
    raise ModelError("model_corrupt", f"{name} {found}", way_out)
