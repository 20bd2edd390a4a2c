"""The training of the judge of the voice gate: its data, its network, its run. The loop is that of `loop.py`."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from omnihuman.modelhub.hub import ModelHub
from omnihuman.speech.voice_activity_judge import VoiceJudge
from omnihuman.training.files import Files
from omnihuman.training.run import TrainingRun
from omnihuman.training.source import PHONES_ID, VOICE_ID, checksums
from omnihuman.training.stored import Report
from omnihuman.training.voice_gate.rows import SoundMaker, folder_of, make_all_heard
from omnihuman.training.voice_gate.settings import VoiceGateTrainingSettings
from omnihuman.training.voice_gate.step import judge_step
from omnihuman.training.voice_gate.windows import VoiceGateWindows

DETECTOR_ID = "voice-detector"


def build_judge(seed: int) -> VoiceJudge:
    """A fresh network; the same seed gives the same weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return VoiceJudge()


class VoiceGateRun(TrainingRun):
    """A run of the judge of the voice gate.

    Args:
        settings: The configuration.
        data: Windows.
        data_hash: Names the data.
        files: Where to write.
        device: Where the network lives.
    """

    def __init__(
        self,
        settings: VoiceGateTrainingSettings,
        data: VoiceGateWindows,
        data_hash: str,
        files: Files,
        device: str = "cpu",
    ) -> None:
        self.settings, self.data = settings, data
        self.judge = build_judge(settings.seed)
        super().__init__(settings, self.judge, data_hash, files, device)

    @property
    def stage(self) -> str:
        """There is but one."""
        return "judging"

    def loss(self, step_number: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a step's batch and its parts."""
        batch = self.data.batch(step_number, self.settings.batch_size).to(self.device)
        with self.in_precision():
            return judge_step(self.judge, batch, self.settings.loss)

    def export(self, path: Path, header: dict[str, str]) -> None:
        """Writes the averaged weights."""
        judge = build_judge(self.settings.seed)
        judge.load_state_dict(self.average.tensors)
        judge.save_file(path, header)


def open_voice_gate_run(settings: VoiceGateTrainingSettings, files: Files, report: Report, device: str) -> VoiceGateRun:
    """A fresh run; makes the sounds that are not there yet.

    Args:
        settings: The configuration.
        files: Where to write.
        report: Told how far the sounds are.
        device: Where the network lives.

    Raises:
        ModelError: voice, phone recogniser or voice detector are missing and cannot be fetched.
        ResourceError: no room for the sounds.
    """
    wanted = settings.data
    with ModelHub.open() as hub:
        folder = folder_of(wanted.sounds, checksums(hub, VOICE_ID, PHONES_ID, DETECTOR_ID))
        voice, phones, detector = (hub.handle(model_id) for model_id in (VOICE_ID, PHONES_ID, DETECTOR_ID))
        paths = make_all_heard(SoundMaker(wanted.sounds, voice, phones, detector), folder, report)
    windows = VoiceGateWindows.of_files(paths, wanted.rows, wanted.disturbance, settings.seed)
    return VoiceGateRun(settings, windows, folder.name, files, device)
