"""Fingerprint of the code that makes derived data, so that a cache never outlives a change of what fills it."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType


def _without_docstrings(tree: ast.Module) -> ast.Module:
    """Takes free-standing strings out of every body."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [line for line in body if not (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))]
            node.body = kept  # type: ignore[attr-defined]
    return tree


def code_fingerprint(modules: Iterable[ModuleType]) -> str:
    """Hex digest of what the modules do; comments, docstrings and layout do not count.

    Args:
        modules: Imported modules with source files; only they are read, not what they import.
    """
    digest = hashlib.sha256()
    for module in modules:
        assert module.__file__ is not None
        tree = _without_docstrings(ast.parse(Path(module.__file__).read_text(encoding="utf-8")))
        digest.update(f"{module.__name__}\n{ast.dump(tree)}\n".encode())
    return digest.hexdigest()
