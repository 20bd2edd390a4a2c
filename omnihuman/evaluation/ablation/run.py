"""Runs the grid: trains and judges what has no result yet. Several processes may work on one folder at the same time.

Each takes the next run that nobody holds; a lock dies with its process, so a killed one leaves nothing to clean up.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.errors import InputError, ResourceError
from omnihuman.evaluation import expected
from omnihuman.evaluation.ablation import held_out, judge, pool, quantities, roll_out
from omnihuman.evaluation.ablation.held_out import HeldOut, open_held_out
from omnihuman.evaluation.ablation.judge import Judge
from omnihuman.evaluation.ablation.pool import PooledWindows, draw_pool
from omnihuman.evaluation.ablation.result import RunFolder, RunResult, records
from omnihuman.evaluation.ablation.settings import AblationSettings, PlannedRun, digest, planned_runs
from omnihuman.metrics import motion, sync
from omnihuman.training import dataset
from omnihuman.training.loop import Progress, Run, train
from omnihuman.training.recipe import code_fingerprint
from omnihuman.training.source import open_windows, speech_name
from omnihuman.training.teacher import body as teacher_body
from omnihuman.training.teacher import direction as teacher_direction
from omnihuman.training.teacher import face as teacher_face
from omnihuman.training.teacher import mouth as teacher_mouth
from omnihuman.training.teacher import prosody as teacher_prosody
from omnihuman.training.teacher import styles
from omnihuman.training.teacher import take as teacher
from omnihuman.training.teacher.styles import load_styles
from omnihuman.training.words import phrasebook, script

_TEACHER = (teacher, teacher_body, teacher_direction, teacher_face, teacher_mouth, teacher_prosody)
_WINDOWS = (*_TEACHER, dataset, phrasebook, pool, script, styles)
_JUDGES = (held_out, judge, quantities, roll_out, expected, motion, sync)
Say = Callable[[str], None]


@dataclass
class Ablation:
    """An ablation in its folder: which runs it has, which are done, and the data they share.

    Attributes:
        settings: What to run.
        out: Its folder.
        date: ISO date for the header of weights.
        say: Told one line about the progress, often.
    """

    settings: AblationSettings
    out: Path
    date: str
    say: Say = field(default=lambda text: None)

    @cached_property
    def runs(self) -> list[PlannedRun]:
        """The grid."""
        return planned_runs(self.settings)

    @cached_property
    def pool_name(self) -> str:
        """Names the training windows: settings, speech and the code that makes them."""
        base = self.settings.base
        speech = speech_name(base.data.speech) if base.data.kind == "speech" else ""
        told = load_styles().model_dump(mode="json") if base.reads_text else None
        drawn = (base.data.model_dump(mode="json"), base.seed, self.settings.windows, told)
        return f"windows-{digest([*drawn, speech, code_fingerprint(_WINDOWS)])}"

    @cached_property
    def judging_key(self) -> str:
        """Names how networks are judged: settings, held-out speech and code."""
        judging, spoken = self.settings.judging, self.settings.base.data.kind == "speech"
        facts = (judging.model_dump(mode="json"), code_fingerprint((*_TEACHER, *_JUDGES)))
        return digest([*facts, speech_name(judging.speech) if spoken else self.settings.base.seed])

    @cached_property
    def held_out(self) -> HeldOut:
        """The clips to judge on; speech that is not there yet is made."""
        return open_held_out(self.settings.base, self.settings.judging, self._speaking)

    @cached_property
    def judge(self) -> Judge:
        """The judge of all runs."""
        return Judge(self.held_out, self.settings.judging)

    def folder(self, run: PlannedRun) -> RunFolder:
        """Where a run lies."""
        return RunFolder(self.out / run.name)

    def training_key(self, run: PlannedRun) -> str:
        """Names a training: its whole configuration and its windows."""
        return digest([run.training.model_dump(mode="json"), self.pool_name])

    def result(self, run: PlannedRun) -> RunResult | None:
        """The result of a run, when it is done and judged as the settings say.

        Raises:
            InputError: `run_unfit` or `result_unreadable`.
        """
        found = self.folder(run).result(self.training_key(run))
        return found if found is not None and found.judging_key == self.judging_key else None

    def results(self) -> list[RunResult]:
        """All results so far."""
        return [found for run in self.runs if (found := self.result(run)) is not None]

    def draw_windows(self) -> Path:
        """Folder of the training windows, drawn when it is not there."""
        folder = self.out / self.pool_name
        if not (folder / pool.INDEX).exists():
            source, _ = open_windows(self.settings.base, self._speaking)
            draw_pool(source, self.settings.windows, folder, lambda n, of: self.say(f"drawing windows: {n}/{of}"))
        return folder

    def work(self, jobs: int = 1, after_each: Callable[[], object] = lambda: None) -> None:
        """Takes runs that nobody else holds until none is left.

        Args:
            jobs: Processes that share the work; tells the remaining time.
            after_each: Called after every finished run.

        Raises:
            KeyboardInterrupt: somebody asked to stop; the run that was in hand can be resumed.
        """
        pace = _Pace(self, jobs)
        for run in self.runs:
            if self.result(run) is not None:
                continue
            with one_thread(), ExitStack() as held:
                folder = self.folder(run)
                folder.claim(self.training_key(run))
                try:
                    held.enter_context(folder.files.reserved())
                except ResourceError as error:
                    if error.code != "run_locked":
                        raise
                    continue
                if self.result(run) is None:
                    folder.finish(self._result_of(run, folder, pace))
                    after_each()

    def _result_of(self, run: PlannedRun, folder: RunFolder, pace: _Pace) -> RunResult:
        """Trains, from a checkpoint if there is one, and judges; an old result only needs judging."""
        before = folder.result(self.training_key(run))
        if before is None or not folder.files.export.exists():
            data = PooledWindows(self.draw_windows(), run.seed)
            training = Run(run.training, data, self.pool_name, folder.files)
            if folder.files.checkpoint.exists():
                _resume(training, run.name)
            outcome = train(training, self.date, report=lambda progress: self.say(pace.line(run, progress)))
            if not outcome.finished:
                raise KeyboardInterrupt
            steps, cpu_s, losses = outcome.step, outcome.cpu_seconds, outcome.losses
        else:
            steps, cpu_s, losses = before.steps, before.cpu_s, before.losses
        self.say(f"{run.name}: judging")
        model = MotionDiT.from_files({"weights": folder.files.export}, "cpu")
        found = records(self.judge.measure(model, run.training))
        keys = self.training_key(run), self.judging_key
        return RunResult(run.variant.name, run.seed, *keys, steps, round(cpu_s, 1), losses, found)

    def _speaking(self, done: int, total: int, left_s: float) -> None:
        self.say(f"making speech: recording {done}/{total}, {left_s / 60:.0f} min left")


def _resume(training: Run, name: str) -> None:
    """Goes on from the checkpoint; raises InputError `checkpoint_*` with the way out that this command has."""
    try:
        training.resume()
    except InputError as error:
        way_out = f"Delete the folder {name}; that run then begins anew."
        raise InputError(error.code, f"{name}: {error.cause}", way_out) from None


class _Pace:
    """How long all of it still takes, from the steps that this process has done."""

    def __init__(self, ablation: Ablation, jobs: int) -> None:
        self._ablation, self._jobs = ablation, jobs
        self._started_s, self._steps = time.monotonic(), 0
        self._current, self._left = "", 0

    def line(self, run: PlannedRun, progress: Progress) -> str:
        """One line after a step."""
        self._steps += 1
        if run.name != self._current:
            waiting = [r for r in self._ablation.runs if r.name != run.name and self._ablation.result(r) is None]
            self._current, self._left = run.name, sum(r.training.steps for r in waiting)
        left = self._left + progress.total - progress.step
        left_s = (time.monotonic() - self._started_s) / self._steps * left / self._jobs
        return (
            f"{run.name}: step {progress.step}/{progress.total} ({progress.stage}), loss {progress.loss:.4f}, "
            f"{progress.seconds_per_step:.3f} s/step; all runs: {left} steps, {left_s / 60:.0f} min left"
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """One torch thread while inside: a second one brings nothing at this size."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def workers(ablation: Ablation, count: int) -> Iterator[None]:
    """Further processes that take runs of the same folder; ended with the block, waited for when it went well.

    Raises:
        ResourceError: `worker_failed`: one of them ended early.
    """
    context = multiprocessing.get_context("spawn")
    facts = (ablation.settings, ablation.out, ablation.date, count + 1)
    started = [context.Process(target=_work, args=facts) for _ in range(count)]
    for process in started:
        process.start()
    try:
        yield
        for process in started:
            process.join()
        if failed := [process.exitcode for process in started if process.exitcode]:
            cause = f"{len(failed)} of {count} worker processes ended early (status {failed[0]})"
            raise ResourceError("worker_failed", cause, "Run the same command again; with --jobs 1 the reason shows.")
    finally:
        for process in started:
            process.terminate()
            process.join()


def _work(settings: AblationSettings, out: Path, date: str, jobs: int) -> None:
    """A worker's whole life."""
    try:
        Ablation(settings, out, date).work(jobs)
    except KeyboardInterrupt:
        return
