"""Small files, small functions, speaking names, plain text: kept so by a test, not by taste."""

import ast
import re

import pytest

from tests.meta.source_tree import ROOT, TEXT_SUFFIXES, files, python_files, relative, tree

MAX_FILE, MAX_FUNCTION, MAX_FORWARD = 400, 60, 80
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core", "legacy", "stuff"}
# Built from parts, so that this file does not find itself.
MACHINE_PATH = re.compile(
    r"(?<![\w.~}])/(?:" + "|".join(("home", "Users", "root", "mnt", "srv", "work", "opt")) + r")/\w"
)
DRIVE_PATH = re.compile(r"\b[A-Z]:" + r"\\\w")
PRIVATE_HOST = re.compile(
    r"\b(?:10\.\d{1,3}|192\.168|172\.(?:1[6-9]|2\d|3[01]))(?:\.\d{1,3}){2}\b|\b[\w-]+\.(?:internal|corp|lan)\b"
)


def functions(path):
    return [n for n in ast.walk(tree(path)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_files_stay_small():
    lengths = {relative(p): len(p.read_text(encoding="utf-8").splitlines()) for p in python_files()}
    assert {name: n for name, n in lengths.items() if n > MAX_FILE} == {}


def test_functions_stay_small():
    long = {}
    for path in python_files():
        for function in functions(path):
            lines = function.end_lineno - function.lineno + 1
            if lines > (MAX_FORWARD if function.name == "forward" else MAX_FUNCTION):
                long[f"{relative(path)}:{function.lineno} {function.name}"] = lines
    assert long == {}


def test_module_names_say_something():
    parts = {part for p in python_files() for part in (*p.relative_to(ROOT).parts[:-1], p.stem)}
    assert parts & EMPTY_NAMES == set()


def test_every_module_says_what_it_is():
    silent = [relative(p) for p in python_files("omnihuman", "reasoning") if not ast.get_docstring(tree(p))]
    assert silent == []


def test_python_is_ascii():
    marked = [relative(p) for p in python_files() if not p.read_text(encoding="utf-8").isascii()]
    assert marked == []


@pytest.mark.parametrize("pattern", [MACHINE_PATH, DRIVE_PATH, PRIVATE_HOST], ids=["path", "drive", "host"])
def test_nothing_names_a_machine(pattern):
    found = {}
    for path in files(TEXT_SUFFIXES):
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if match := pattern.search(line):
                found[f"{relative(path)}:{number}"] = match.group()
    assert found == {}


def test_every_test_folder_is_a_package():
    """Otherwise two test files of the same name hide each other."""
    bare = {relative(p.parent) for p in python_files("tests") if not (p.parent / "__init__.py").is_file()}
    assert bare == set()
