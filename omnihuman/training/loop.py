"""The training loop: reporting, saving, stopping; and the run of the transformer. What a step computes is in step.py.

The same settings and data give the same weights on the same machine, stopped and resumed or not: all chance of a
step comes from (seed, step). Legend: B batch, C channels, T frames.
"""

from __future__ import annotations

import hashlib
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import silu

from omnihuman import weights_file
from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.reference import REFERENCE_WIDTH
from omnihuman.config import weights_dir
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.errors import ModelError
from omnihuman.latents.motion.parameters import NUM_PARAMETERS
from omnihuman.media.files import output_errors
from omnihuman.training.files import Files
from omnihuman.training.run import PROVENANCE, TrainingRun
from omnihuman.training.settings import TrainingSettings
from omnihuman.training.stages import Mixing, mix, stage_at
from omnihuman.training.step import step
from omnihuman.training.words.phrasebook import Phrasebook
from omnihuman.training.words.reading import learn_to_read

_LOG_EVERY = 50


class WindowSource(Protocol):
    """Where training windows come from."""

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ConditionBatch, Tensor]:
        """Latents `B C T`, all known conditions, loss weight `B C T`; a pure function of `step`."""
        ...

    @property
    def phrasebook(self) -> Phrasebook | None:
        """The captions that windows are told, if they are told any."""
        ...


@dataclass(frozen=True)
class Progress:
    """State after a step; `remaining_s` and `seconds_per_step` are wall clock, `cpu_s` all cores together."""

    step: int
    total: int
    stage: str
    loss: float
    parts: dict[str, float]
    seconds_per_step: float
    remaining_s: float
    cpu_s: float


@dataclass(frozen=True)
class Outcome:
    """How a run ended: steps done, whether all of them, seconds of wall clock and processor, last smoothed losses."""

    step: int
    finished: bool
    seconds: float
    cpu_seconds: float
    losses: dict[str, float]


def build_model(settings: TrainingSettings, audio_features: int) -> MotionDiT:
    """A fresh network of the settings' size; the same seed gives the same weights.

    One that regresses is deaf to noise, before and after training: it is only ever fed zeros there, so these columns
    get no gradient. One step from any noise samples it, and the product's sampler needs to know nothing of it.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model = MotionDiT(
            channels=NUM_PARAMETERS,
            audio_features=audio_features,
            reference_width=REFERENCE_WIDTH,
            **settings.model.model_dump(),
        )
    if settings.loss.objective == "regression":
        with torch.no_grad():
            model.entry.weight[:, :NUM_PARAMETERS] = 0.0
    return model


def step_generator(seed: int, step_number: int) -> torch.Generator:
    """The source of all chance of one step."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step_number)


