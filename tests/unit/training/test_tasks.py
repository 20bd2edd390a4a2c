"""Which network a training configuration trains, and what is told about a task that nobody knows."""

from __future__ import annotations

from pathlib import Path

import pytest

from omnihuman.config import configs_dir
from omnihuman.errors import ConfigError
from omnihuman.training.files import checkpoint_path
from omnihuman.training.settings import TrainingSettings, read_settings
from omnihuman.training.tasks import TASKS, task_of

CONFIG = configs_dir() / "training"


@pytest.mark.parametrize(("name", "task"), [("tiny", "motion"), ("mel", "mel"), ("voice-gate", "voice-gate")])
def test_a_configuration_names_its_task(name: str, task: str):
    assert task_of(CONFIG / f"{name}.yaml") is TASKS[task]


def test_the_transformer_may_be_named_and_stays_the_same_training(tmp_path: Path):
    shipped = CONFIG / "tiny.yaml"
    named = tmp_path / "tiny.yaml"
    named.write_text(f"task: motion\n{shipped.read_text(encoding='utf-8')}", encoding="utf-8")
    settings = task_of(named).read(named)
    assert isinstance(settings, TrainingSettings)
    assert checkpoint_path("tiny", settings) == checkpoint_path("tiny", read_settings(shipped))


@pytest.mark.parametrize("task", ["voice", "", "[1, 2]", "null"])
def test_an_unknown_task_lists_the_known_ones(tmp_path: Path, task: str):
    path = tmp_path / "other.yaml"
    path.write_text(f"task: {task or repr('')}\nsteps: 3\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        task_of(path)
    assert caught.value.code == "task_unknown"
    assert "other.yaml" in str(caught.value) and all(name in str(caught.value) for name in TASKS)
