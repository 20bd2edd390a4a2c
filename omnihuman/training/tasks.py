"""What can be trained: from the `task` of a configuration to the reader of its settings and its run.

A configuration without a task trains the motion transformer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnihuman.config import read_yaml
from omnihuman.errors import ConfigError
from omnihuman.training.files import Files
from omnihuman.training.loop import Run
from omnihuman.training.mel.run import open_mel_run
from omnihuman.training.mel.settings import read_mel_settings
from omnihuman.training.run import TrainingRun
from omnihuman.training.settings import TrainingSettings, read_settings
from omnihuman.training.source import open_windows
from omnihuman.training.stored import Report
from omnihuman.training.voice_gate.run import open_voice_gate_run
from omnihuman.training.voice_gate.settings import read_voice_gate_settings


@dataclass(frozen=True)
class Task:
    """One kind of training.

    Attributes:
        read: Reads its settings from a file; they know their `export`.
        open_run: A fresh run of such settings that writes to these files, on a device; first makes what it learns
            from, and tells how far that is.
    """

    read: Callable[[Path], Any]
    open_run: Callable[[Any, Files, Report, str], TrainingRun]


def _open_motion_run(settings: TrainingSettings, files: Files, report: Report, device: str) -> Run:
    return Run(settings, *open_windows(settings, report), files, device)


_MOTION = "motion"
TASKS = {
    _MOTION: Task(read_settings, _open_motion_run),
    "mel": Task(read_mel_settings, open_mel_run),
    "voice-gate": Task(read_voice_gate_settings, open_voice_gate_run),
}


def task_of(path: Path) -> Task:
    """The task of a training configuration.

    Raises:
        ConfigError: missing, not YAML, or `task_unknown`.
    """
    content = read_yaml(path)
    if "task" not in content and "stages" not in content:
        cause = f"{path.name} has neither a task nor stages: it configures no training"
        raise ConfigError("task_unknown", cause, "Try configs/training/motion.yaml.")
    name = str(content.get("task", _MOTION))
    if name not in TASKS:
        cause = f"{path.name} asks for the task '{name}', which nothing here trains"
        raise ConfigError("task_unknown", cause, f"Known: {', '.join(TASKS)}.")
    return TASKS[name]