def begin_with(model: MotionDiT, path: Path) -> dict[str, str]:
    """Gives a network the weights of a file, as the second part of a training in parts does.

    Returns:
        What the file tells of its own making, with its hash: the header of the new weights passes it on.

    Raises:
        ModelError: `weights_missing`, `weights_unreadable`, or `weights_unfit` when they belong to another network.
    """
    if not path.is_file():
        raise ModelError("weights_missing", f"start_from names {path.name}, which is not there", "Train it first.")
    _, tensors = weights_file.read(path, known=set(MotionDiT._signature()))
    weights_file.fill(model, tensors, path)
    told = {key: text for key, text in weights_file.header(path).items() if key in PROVENANCE}
    return told | {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


class Run(TrainingRun):
    """A run of the motion transformer.

    Args:
        settings: The configuration.
        data: Windows.
        data_hash: Names the data, for the header and the resume check.
        files: Where to write.
        device: Where the network lives.
    """

    def __init__(
        self, settings: TrainingSettings, data: WindowSource, data_hash: str, files: Files, device: str = "cpu"
    ) -> None:
        self.settings, self.data = settings, data
        self.model = build_model(settings, data.batch(0, 1)[1].audio.shape[-1])
        self._first_part: dict[str, str] | None = None
        if settings.start_from is not None:
            self._first_part = begin_with(self.model, weights_dir() / settings.start_from)
        elif settings.reading.steps and data.phrasebook is not None:
            model, book = self.model, data.phrasebook
            learn_to_read(
                lambda text: silu(model.read(text)), model.text_encoder, book, settings.reading, settings.seed
            )
        super().__init__(settings, self.model, data_hash, files, device)

    @property
    def stage(self) -> str:
        """Name of the stage of the last step."""
        return stage_at(self.settings.stages, self.done - 1).name

    def loss(self, step_number: int) -> tuple[Tensor, dict[str, Tensor]]:
        """Loss of a step's batch and its parts."""
        settings = self.settings
        generator = step_generator(settings.seed, step_number)
        latents, known, loss_weight = self.data.batch(step_number, settings.batch_size)
        ratios = stage_at(settings.stages, step_number).ratios
        conditions = mix(latents, known, Mixing(ratios, settings.data.prefix_frames), generator).to(self.device)
        latents, loss_weight = latents.to(self.device), loss_weight.to(self.device)
        with self.in_precision():
            return step(self.model, latents, conditions, loss_weight, settings.loss, generator)

    def export(self, path: Path, header: dict[str, str]) -> None:
        """Writes the averaged weights."""
        exported = build_model(self.settings, self.model.config["audio_features"])
        exported.load_state_dict(self.average.tensors)
        if self._first_part is not None:
            header = {**header, "first_part": json.dumps(self._first_part, sort_keys=True)}
        exported.save_file(path, header)


@contextmanager
def _stop_request() -> Iterator[threading.Event]:
    """An event that the first Ctrl+C sets, so that a step is never cut in half; the second one interrupts."""
    event = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield event
        return

    def ask(signum: int, frame: object) -> None:
        if event.is_set():
            raise KeyboardInterrupt
        event.set()

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield event
    finally:
        signal.signal(signal.SIGINT, before)


def train(
    run: TrainingRun,
    date: str,
    max_minutes: float | None = None,
    report: Callable[[Progress], None] | None = None,
    stop: Callable[[], bool] | None = None,
) -> Outcome:
    """Runs until all steps are done, time is up, or somebody asks to stop; always leaves checkpoint and export.

    Args:
        run: Fresh or resumed.
        date: ISO date for the header of the weights.
        max_minutes: Wall-clock limit of this call.
        report: Called after every step.
        stop: Asked after every step; Ctrl+C works besides.

    Raises:
        ResourceError: `disk_full` or `output_unwritable`; before the first step where that can be known.
    """
    run.files.require_writable()
    started, cpu_started = time.monotonic(), time.process_time()
    seconds_before, cpu_before, first = run.seconds, run.cpu_seconds, run.done
    saved_at = started
    with _stop_request() as interrupted:
        while run.done < run.total:
            losses = run.advance()
            now = time.monotonic()
            run.seconds = seconds_before + now - started
            run.cpu_seconds = cpu_before + time.process_time() - cpu_started
            _smooth(run.losses, losses, 1 / run.done)
            pace = (now - started) / (run.done - first)
            _log(run)
            if report is not None:
                report(_progress(run, pace))
            late = max_minutes is not None and now - started >= 60 * max_minutes
            if late or interrupted.is_set() or (stop is not None and stop()):
                break
            if now - saved_at >= 60 * run.save_every_min:
                run.save(date)
                saved_at = now
    run.save(date)
    return Outcome(run.done, run.done >= run.total, run.seconds, run.cpu_seconds, dict(run.losses))


def _smooth(kept: dict[str, float], new: dict[str, float], least_share: float) -> None:
    """Running average of the losses, in place: the plain mean at first, exponential later."""
    share = max(0.02, least_share)
    for name, value in new.items():
        kept[name] = value if name not in kept else (1 - share) * kept[name] + share * value


def _progress(run: TrainingRun, pace: float) -> Progress:
    return Progress(
        step=run.done,
        total=run.total,
        stage=run.stage,
        loss=run.losses["loss"],
        parts={name: value for name, value in run.losses.items() if name != "loss"},
        seconds_per_step=pace,
        remaining_s=pace * (run.total - run.done),
        cpu_s=run.cpu_seconds,
    )


def _log(run: TrainingRun) -> None:
    """Appends the smoothed losses every few steps."""
    if run.done % _LOG_EVERY and run.done != run.total:
        return
    facts = {"step": run.done, "seconds": round(run.seconds, 1), "cpu_seconds": round(run.cpu_seconds, 1)}
    losses = {name: round(value, 5) for name, value in run.losses.items()}
    log = run.files.log
    with output_errors(log), log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**facts, **losses}) + "\n")
