"""Where a run writes: no other settings, no second process."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from omnihuman.cli import app
from omnihuman.config import configs_dir
from omnihuman.errors import ResourceError
from omnihuman.training.files import Files, checkpoint_path, resumable
from omnihuman.training.settings import TrainingSettings, read_settings

TINY = configs_dir() / "training" / "tiny.yaml"


def settings(**changes: object) -> TrainingSettings:
    return read_settings(TINY).model_copy(update=changes)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OMNIHUMAN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def call(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments), "--json"])


def test_other_settings_are_another_checkpoint():
    longer = settings(stages=settings().stages[:1])
    paths = {checkpoint_path("tiny", each) for each in (settings(), settings(), longer, settings(seed=9))}
    assert len(paths) == 3


def test_a_longer_run_goes_on_from_the_newest_of_its_kind():
    mine = checkpoint_path("tiny", settings())
    assert resumable(mine) == mine
    shorter, newer = (checkpoint_path("tiny", settings(save_every_min=minutes)) for minutes in (2.0, 3.0))
    foreign = checkpoint_path("tiny", settings(seed=9))
    mine.parent.mkdir(parents=True)
    for age, path in enumerate((foreign, newer, shorter)):
        path.write_bytes(b"")
        os.utime(path, ns=(0, 10**12 - age))
    assert resumable(mine) == newer
    mine.write_bytes(b"")
    assert resumable(mine) == mine


def test_one_run_of_a_configuration_at_a_time(tmp_path: Path):
    files = Files(tmp_path / "w.safetensors", tmp_path / "c.safetensors")
    with files.reserved(), pytest.raises(ResourceError, match="run_locked"), files.reserved():
        pytest.fail("two runs at once")
    with files.reserved():
        assert not files.checkpoint.exists()


def test_a_run_stops_resumes_and_leaves_another_of_its_name_alone(tmp_path: Path, cache: Path):
    out = tmp_path / "w.safetensors"
    stopped = json.loads(call(TINY, "--out", out, "--max-minutes", "0").stdout)
    other = tmp_path / TINY.name
    other.write_text(TINY.read_text(encoding="utf-8") + "seed: 9\n", encoding="utf-8")
    assert json.loads(call(other, "--out", tmp_path / "o.safetensors", "--max-minutes", "0").stdout)["step"] == 1
    assert len(list(cache.rglob("*.safetensors"))) == 2
    resumed = json.loads(call(TINY, "--out", out, "--resume").stdout)
    assert (stopped["step"], stopped["finished"], resumed["finished"]) == (1, False, True)


def test_a_folder_as_output_is_refused_at_once(tmp_path: Path, cache: Path):
    folder = tmp_path / "folder.safetensors"
    folder.mkdir()
    for out, code in ((folder, "output_unwritable"), (tmp_path / "photo.jpg", "output_invalid")):
        assert json.loads(call(TINY, "--out", out).stdout)["error"]["code"] == code
    assert not list(cache.rglob("*.safetensors")) and not (tmp_path / "photo.jpg").exists()
