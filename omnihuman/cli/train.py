"""`train`: one configuration in, trained weights out; stops and resumes. Thin: the work is in omnihuman.training."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from omnihuman.cli.console import coded_errors, show
from omnihuman.config import weights_dir
from omnihuman.errors import InputError

if TYPE_CHECKING:
    from omnihuman.training.loop import Outcome, Progress

_REPORT_EVERY_S = 15.0


def train(
    config: Annotated[Path, typer.Argument(help="A file of configs/training.")],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Weights to write; default: the config's, in weights/.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint of this configuration.")] = False,
    max_minutes: Annotated[
        float | None, typer.Option("--max-minutes", min=0.0, help="Stop after this time, resumable.")
    ] = None,
    device: Annotated[str, typer.Option("--device", help="Where it trains: auto, cpu, cuda, cuda:1, mps.")] = "cpu",
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")] = False,
) -> None:
    """Train the motion transformer, the mel front end or the voice gate; Ctrl+C leaves a checkpoint and weights."""
    with coded_errors(as_json):
        outcome, export = _run(config, out, resume, max_minutes, device, as_json)
    record: dict[str, Any] = {"weights": str(export), **asdict(outcome)}
    state = "finished" if outcome.finished else "stopped; go on with --resume"
    cost = f"{outcome.seconds / 60:.1f} min, {outcome.cpu_seconds / 3600:.2f} core-hours"
    show(
        record, [f"{export}: {outcome.step} steps, loss {outcome.losses.get('loss', 0.0):.4f}, {cost}", state], as_json
    )


def _run(
    config: Path, out: Path | None, resume: bool, max_minutes: float | None, device: str, as_json: bool
) -> tuple[Outcome, Path]:
    """Reads, prepares, trains."""
    from omnihuman.modelhub.devices import resolve_device
    from omnihuman.training.files import Files, checkpoint_path
    from omnihuman.training.loop import train as run_training
    from omnihuman.training.tasks import task_of

    if out is not None and out.suffix != ".safetensors":
        raise InputError("output_invalid", f"weights are safetensors, not {out.suffix!r}", "Name a .safetensors file.")
    task = task_of(config)
    settings = task.read(config)
    device = resolve_device(device)
    say = throttled(as_json)
    files = Files(out or weights_dir() / settings.export, checkpoint_path(config.stem, settings))
    with files.reserved():
        run = task.open_run(settings, files, lambda done, total, left: say(_making_line(done, total, left)), device)
        if resume:
            run.resume()
        today = datetime.date.today().isoformat()
        outcome = run_training(run, today, max_minutes, lambda progress: say(_step_line(progress)))
    return outcome, files.export


def throttled(silent: bool) -> Callable[[str], None]:
    """Prints a line on stderr, at most one every few seconds."""
    last_s = -math.inf

    def say(text: str) -> None:
        nonlocal last_s
        if not silent and time.monotonic() - last_s >= _REPORT_EVERY_S:
            last_s = time.monotonic()
            typer.echo(text, err=True)

    return say


def _making_line(done: int, total: int, left_s: float) -> str:
    return f"making recordings: {done}/{total}, {left_s / 60:.0f} min left"


def _step_line(progress: Progress) -> str:
    parts = " ".join(f"{name} {value:.4f}" for name, value in progress.parts.items())
    cost = progress.cpu_s / progress.step * progress.total / 3600
    return (
        f"step {progress.step}/{progress.total} ({progress.stage}) loss {progress.loss:.4f} [{parts}] "
        f"{progress.seconds_per_step:.2f} s/step, {progress.remaining_s / 60:.0f} min left, "
        f"{cost:.2f} core-hours in all"
    )
