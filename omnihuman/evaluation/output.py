"""Where results go: refused before the work when nothing can be written there. Knows nothing of what is measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from omnihuman.errors import InputError
from omnihuman.media.files import require_place, unwritable


def check_report(path: Path, inputs: Iterable[Path]) -> None:
    """Refuses a place where no report can be written.

    Args:
        path: The JSON file to be.
        inputs: Files that must survive.

    Raises:
        InputError: output_invalid or folder_missing.
        ResourceError: output_unwritable or disk_full.
    """
    require_place(path, inputs)
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
    """Writes a page of text.

    Raises:
        ResourceError: output_unwritable or disk_full.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unwritable(path, error) from None
