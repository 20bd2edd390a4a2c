"""The training loop: optimiser, schedule, average, saving, stopping. What a step computes stands in step.py.

The same settings and data give the same weights on the same machine, stopped and resumed or not: all chance of a
step comes from (seed, step). Legend: B batch, C channels, T frames.
"""

from __future__ import annotations

import json
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn

from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.reference import REFERENCE_WIDTH
from omnihuman.denoisers import weights_file
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.errors import InputError
from omnihuman.latents.motion.parameters import NUM_PARAMETERS
from omnihuman.training import checkpoint
from omnihuman.training.ema import MovingAverage
from omnihuman.training.files import SAME_RUN, Files, resumable
from omnihuman.training.settings import OptimizerSettings, TrainingSettings
from omnihuman.training.stages import Mixing, mix, stage_at
from omnihuman.training.step import step

LICENCE = "Apache-2.0"
_LOG_EVERY = 50


class WindowSource(Protocol):
    """Where training windows come from."""

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ConditionBatch, Tensor]:
        """Latents `B C T`, all known conditions, loss weight `B C T`; a pure function of `step`."""
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


def learning_rate(step_number: int, total: int, settings: OptimizerSettings) -> float:
    """Linear warm-up, then cosine down to `final_fraction` of the peak at `total`."""
    warm = min(1.0, (step_number + 1) / max(1, settings.warmup_steps))
    share = min(1.0, step_number / max(1, total))
    fall = settings.final_fraction + (1 - settings.final_fraction) * 0.5 * (1 + math.cos(math.pi * share))
    return settings.learning_rate * warm * fall


def step_generator(seed: int, step_number: int) -> torch.Generator:
    """The source of all chance of one step."""
    return torch.Generator().manual_seed(seed * 1_000_003 + step_number)


def _optimizer(model: nn.Module, settings: OptimizerSettings) -> torch.optim.AdamW:
    """AdamW; matrices decay, biases, gains and learned nulls do not."""
    matrices = [p for p in model.parameters() if p.ndim >= 2]
    rest = [p for p in model.parameters() if p.ndim < 2]
    groups = [{"params": matrices, "weight_decay": settings.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.99), fused=True)


