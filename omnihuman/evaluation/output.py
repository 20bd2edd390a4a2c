"""Where results go: refused before the work when nothing can be written there. Knows nothing of what is measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from omnihuman.errors import InputError
from omnihuman.media.files import is_same_file, require_place, write_whole


def check_report(path: Path, inputs: Iterable[Path], suffix: str = ".json") -> None:
    """Refuses a place where no report can be written.

    Args:
        path: The file to be.
        inputs: Files that must survive, and with them the records that lie beside videos.
        suffix: What its name has to end in.

    Raises:
        InputError: output_invalid or folder_missing.
        ResourceError: output_unwritable or disk_full.
    """
    inputs = list(inputs)
    require_place(path, inputs)
    if path.suffix.lower() != suffix:
        raise InputError("output_invalid", f"{path.name!r} does not end in {suffix}", f"Name a {suffix} file.")
    if any(is_same_file(path, source.with_suffix(".json")) for source in inputs if source.name):
        raise InputError("output_invalid", "the report would overwrite the record of an input", "Choose another name.")
    if not path.parent.is_dir():
        cause = f"there is no folder {path.parent.name!r}"
        raise InputError("folder_missing", cause, "Make it first, or choose another one for --report.")


def check_picture(path: Path, inputs: Iterable[Path]) -> None:
    """Refuses a place where no PNG can be written; a missing folder is no reason, it is made.

    Args:
        path: The picture to be.
        inputs: Files that must survive.

    Raises:
        InputError: output_invalid.
        ResourceError: output_unwritable or disk_full.
    """
    if path.suffix.lower() != ".png":
        raise InputError("output_invalid", f"{path.name!r} does not end in .png", "Name a .png file.")
    require_place(path, inputs)


def write_report(path: Path, record: Mapping[str, Any]) -> None:
    """Writes a JSON-ready record.

    Raises:
        ResourceError: output_unwritable or disk_full.
    """
    write_text(path, json.dumps(record, indent=1, sort_keys=True) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a page of text, whole or not at all.

    Raises:
        ResourceError: output_unwritable or disk_full.
    """
    write_whole(path, text.encode())
