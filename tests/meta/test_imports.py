"""Importing is free; every library that is imported is declared, and every declared one is imported."""

import ast
import re
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.meta.source_tree import ROOT, imports, module_path, python_files, relative, tree

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HEAVY = ("torch", "diffusers", "transformers", "gradio", "ray", "librosa", "numba", "cv2", "scipy", "av")
OWN = {"omnihuman", "reasoning", "tests", "house", "studio"}
SOLD_AS = {"cv2": "opencv-python-headless", "yaml": "pyyaml", "PIL": "pillow", "hibari": "hibari-tts"}
"""Import name -> distribution, where the two differ by more than spelling."""
SCRIPT = """
import sys
{statement}
print(*sorted(set({heavy}) & set(sys.modules)))
"""
RUN_HELP = """
from omnihuman.cli import app
from typer.testing import CliRunner
result = CliRunner().invoke(app, {words})
assert result.exit_code == 0, result.output"""


def loaded_by(statement):
    code = SCRIPT.format(statement=statement, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("module", ["omnihuman", "omnihuman.errors", "omnihuman.config", "omnihuman.types"])
def test_import_is_free(module):
    assert loaded_by(f"import {module}") == []


@pytest.mark.slow
@pytest.mark.parametrize("words", [["--help"], ["animate", "--help"], ["models", "--help"], ["train", "--help"]])
def test_help_is_free(words):
    assert loaded_by(RUN_HELP.format(words=words)) == []


def test_public_names_have_a_home():
    """Seen in the text, so that this test loads nothing."""
    import omnihuman

    strays = []
    for name, home in omnihuman._HOMES.items():
        module, _, attribute = home.partition(":")
        body = tree(module_path(module)).body
        names = {getattr(t, "id", None) for n in body if isinstance(n, ast.Assign) for t in n.targets}
        if (attribute or name) not in names | {getattr(n, "name", None) for n in body}:
            strays.append(name)
    assert strays == []
    assert set(omnihuman.__all__) == set(omnihuman._HOMES)
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        _ = omnihuman.Pipelin


def requirements(lines):
    plain = [re.sub(r"\s*#.*", "", line).strip() for line in lines]
    return [Requirement(line) for line in plain if line and not line.startswith("-")]


def required(name="requirements.txt"):
    return requirements((ROOT / name).read_text(encoding="utf-8").splitlines())


def extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return {extra: requirements(lines) for extra, lines in project["optional-dependencies"].items()}


def outside_imports(*folders):
    """Top-level name of every imported library -> one file that imports it."""
    found = {}
    for path in python_files(*folders):
        for name in imports(path):
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in OWN:
                found[top] = relative(path)
    return found


def distribution(top):
    return canonicalize_name(SOLD_AS.get(top, top))


def test_every_imported_library_is_declared():
    declared = {canonicalize_name(r.name) for r in required() + [r for rs in extras().values() for r in rs]}
    used = outside_imports("omnihuman", "reasoning")
    assert {top: path for top, path in used.items() if distribution(top) not in declared} == {}


def test_every_run_time_requirement_is_imported():
    used = {distribution(top) for top in outside_imports("omnihuman", "examples")}
    assert [r.name for r in required() if canonicalize_name(r.name) not in used] == []


@pytest.mark.parametrize(
    ("file", "declared"),
    [
        ("constraints/cpu-3.11.txt", required() + extras()["dev"]),
        ("constraints/zerogpu-3.12.txt", required()),
        ("requirements-gpu.txt", []),
    ],
)
def test_pins_lie_inside_the_ranges(file, declared):
    pins = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in required(file) if "==" in str(r)}
    wanted = {canonicalize_name(r.name): r.specifier for r in [*declared, *required()]}
    assert [name for name in (canonicalize_name(r.name) for r in declared) if name not in pins] == []
    outside = {n: v for n, v in pins.items() if n in wanted and not wanted[n].contains(v.replace(".*", ".0"))}
    assert outside == {}
