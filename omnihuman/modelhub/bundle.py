"""Copies verified models, their licence texts and a manifest into one folder for machines without a network.

The folder is a cache: `OMNIHUMAN_CACHE=FOLDER` is all that such a machine needs.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from omnihuman.errors import InputError, ResourceError
from omnihuman.modelhub import integrity
from omnihuman.modelhub.hub import ModelHub, require_ok
from omnihuman.modelhub.integrity import Ledger
from omnihuman.modelhub.registry import ModelEntry
from omnihuman.modelhub.transfer import Progress, copy_file

MANIFEST = "MANIFEST.json"
LICENCES = "LICENCES.md"
_OWN_NAMES = {MANIFEST, LICENCES, "models"}
_INSTEAD = "name another folder"


def write_bundle(hub: ModelHub, model_ids: Sequence[str], folder: Path, progress: Progress) -> dict[str, Any]:
    """Fills a folder with models; the manifest is written last, so a folder without one is not a bundle.

    Args:
        hub: Where the files are taken from; what is missing is fetched first.
        model_ids: Which entries.
        folder: New, empty, or an earlier bundle.
        progress: Told what arrives and what is copied.

    Returns:
        The manifest.

    Raises:
        InputError: `bundle_folder_used` when the folder holds something else.
        ModelError: as `ModelHub.fetch` and `ModelHub.ensure`.
        ResourceError: `disk_full` or `folder_read_only`.
    """
    manifest_path = folder / MANIFEST
    entries = [hub.registry[model_id] for model_id in dict.fromkeys(model_ids)]
    with integrity.disk_errors(folder, _INSTEAD):
        _open_folder(folder)
    hub.fetch([entry.id for entry in entries], progress)
    with integrity.disk_errors(folder, _INSTEAD):
        manifest_path.unlink(missing_ok=True)
        integrity.require_space(folder, sum(entry.size_bytes for entry in entries), _INSTEAD)
        models = [_copy_entry(hub, entry, folder, progress) for entry in entries]
        (folder / LICENCES).write_text(_licence_page(entries), encoding="utf-8")
        manifest = {"format": 1, "use": "set OMNIHUMAN_CACHE to this folder", "models": models}
        manifest_path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    return manifest


def _open_folder(folder: Path) -> None:
    """Makes the folder before anything is fetched for it."""
    try:
        # An interrupted bundle holds only our own names and may be completed.
        if folder.is_file() or (folder.exists() and any(path.name not in _OWN_NAMES for path in folder.iterdir())):
            raise InputError("bundle_folder_used", f"{folder} is not empty and no bundle", "Name a new folder.")
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENAMETOOLONG):
            raise
        # What the system says of a place where nothing can be made, and of a name that it refuses.
        cause = f"{folder} cannot be made ({error.strerror})"
        raise ResourceError("folder_read_only", cause, f"{_INSTEAD.capitalize()}.") from None


def _copy_entry(hub: ModelHub, entry: ModelEntry, folder: Path, progress: Progress) -> dict[str, Any]:
    home = folder / "models" / entry.id
    done = 0
    files = []
    for report in hub.examine(entry, thorough=True):
        require_ok(report, entry)
        staged = home / f"{report.spec.name}.part"
        copy_file(report.path, staged)
        # The person's own `path` files carry no pins; the copy is then compared with what was read.
        sha256 = report.spec.sha256 or integrity.file_sha256(report.path)
        spec = report.spec.model_copy(update={"sha256": sha256, "size": report.path.stat().st_size})
        integrity.install(staged, home / spec.name, spec, Ledger(home))
        files.append({"name": spec.name, "sha256": spec.sha256, "size": spec.size})
        done += spec.size or 0
        progress(f"copying {entry.id}", done, max(done, entry.size_bytes))
    return {"id": entry.id, "title": entry.title, "licence": entry.licence.name, "files": files}


def _licence_page(entries: Sequence[ModelEntry]) -> str:
    blocks = ["# Models in this folder", "", "Licence texts and notices lie beside the files they belong to."]
    for entry in entries:
        blocks += ["", f"## {entry.id}", "", *licence_lines(entry)]
    return "\n".join(blocks) + "\n"


def licence_lines(entry: ModelEntry) -> list[str]:
    """What must be said of a model wherever it is handed on, as Markdown list lines."""
    licence = entry.licence
    lines = [f"- What: {entry.title}", f"- Source: {entry.source.label}", f"- Licence: {licence.name}"]
    lines += [f"- Licence stated at: <{licence.url}>"] if licence.url else []
    lines += [f"- Note: {licence.note}"] if licence.note else []
    lines += [f"- Texts that travel with it: {', '.join(file.name for file in entry.notices)}"] if entry.notices else []
    return [*lines, f"- Training data: {entry.training_data}"]
