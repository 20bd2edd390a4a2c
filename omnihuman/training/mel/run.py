"""The training of the mel front end: its data, its network, its run. The loop is the transformer's own (`loop.py`)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from omnihuman.modelhub.hub import ModelHub
from omnihuman.speech.hama_symbols import POSTERIOR_WIDTH
from omnihuman.speech.mel_features import BANDS
from omnihuman.speech.mel_network import MelNetwork
from omnihuman.training.files import Files
from omnihuman.training.mel.data import folder_of, make_all_heard
from omnihuman.training.mel.settings import MelTrainingSettings
from omnihuman.training.mel.step import Student, mel_step
from omnihuman.training.mel.windows import MelWindows
from omnihuman.training.run import TrainingRun
from omnihuman.training.source import PHONES_ID, VOICE_ID, checksums
from omnihuman.training.stored import Report


def build_student(settings: MelTrainingSettings) -> Student:
    """A fresh network of the settings' size with its training head; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        return Student(MelNetwork(BANDS, POSTERIOR_WIDTH, **settings.model.model_dump()))


class MelRun(TrainingRun):
    """A run of the mel front end.

    Args:
        settings: The configuration.
        data: Windows.
        data_hash: Names the data.
        files: Where to write.
        device: Where the network lives.
    """

    def __init__(
        self, settings: MelTrainingSettings, data: MelWindows, data_hash: str, files: Files, device: str = "cpu"
    ) -> None:
        self.settings, self.data = settings, data
        self.student = build_student(settings)
        super().__init__(settings, self.student, data_hash, files, device)

    @property
    def stage(self) -> str:
        """There is but one."""
        return "distillation"

    def loss(self, step_number: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a step's batch and its parts."""
        batch = self.data.batch(step_number, self.settings.batch_size).to(self.device)
        with self.in_precision():
            return mel_step(self.student, batch, self.settings.loss)

    def export(self, path: Path, header: dict[str, str]) -> None:
        """Writes the averaged network in half precision, without the head that only training needs."""
        student = build_student(self.settings)
        student.load_state_dict(self.average.tensors)
        student.network.save_file(path, header)


def open_mel_run(settings: MelTrainingSettings, files: Files, report: Report, device: str) -> MelRun:
    """A fresh run; makes the recordings that are not there yet.

    Args:
        settings: The configuration.
        files: Where to write.
        report: Told how far the recordings are.
        device: Where the network lives.

    Raises:
        ModelError: voice or phone recogniser are missing and cannot be fetched.
        ResourceError: no room for the recordings.
    """
    data = settings.data
    with ModelHub.open() as hub:
        folder = folder_of(data.speech, checksums(hub, VOICE_ID, PHONES_ID))
        paths = make_all_heard(data.speech, hub.handle(VOICE_ID), hub.handle(PHONES_ID), folder, report)
    windows = MelWindows.of_files(paths, data.rows, data.quiet_ratio, data.augment, settings.seed)
    return MelRun(settings, windows, folder.name, files, device)
