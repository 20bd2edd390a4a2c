"""Everything that is measured, in one run of one process (memory apart), in an order and with its progress."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omnihuman.bench.clock import one_thread_each
from omnihuman.bench.frames import ENCODER, measure_frames
from omnihuman.bench.memory import measure_memory
from omnihuman.bench.record import Row, as_record
from omnihuman.bench.stages import measure_prepare, measure_runs, rows_of_runs
from omnihuman.errors import ConfigError
from omnihuman.latents.motion.space import MotionSpace
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.types import ProgressCallback

SENTENCE = "The quick brown fox jumps over the lazy dog, and both of them live happily ever after."


@dataclass(frozen=True)
class BenchPlan:
    """How much is measured.

    Attributes:
        sides_px: Sides of the pictures whose frames are timed.
        num_frames: Frames of those clips; larger pictures get fewer.
        rounds: Turns behind each median.
        prepare_side_px: Side of the pictures that are prepared.
        run_side_px: Side of the picture of the whole runs, and of the child whose memory is read.
        durations_s: Lengths of the whole runs.
        memory_s: Length of the child's run, None = leave it out.
    """

    sides_px: tuple[int, ...] = (256, 512, 1024, 2048)
    num_frames: int = 50
    rounds: int = 3
    prepare_side_px: int = 1024
    run_side_px: int = 512
    durations_s: tuple[float, ...] = (2.0, 4.0, 8.0)
    memory_s: float | None = 4.0


QUICK = BenchPlan(sides_px=(512,), num_frames=12, rounds=1, durations_s=(1.0, 2.0), memory_s=1.0)
"""Under a minute; shows that everything runs, not how fast."""
_FRAME_PIXELS = 60e6
"""Frames of one clip that are held in memory at once, in pixels."""


def run_bench(pipeline: OmniHumanPipeline, plan: BenchPlan, progress: ProgressCallback | None = None) -> dict[str, Any]:
    """Measures everything of a plan.

    Args:
        pipeline: Of a preset of the motion space.
        plan: How much.
        progress: Receives `ProgressEvent`s.

    Returns:
        The record of `record.as_record`.

    Raises:
        ConfigError: benchmark_space, for a preset of another space.
    """
    space = pipeline.parts.space
    if not isinstance(space, MotionSpace):
        cause = f"preset '{pipeline.parts.name}' is not of the motion space"
        raise ConfigError("benchmark_space", cause, "Use the preset motion.")
    meter = ProgressMeter(progress, _stages(plan))
    rows: list[Row] = []
    with one_thread_each(), tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side_px in meter.each("frames", plan.sides_px):
            num_frames = max(4, min(plan.num_frames, int(_FRAME_PIXELS / side_px**2)))
            rows += measure_frames(space, side_px, num_frames, plan.rounds, folder).rows()
        for side_px in meter.each("pictures", [plan.prepare_side_px]):
            rows += measure_prepare(space, side_px, plan.rounds)
        for side_px in meter.each("whole runs", [plan.run_side_px]):
            with pipeline.parts.voice() as voice:
                speech = voice.speak(SENTENCE).sound
            runs, versions = measure_runs(pipeline, speech, side_px, plan.durations_s, plan.rounds, folder)
            rows += rows_of_runs(runs, side_px)
    if plan.memory_s is not None:
        for duration_s in meter.each("memory", [plan.memory_s]):
            rows += measure_memory(pipeline.parts.name, plan.run_side_px, duration_s)
    settings = {"encoder": ENCODER, "preset": pipeline.parts.name, "rounds": plan.rounds, "frames": plan.num_frames}
    return as_record(rows, versions, settings)


def _stages(plan: BenchPlan) -> list[Stage]:
    stages = [
        Stage("frames", len(plan.sides_px), 10.0),
        Stage("pictures", 1, 8.0),
        Stage("whole runs", 1, 12.0 * plan.rounds),
    ]
    return stages if plan.memory_s is None else [*stages, Stage("memory", 1, 15.0)]
