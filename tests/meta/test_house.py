"""house.py and what stands around it: make, CI and the Python twin are one and the same."""

import json
import re
import sys

import pytest
import yaml

import house
from tests.meta.source_tree import ROOT, relative

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture
def quiet_house(monkeypatch, tmp_path):
    """A house in an empty folder that only writes down what it would run, and lets everything succeed."""
    ran = []
    for name in house.OPTIONS:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(house, "run", lambda command: ran.append(list(command)) or 0)

    def create_venv():
        house.venv_python().parent.mkdir(parents=True, exist_ok=True)
        house.venv_python().touch()

    monkeypatch.setattr(house, "create_venv", create_venv)
    return ran


def test_make_and_python_know_the_same_targets():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^TARGETS := (.+)$", makefile, re.MULTILINE).group(1).split() == list(house.TARGETS)
    assert "$(PYTHON) -m house $@" in makefile


def test_every_target_explains_itself():
    assert all((action.__doc__ or "").strip() for action in house.TARGETS.values())


def test_ci_runs_make_test_and_nothing_else():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    commands = [line for line in lines if line and not line.startswith(("#", "set ", "cd "))]
    assert commands == ["exec make test"]


@pytest.mark.parametrize("path", WORKFLOWS, ids=relative)
def test_workflows_are_pinned_and_modest(path):
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["permissions"] == {"contents": "read"}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    loose = [s["uses"] for s in steps if "uses" in s and not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", s["uses"])]
    assert loose == []
    assert "python -m house test" in [step.get("run") for step in steps]


def test_workflow_covers_every_supported_python():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "test.yml").read_text(encoding="utf-8"))
    matrix = workflow["jobs"]["test"]["strategy"]["matrix"]
    assert matrix["python"] == [f"3.{minor}" for minor in range(house.OLDEST[1], house.NEWEST[1] + 1)]
    assert {os.split("-")[0] for os in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_a_second_installation_does_nothing(quiet_house):
    house.install("dev")
    first = len(quiet_house)
    house.install("dev")
    house.install()
    assert first == 2
    assert len(quiet_house) == first


def test_a_new_extra_installs_again_and_keeps_the_old_one(quiet_house):
    house.install("dev")
    house.install("train")
    assert quiet_house[-1][-1].endswith("[dev,train]")
    assert json.loads((house.venv_dir() / house.STAMP).read_text())["extras"] == ["dev", "train"]


def test_a_changed_requirement_installs_again(quiet_house, monkeypatch):
    house.install()
    monkeypatch.setattr(house, "fingerprint", lambda: "another")
    house.install()
    assert len(quiet_house) == 4


def test_a_failed_installation_leaves_no_stamp(quiet_house, monkeypatch, capsys):
    monkeypatch.setattr(house, "run", lambda command: 1)
    assert house.main(["install"]) == 1
    assert "PIP_ARGS" in capsys.readouterr().out
    assert not (house.venv_dir() / house.STAMP).exists()


def test_torch_comes_first_and_pip_arguments_pass_through(quiet_house):
    assert house.main(["install", "PIP_ARGS=--no-cache-dir --proxy http://a"]) == 0
    torch, package = quiet_house
    assert torch[-1].startswith("torch")
    assert package[-2] == "--editable"
    assert all(c[c.index("--proxy") + 1] == "http://a" and "--no-cache-dir" in c for c in quiet_house)


def test_constraints_are_used_where_they_were_tested(quiet_house, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    assert house.torch_requirement().startswith("torch==")
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert house.constraints() is None
    assert house.torch_requirement().startswith("torch>=")


def test_uv_only_when_asked(quiet_house):
    house.main(["install"])
    assert not any(command[0] == "uv" for command in quiet_house)
    house.main(["install", "INSTALLER=uv", "VENV=" + house.option("VENV") + "2"])
    assert quiet_house[-1][:3] == ["uv", "pip", "install"]


def test_demo_speaks_the_sentence_it_is_given(quiet_house, tmp_path):
    assert house.main(["demo", "PICTURE=face.jpg", "SAY=Bob's map = 5", f"OUT={tmp_path / 'a.mp4'}"]) == 0
    animate = quiet_house[-1]
    assert animate[animate.index("--say") + 1] == "Bob's map = 5"
    assert animate[animate.index("--image") + 1].endswith("face.jpg")
    assert "--audio" not in animate


def test_demo_with_a_sound_says_nothing_of_its_own(quiet_house, tmp_path):
    house.main(["demo", "AUDIO=speech.wav", f"OUT={tmp_path / 'a.mp4'}"])
    assert "--say" not in quiet_house[-1]
    assert quiet_house[-1][quiet_house[-1].index("--audio") + 1].endswith("speech.wav")


def test_the_picture_of_the_demo_is_shipped():
    assert (ROOT / house.DEMO_PICTURE).is_file()


@pytest.mark.parametrize("word", ["demos", "SAYS=x", "--help"])
def test_an_unknown_word_lists_what_exists(word, quiet_house, capsys):
    assert house.main([word]) == 2
    assert f"'{word}'" in capsys.readouterr().out
    assert quiet_house == []


def test_an_unsupported_python_is_one_line(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("VENV", str(tmp_path / "venv"))
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert house.main(["install"]) == 1
    assert capsys.readouterr().out.startswith("error: Python 3.9 is not supported. Use 3.10 to 3.13")


def test_every_step_runs_after_a_failure(monkeypatch, capsys):
    ran = []
    monkeypatch.setattr(house, "run", lambda command: ran.append(command) or int(command == ["b"]))
    assert house.perform({"first": ["a"], "second": ["b"], "third": ["c"]}) == 1
    assert ran == [["a"], ["b"], ["c"]]
    assert re.search(r"second\s+FAILED", capsys.readouterr().out)


def test_clean_leaves_a_foreign_environment(quiet_house, tmp_path, monkeypatch):
    monkeypatch.setattr(house, "ROOT", tmp_path)
    (tmp_path / "venv").mkdir()
    (tmp_path / ".ruff_cache").mkdir()
    assert house.main(["clean"]) == 0
    assert (tmp_path / "venv").is_dir()
    assert not (tmp_path / ".ruff_cache").exists()