class Run:
    """One training run: network, average, optimiser and the steps done so far.

    Args:
        settings: The configuration.
        data: Windows.
        data_hash: Names the data, for the header and the resume check.
        files: Where to write.
    """

    def __init__(self, settings: TrainingSettings, data: WindowSource, data_hash: str, files: Files) -> None:
        self.settings, self.data, self.data_hash, self.files = settings, data, data_hash, files
        self.model = build_model(settings, data.batch(0, 1)[1].audio.shape[-1])
        self.average = MovingAverage(self.model, settings.optimizer.ema_decay)
        self.optimizer = _optimizer(self.model, settings.optimizer)
        self.done = 0
        self.seconds = self.cpu_seconds = 0.0
        self.losses: dict[str, float] = {}

    def resume(self) -> None:
        """Goes on from the checkpoint of these settings, or of a run that was shorter or longer.

        Raises:
            InputError: `checkpoint_missing`, `checkpoint_unreadable`, or `checkpoint_unfit` when data, network or
                loss differ. Stages and optimiser may differ: a run can be made longer or shorter.
        """
        path = resumable(self.files.checkpoint)
        if not path.exists():
            raise InputError("checkpoint_missing", f"there is no checkpoint {path.name}", "Start without --resume.")
        record = checkpoint.read_record(path)
        mine = self.settings.model_dump(mode="json")
        changed = [key for key in SAME_RUN if record.settings[key] != mine[key]]
        changed += ["data files"] if record.data_hash != self.data_hash else []
        if changed:
            raise InputError(
                "checkpoint_unfit", f"{path.name} has other {', '.join(changed)}", "Start without --resume."
            )
        checkpoint.restore(path, self.model, self.average, self.optimizer)
        self.done, self.seconds, self.cpu_seconds = record.step, record.seconds, record.cpu_seconds

    def advance(self) -> dict[str, float]:
        """One optimiser step; returns the losses of its batch."""
        settings, number = self.settings, self.done
        generator = step_generator(settings.seed, number)
        latents, known, loss_weight = self.data.batch(number, settings.batch_size)
        stage = stage_at(settings.stages, number)
        conditions = mix(latents, known, Mixing(stage.ratios, settings.data.prefix_frames), generator)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(number, settings.steps, settings.optimizer)
        with torch.autocast("cpu", torch.bfloat16, enabled=settings.precision == "bf16"):
            loss, parts = step(self.model, latents, conditions, loss_weight, settings.loss, generator)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), settings.optimizer.clip_norm)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.average.update(self.model)
        self.done += 1
        return {"loss": float(loss.detach()), **{name: float(value) for name, value in parts.items()}}

    def save(self, date: str) -> None:
        """Writes checkpoint and exported weights.

        Raises:
            ResourceError: `disk_full` or `output_unwritable`.
        """
        settings = self.settings.model_dump(mode="json")
        record = checkpoint.Record(self.done, self.seconds, self.cpu_seconds, settings, self.data_hash)
        checkpoint.save(self.files.checkpoint, self.model, self.average, self.optimizer, record)
        facts = {"steps": self.done, "cpu_hours": round(self.cpu_seconds / 3600, 3), "losses": self.losses}
        header = {
            "training": json.dumps(settings, sort_keys=True),
            "result": json.dumps(facts, sort_keys=True),
            "data": self.data_hash,
            "licence": LICENCE,
            "date": date,
        }
        exported = build_model(self.settings, self.model.config["audio_features"])
        exported.load_state_dict(self.average.tensors)
        exported.save_file(self.files.export, header)


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
    run: Run,
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
        while run.done < run.settings.steps:
            losses = run.advance()
            now = time.monotonic()
            run.seconds = seconds_before + now - started
            run.cpu_seconds = cpu_before + time.process_time() - cpu_started
            _smooth(run.losses, losses, 1 / (run.done - first))
            pace = (now - started) / (run.done - first)
            _log(run)
            if report is not None:
                report(_progress(run, pace))
            late = max_minutes is not None and now - started >= 60 * max_minutes
            if late or interrupted.is_set() or (stop is not None and stop()):
                break
            if now - saved_at >= 60 * run.settings.save_every_min:
                run.save(date)
                saved_at = now
    run.save(date)
    return Outcome(run.done, run.done >= run.settings.steps, run.seconds, run.cpu_seconds, dict(run.losses))


def _smooth(kept: dict[str, float], new: dict[str, float], least_share: float) -> None:
    """Running average of the losses, in place: the plain mean at first, exponential later."""
    share = max(0.02, least_share)
    for name, value in new.items():
        kept[name] = value if name not in kept else (1 - share) * kept[name] + share * value


def _progress(run: Run, pace: float) -> Progress:
    settings = run.settings
    return Progress(
        step=run.done,
        total=settings.steps,
        stage=stage_at(settings.stages, run.done - 1).name,
        loss=run.losses["loss"],
        parts={name: value for name, value in run.losses.items() if name != "loss"},
        seconds_per_step=pace,
        remaining_s=pace * (settings.steps - run.done),
        cpu_s=run.cpu_seconds,
    )


def _log(run: Run) -> None:
    """Appends the smoothed losses every few steps."""
    if run.done % _LOG_EVERY and run.done != run.settings.steps:
        return
    facts = {"step": run.done, "seconds": round(run.seconds, 1), "cpu_seconds": round(run.cpu_seconds, 1)}
    losses = {name: round(value, 5) for name, value in run.losses.items()}
    log = run.files.log
    with weights_file.output_errors(log), log.open("a", encoding="utf-8") as file:
        file.write(json.dumps({**facts, **losses}) + "\n")
