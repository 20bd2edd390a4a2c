"""What the documents say works: commands exist with those options, code compiles, links lead somewhere."""

import ast
import re
import shlex
from functools import cache

import pytest

import house
from omnihuman.pipeline.clashes import CLASHES
from omnihuman.pipeline.preset import load_preset
from omnihuman.types import AnimationRequest
from tests.meta.source_tree import ROOT, files, imports, module_path, python_files, relative, tree

PAGES = [p for p in files({".md"}) if p.parts[len(ROOT.parts)] not in {"tests", "configs"}]
CONFIGS = files({".yaml"})
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"""\]\(([^)\s]+)\)|<img src="([^"]+)\"""")
INLINE = re.compile(r"`((?:python -m (?:omnihuman|house)|make|omnihuman) [^`\n]+)`")
COMMAND = re.compile(r"^(?:\$ )?((?:python -m (?:omnihuman|house)|make|omnihuman) .*)$")
PLACEHOLDERS = {"...", "COMMAND"}


def blocks(path, language):
    return [text for name, text in FENCE.findall(path.read_text(encoding="utf-8")) if name == language]


def commands(path):
    """Command lines of a page or of a comment in a configuration, continued lines joined."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    if path.suffix == ".yaml":
        return [m.group(1) for line in text.splitlines() if (m := COMMAND.match(line.removeprefix("#").strip()))]
    lines = [
        line.strip()
        for name, block in FENCE.findall(text)
        if name in {"bash", "sh", "powershell"}
        for line in block.splitlines()
    ]
    found = [m.group(1) for line in lines if (m := COMMAND.match(line))]
    return found + INLINE.findall(FENCE.sub("", text))


@cache
def root_command():
    import typer.main

    from omnihuman.cli import app

    return typer.main.get_command(app)


def check_product(words):
    """Walks the command tree; every option must belong to the command it stands behind."""
    command, rest = root_command(), list(words)
    while rest and hasattr(command, "commands") and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name in PLACEHOLDERS:
            return
        assert name in command.commands, f"no such command: {name}"
        command = command.commands[name]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    stray = [w for w in rest if re.match(r"--?[a-z]", w) and w.split("=")[0] not in known | {"--help", "-h"}]
    assert stray == []


def check_house(words):
    """Every word is a target or one of its options."""
    stray = [
        w for w in words if w not in {*house.TARGETS, "<target>"} and w.split("=")[0] not in {*house.OPTIONS, "PYTHON"}
    ]
    assert stray == []


COMMANDS = [(relative(path), line) for path in PAGES + CONFIGS for line in commands(path)]


@pytest.mark.parametrize(("page", "line"), COMMANDS, ids=[f"{page}: {line[:60]}" for page, line in COMMANDS])
def test_command_exists(page, line):
    words = shlex.split(line.split(" # ")[0].replace("[", "").replace("]", ""))
    if words[0] == "python":
        words = words[2:]
    (check_product if words[0] == "omnihuman" else check_house)(words[1:])


def test_readme_shows_commands():
    pages = {page for page, _ in COMMANDS}
    assert {"README.md", "docs/installation.md", "CONTRIBUTING.md"} <= pages


PYTHON = [(relative(path), code) for path in PAGES for code in blocks(path, "python")]


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[page for page, _ in PYTHON])
def test_python_example_uses_what_exists(page, code):
    import omnihuman

    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module == "omnihuman":
            assert {alias.name for alias in node.names} <= set(omnihuman.__all__)
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("omnihuman."):
            home = module_path(node.module)
            assert home is not None, node.module
            assert {alias.name for alias in node.names} <= names_in(home), node.module


@pytest.mark.parametrize(("page", "code"), PYTHON, ids=[page for page, _ in PYTHON])
def test_python_example_calls_with_arguments_that_exist(page, code):
    (call,) = [
        n
        for n in ast.walk(tree(ROOT / "omnihuman" / "pipeline" / "generate.py"))
        if isinstance(n, ast.FunctionDef) and n.name == "__call__"
    ]
    known = {a.arg for a in (*call.args.args, *call.args.kwonlyargs)} | set(AnimationRequest.model_fields) | {None}
    for node in ast.walk(ast.parse(code)):
        named = {k.arg for k in node.keywords} if isinstance(node, ast.Call) else set()
        if "image" in named:
            assert named <= known


def names_in(path):
    body = tree(path).body
    assigned = {getattr(t, "id", None) for n in body if isinstance(n, ast.Assign) for t in n.targets}
    annotated = {getattr(n.target, "id", None) for n in body if isinstance(n, ast.AnnAssign)}
    imported = {name.rsplit(".", 1)[-1] for name in imports(path)}
    return {getattr(n, "name", None) for n in body} | assigned | annotated | imported


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_links_lead_somewhere(path):
    targets = ["".join(groups).split("#")[0] for groups in LINK.findall(path.read_text(encoding="utf-8"))]
    local = [t for t in targets if t and not re.match(r"[a-z]+:", t)]
    assert [t for t in local if not (path.parent / t).exists()] == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_no_page_waits_for_its_text(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if re.match(r"(TODO|TBD|FIXME|XXX)\b|[A-Z]{4,}$", line.strip())] == []


def test_the_table_of_options_is_the_schema():
    """docs/command_line.md names every field of the request, by its option."""
    page = (ROOT / "docs" / "command_line.md").read_text(encoding="utf-8")
    options = [f"--{name.replace('_', '-')}" for name in AnimationRequest.model_fields if name != "version"]
    assert [option for option in options if f"`{option}" not in page] == []


ERRORS = {"InputError", "ConfigError", "ModelError", "ResourceError", "InterruptedRun", "Clash"}
ANIMATING = ("pipeline", "media", "perception", "conditions", "speech", "latents", "denoisers", "doctor")


def test_the_page_of_errors_knows_every_code_that_animating_can_raise():
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    calls = [
        (node, relative(path))
        for path in python_files("omnihuman")
        if path.relative_to(ROOT / "omnihuman").parts[0] in ANIMATING
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ERRORS and node.args
    ]
    first = [(getattr(node.args[0], "value", None), path) for node, path in calls]
    raised = {code: path for code, path in first if isinstance(code, str)}
    assert len(raised) > 40
    assert {code: path for code, path in raised.items() if f"`{code}`" not in page} == {}
    assert [clash.code for clash in CLASHES if f"| `{clash.code}` |" not in page] == []


def test_the_table_of_qualities_is_that_of_the_default_preset():
    page = (ROOT / "docs" / "picture_and_sound.md").read_text(encoding="utf-8")
    preset = load_preset("motion")
    for name in ("draft", "standard", "best"):
        (row,) = re.findall(rf"^\| `{name}`.*$", page, re.MULTILINE)
        quality = preset.at(name)
        encoder = f"crf {quality.encoding.crf}, {quality.encoding.speed}"
        wanted = f"| {quality.steps} | {quality.longest_side_px:,} pixels | {encoder} |"
        assert row.endswith(wanted)


def test_the_first_screen_leads_to_every_kind_of_video():
    first, _, _ = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What works")
    shown = [line for _, block in FENCE.findall(first) for line in block.splitlines()]
    for option in ("--audio", "--say", "--drive", "--text"):
        assert any("--image me.jpg" in line and f" {option} " in line for line in shown), option
    assert any("from_pretrained" in line for line in shown)
    assert first.count("\n") < 75


def test_every_page_is_linked_from_the_readme_or_another_page():
    linked = set()
    for path in PAGES:
        for groups in LINK.findall(path.read_text(encoding="utf-8")):
            linked.add((path.parent / "".join(groups).split("#")[0]).resolve())
    assert [relative(p) for p in PAGES if p.parent == ROOT / "docs" and p.resolve() not in linked] == []
