"""The model hub: registry + files + pool behind four calls. Made once in a composition root and handed down; no global.

Everything below the roots receives a handle, a callable that opens a lease, and never the hub itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
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
from omnihuman.modelhub.sources import PathSource, Progress, Source, WheelSource, announce


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

    def handle(self, model_id: str) -> partial[AbstractContextManager[Any]]:
        """A callable that opens a lease: `with handle() as model`.

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

    def _load(self, entry: ModelEntry) -> Any:  # noqa: ANN401
        return loaders.load(entry, self.ensure(entry.id), self.device)

    def ensure(self, model_id: str) -> dict[str, Path]:
        """Verified local paths of a model's files; fetches what is missing. No network once fetched.

        Returns:
            File name -> path.

        Raises:
            ModelError: `model_corrupt`, `model_unpinned`, `model_missing`, `offline`, or what fetching raises.
        """
        entry = self.registry[model_id]
        if any(report.state in (FileState.MISSING, FileState.OUTDATED) for report in self.examine(entry)):
            self.fetch([other.id for other in self.registry.companions(entry)], repair=False)
        reports = self.examine(entry)
        for report in reports:
            _require_ok(report)
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
            if self._lacking(entry, repair):
                groups.setdefault(entry.source, []).append(entry)
        fetched: list[str] = []
        for source, entries in groups.items():
            with integrity.locked(self.root, source.key):
                # Looked at again under the lock: another process may have fetched meanwhile.
                lacking = [report for entry in entries for report in self._lacking(entry, repair)]
                if lacking:
                    self._fetch_group(source, lacking, progress)
                fetched += list(dict.fromkeys(report.model_id for report in lacking))
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
        with integrity.locked(self.root, entry.source.key):
            with integrity.staging(self.root, f"{entry.source.key}-pin", keep_partial=False) as folder:
                return write_pins(entry, announce(entry.source, entry.all_files, folder, progress))

    def _lacking(self, entry: ModelEntry, repair: bool) -> list[FileReport]:
        accepted = (FileState.OK,) if repair else (FileState.OK, FileState.TRUNCATED, FileState.CHANGED)
        reports = [report for report in self.examine(entry) if report.state not in accepted]
        for report in reports:
            if not report.spec.is_pinned and not isinstance(entry.source, PathSource):
                _require_ok(FileReport(entry.id, report.spec, report.path, FileState.UNPINNED))
        return reports

    def _fetch_group(self, source: Source, lacking: list[FileReport], progress: Progress) -> None:
        specs = list({report.spec.path: report.spec for report in lacking}.values())
        needed = sum(spec.size or 0 for spec in specs)
        # A wheel lies twice on the disk while the installer hands it over.
        needed += 2 * source.size if isinstance(source, WheelSource) else 0
        integrity.require_space(self.root, needed)
        keep = source.resumes
        with integrity.staging(self.root, source.key, keep) as folder, integrity.disk_errors(self.root):
            source.fetch(specs, folder, progress)
            for report in lacking:
                final = self.root / report.model_id / report.spec.name
                integrity.install(folder / report.spec.path, final, report.spec, Ledger(self.root / report.model_id))

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
    return tuple(FileSpec.model_validate({"path": name, "name": name}) for name in names if name.endswith(SAFE_SUFFIXES))


def _require_ok(report: FileReport) -> None:
    """Raises the coded error of a bad state."""
    if report.state is FileState.OK:
        return
    command = f"python -m omnihuman models fetch {report.model_id}"
    name = f"{report.model_id}: {report.spec.name}"
    if report.state is FileState.UNPINNED:
        raise ModelError(
            "model_unpinned",
            f"{name} has no sha256 in the registry",
            f"Run 'python -m omnihuman models pin {report.model_id}' once its bytes are known to be right.",
        )
    if report.state in (FileState.MISSING, FileState.OUTDATED):
        raise ModelError("model_missing", f"{name} is not on this machine", f"Run '{command}'.")
    if report.state is FileState.TRUNCATED:
        found = f"has {report.path.stat().st_size} bytes instead of {report.spec.size}"
    else:
        found = "was changed after it was fetched: its sha256 is wrong"
    raise ModelError("model_corrupt", f"{name} {found}", f"Run '{command}' to fetch it again.")
