"""What an ablation will cost on this machine, from a few timed steps of its own network. Processor time, one thread."""

from __future__ import annotations

import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.evaluation.ablation.run import Ablation, one_thread
from omnihuman.evaluation.ablation.settings import AblationSettings
from omnihuman.training.files import Files
from omnihuman.training.loop import Run
from omnihuman.training.synthetic import SyntheticDataset
from omnihuman.training.teacher.mouth import FRAME_HZ

_WARM_UP, _TIMED = 3, 12
_SHORT_SAMPLES = 6
"""Samples of `short_seconds` that the judge takes beside the long one; the guided one counts twice."""


@dataclass(frozen=True)
class Cost:
    """An estimate.

    Attributes:
        runs: All of them.
        finished: Those with a result.
        parameters: Of the network.
        steps: That are still to do.
        step_s: Processor seconds of one.
        judging_s: Processor seconds of judging one network.
    """

    runs: int
    finished: int
    parameters: int
    steps: int
    step_s: float
    judging_s: float

    @property
    def core_hours(self) -> float:
        """What is left in all; drawing windows and making speech come on top."""
        return (self.steps * self.step_s + (self.runs - self.finished) * self.judging_s) / 3600

    def line(self) -> str:
        """For people."""
        return (
            f"{self.runs} runs ({self.finished} finished), {self.parameters / 1e6:.2f} M parameters, "
            f"{self.steps} steps of {1000 * self.step_s:.0f} ms, judging {self.judging_s:.0f} s a run: "
            f"about {self.core_hours:.1f} core-hours"
        )


def estimate(ablation: Ablation) -> Cost:
    """Times training steps on made-up windows of the right size; nothing is written outside a temporary folder."""
    settings = ablation.settings
    left = [run for run in ablation.runs if ablation.result(run) is None]
    with one_thread(), tempfile.TemporaryDirectory() as folder:
        files = Files(Path(folder) / "weights", Path(folder) / "checkpoint")
        run = Run(settings.base, _OneBatch(settings), "timing", files)
        step_s = _cpu_s_of_step(run)
        judging_s = _forwards(settings) * _cpu_s_of_forward(run.model, settings)
    count = sum(parameter.numel() for parameter in run.model.parameters())
    steps = sum(run.training.steps for run in left)
    return Cost(len(ablation.runs), len(ablation.runs) - len(left), count, steps, step_s, judging_s)


class _OneBatch:
    """The same made-up windows again and again: drawing costs nothing, as with a pool."""

    def __init__(self, settings: AblationSettings) -> None:
        source = SyntheticDataset(settings.base.data.frames, 0)
        self._batches = {size: source.batch(0, size) for size in (1, settings.base.batch_size)}

    phrasebook = None

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ConditionBatch, Tensor]:
        """Windows of that number; `Run` asks for one to see their width."""
        return self._batches[batch_size]


def _cpu_s_of_step(run: Run) -> float:
    for _ in range(_WARM_UP):
        run.advance()
    started = time.process_time()
    for _ in range(_TIMED):
        run.advance()
    return (time.process_time() - started) / _TIMED


@torch.inference_mode()
def _cpu_s_of_forward(model: MotionDiT, settings: AblationSettings) -> float:
    latents, known, _ = SyntheticDataset(settings.base.data.frames, 0).batch(0, settings.judging.clips)
    t = torch.ones(len(latents))
    model(latents, t, known)
    started = time.process_time()
    for _ in range(_WARM_UP):
        model(latents, t, known)
    return (time.process_time() - started) / _WARM_UP


def _forwards(settings: AblationSettings) -> int:
    """How often the judge asks a network."""
    judging, window = settings.judging, settings.base.data.frames
    new = window - judging.prefix_frames

    def windows(seconds: float) -> int:
        return -(-max(0, round(seconds * FRAME_HZ) - window) // new) + 1

    return judging.steps * (windows(judging.seconds) + _SHORT_SAMPLES * windows(judging.short_seconds))
