"""What clips are called in reports and as kept videos: by their file, and its folder where two are called alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path


def unique_names(paths: Sequence[Path]) -> list[str]:
    """One name per file: its stem; `folder/stem` where stems repeat; with a number where that repeats as well."""
    stems = Counter(path.stem.casefold() for path in paths)
    taken: set[str] = set()
    names = []
    for path in paths:
        repeats = stems[path.stem.casefold()] > 1
        # The resolved folder: a name must not lead out of the folder that keeps the videos.
        plain = "/".join(part for part in (path.resolve().parent.name if repeats else "", path.stem) if part)
        name, number = plain, 1
        while name.casefold() in taken:
            number += 1
            name = f"{plain}-{number}"
        taken.add(name.casefold())
        names.append(name)
    return names
