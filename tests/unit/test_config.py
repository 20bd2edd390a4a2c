"""Reading settings: every bad file and value is one coded line; folders follow the environment."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import model_validator

from omnihuman.config import ROOT, StrictModel, cache_dir, configs_dir, load, parse, read_yaml, weights_dir
from omnihuman.errors import ConfigError
from omnihuman.pipeline.preset import load_preset


class Pair(StrictModel):
    low: int = 0
    high: int = 1

    @model_validator(mode="after")
    def _ordered(self) -> Pair:
        if self.low > self.high:
            raise ValueError("low is above high.")
        return self


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("none.yaml", "config_missing"),
        (".", "config_unreadable"),
        ("a" * 300, "config_unreadable"),
        ("a\0b.yaml", "config_unreadable"),
        ("right.yaml/deeper.yaml", "config_unreadable"),
    ],
    ids=["missing", "folder", "long name", "NUL", "inside a file"],
)
def test_a_path_that_is_no_file_is_a_coded_line(tmp_path: Path, name: str, code: str):
    (tmp_path / "right.yaml").write_text("low: 0\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        read_yaml(tmp_path / name)
    assert caught.value.code == code
    assert len(str(caught.value)) < 250 and str(caught.value).isprintable()


@pytest.mark.parametrize(
    "content",
    [b"[" * 1_000, b"low: [", b"low: \xff", b"low: 2026-13-45", b"- low", b""],
    ids=["nested", "not YAML", "not UTF-8", "no such day", "a list", "empty"],
)
def test_a_file_that_is_no_mapping_is_a_coded_line(tmp_path: Path, content: bytes):
    (tmp_path / "c.yaml").write_bytes(content)
    with pytest.raises(ConfigError) as caught:
        load(Pair, tmp_path / "c.yaml")
    assert caught.value.code == "config_unreadable"
    assert ".. " not in str(caught.value)


def test_a_rule_over_several_keys_is_told_plainly():
    with pytest.raises(ConfigError) as caught:
        parse(Pair, {"low": 3}, "c.yaml")
    assert str(caught.value) == "error[setting_invalid]: c.yaml: low is above high. Change that value."
    with pytest.raises(ConfigError, match="c.yaml: 'low': "):
        parse(Pair, {"low": "x"}, "c.yaml")


FOLDERS = {"CONFIGS": configs_dir, "WEIGHTS": weights_dir, "CACHE": cache_dir}


@pytest.mark.parametrize("name", FOLDERS)
def test_an_empty_variable_counts_as_not_set(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(f"OMNIHUMAN_{name}", raising=False)
    usual = FOLDERS[name]()
    monkeypatch.setenv(f"OMNIHUMAN_{name}", "")
    assert FOLDERS[name]() == usual != Path()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_variable_may_name_the_home_folder(name: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(f"OMNIHUMAN_{name}", "~/mine")
    assert FOLDERS[name]() == Path.home() / "mine"
    monkeypatch.setenv(f"OMNIHUMAN_{name}", "~no-such-person-here/mine")
    with pytest.raises(ConfigError, match="home_unknown"):
        FOLDERS[name]()


def test_the_cache_follows_the_desktop(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("OMNIHUMAN_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(ROOT / "x"))
    assert cache_dir() == ROOT / "x" / "omnihuman"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    assert cache_dir() == Path.home() / ".cache" / "omnihuman"


@pytest.mark.parametrize("name", ["../training/tiny", "/etc/passwd", "Tiny", "", "tiny\n", "a/b", ".", "x\0"])
def test_a_preset_name_is_a_plain_name(name: str):
    with pytest.raises(ConfigError) as caught:
        load_preset(name)
    assert caught.value.code == "preset_invalid"
    assert "tiny" in caught.value.way_out


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(ConfigError, match="Did you mean 'motion'") as caught:
        load_preset("motions")
    assert caught.value.code == "config_missing"
