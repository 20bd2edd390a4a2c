"""The repository as text: which files there are, what they import, how long they are. Read with `ast`, never run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("omnihuman", "reasoning", "tests", "examples", "configs", "constraints", "docs", "weights", "deploy")
"""Folders of the project at the top of the checkout; anything else there is a person's own."""
TEXT_SUFFIXES = {".py", ".md", ".toml", ".yaml", ".yml", ".txt", ".cfg", ".cff", ".json", ".jsonl", ""}


def files(suffixes: set[str]) -> list[Path]:
    """Files of the project with one of these suffixes."""
    top = [p for p in ROOT.iterdir() if p.is_file() and p.suffix in suffixes]
    hidden = [p for name in (".ci", ".github") for p in (ROOT / name).rglob("*")]
    below = [p for name in FOLDERS for p in (ROOT / name).rglob("*") if "__pycache__" not in p.parts]
    return sorted(top + [p for p in hidden + below if p.is_file() and p.suffix in suffixes])


def python_files(*folders: str) -> list[Path]:
    """Python files below some folders of the root; without folders all of the project, house.py and app.py included."""
    return [p for p in files({".py"}) if not folders or p.relative_to(ROOT).parts[0] in folders]


@cache
def tree(path: Path) -> ast.Module:
    """The syntax tree of one file."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imports(path: Path, at_import_time: bool = False) -> set[str]:
    """Dotted names of the modules that a file imports, `from a import b` as both `a` and `a.b`.

    Args:
        path: A Python file.
        at_import_time: Leave out what stands inside functions or under `if TYPE_CHECKING`.
    """
    names: set[str] = set()
    for node in _walk(tree(path), at_import_time):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _walk(node: ast.AST, at_import_time: bool) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        lazy = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) or (
            isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING"
        )
        if not (at_import_time and lazy):
            yield from _walk(child, at_import_time)


def module_path(name: str) -> Path | None:
    """File of a module of this project, or None for one from outside."""
    base = ROOT.joinpath(*name.split("."))
    return next((p for p in (base.with_suffix(".py"), base / "__init__.py") if p.is_file()), None)


def reaches(path: Path, library: str) -> bool:
    """Whether running a file loads a library: by its own imports, or by the import of a module of this project."""
    seen: set[Path] = set()
    waiting = {path}
    names = imports(path)
    while waiting:
        seen |= waiting
        if any(name.split(".")[0] == library for name in names):
            return True
        waiting = {p for name in names for p in _chain(name)} - seen
        names = {name for p in waiting for name in imports(p, at_import_time=True)}
    return False


def _chain(name: str) -> Iterator[Path]:
    """A module of this project and the packages around it, all of which its import runs."""
    parts = name.split(".")
    for depth in range(1, len(parts) + 1):
        if path := module_path(".".join(parts[:depth])):
            yield path


def relative(path: Path) -> str:
    """Path below the root, with forward slashes."""
    return path.relative_to(ROOT).as_posix()
