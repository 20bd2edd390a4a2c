"""What the stages of a whole run cost, heard from the progress of real runs; and what preparing a picture costs."""

from __future__ import annotations

import statistics
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from omnihuman.bench.clock import Clock, interleaved
from omnihuman.bench.record import Row
from omnihuman.bench.subject import close_up, cut_to, half_body
from omnihuman.latents.motion.space import MotionSpace
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.types import ProgressEvent, Sound

FACE_BAR_S, BODY_BAR_S = 3.0, 8.0
DENOISER_BAR = 20.0
"""Times real time that the transformer must reach with guidance at the preset's steps, on one core."""
PAIR_BAR, PAIR_AIM = 25.0, 45.0
"""Frames per pair of CPU-seconds, what two cores give in a second, of the whole path at 512x512."""
_BARRED_SIDE_PX = 512


class StageClock:
    """Adds up CPU-seconds per stage: a callback of progress. What lies between two stages counts for neither."""

    def __init__(self, clock: Clock = time.process_time) -> None:
        self._clock = clock
        self._last_s = clock()
        self.spent_s: dict[str, float] = defaultdict(float)
        """Stage -> seconds."""

    def __call__(self, event: ProgressEvent) -> None:
        """Charges the stage of the event with the time since the event before."""
        now_s = self._clock()
        if event.done:
            self.spent_s[event.stage] += now_s - self._last_s
        self._last_s = now_s


@dataclass(frozen=True)
class RunCosts:
    """CPU-seconds of whole runs of one length, medians.

    Attributes:
        duration_s: Length of the clip.
        num_frames: Its frames.
        total_s: The whole run.
        stage_s: Stage -> seconds.
    """

    duration_s: float
    num_frames: int
    total_s: float
    stage_s: dict[str, float]


def measure_prepare(space: MotionSpace, side_px: int, rounds: int, clock: Clock = time.process_time) -> list[Row]:
    """Preparing a close-up and a half body, models loaded."""
    face, body = close_up(side_px), half_body(side_px)
    tasks = {"face": lambda: space.prepare(face), "body": lambda: space.prepare(body)}
    spent_s = interleaved(tasks, rounds, clock)
    place = f"{side_px}x{side_px}"
    return [
        Row(f"prepare, face {place}", spent_s["face"], "CPU-s", FACE_BAR_S),
        Row(f"prepare, half body {place}", spent_s["body"], "CPU-s", BODY_BAR_S),
    ]


def measure_runs(  # noqa: PLR0913 - one number per property of the experiment
    pipeline: OmniHumanPipeline,
    speech: Sound,
    side_px: int,
    durations_s: Sequence[float],
    rounds: int,
    folder: Path,
    clock: Clock = time.process_time,
) -> tuple[list[RunCosts], dict[str, str]]:
    """Whole runs from picture and sound to the mp4, the lengths taking turns; also the versions that they report."""
    picture = half_body(side_px)
    runs: dict[float, list[RunCosts]] = {duration_s: [] for duration_s in durations_s}
    versions: dict[str, str] = {}
    for turn in range(rounds + 1):
        for duration_s in durations_s[: None if turn else 1]:
            stages, begin_s = StageClock(clock), clock()
            target = folder / "run.mp4"
            result = pipeline(picture, cut_to(speech, duration_s), seed=1, output=target, progress=stages)
            spent = RunCosts(duration_s, result.facts["video"]["frames"], clock() - begin_s, dict(stages.spent_s))
            versions = dict(result.facts["versions"])
            # The first run of all loads the models.
            if turn:
                runs[duration_s].append(spent)
    return [_median_run(runs[duration_s]) for duration_s in durations_s], versions


def _median_run(runs: Sequence[RunCosts]) -> RunCosts:
    stages = {name: statistics.median(run.stage_s.get(name, 0.0) for run in runs) for name in runs[0].stage_s}
    return RunCosts(runs[0].duration_s, runs[0].num_frames, statistics.median(run.total_s for run in runs), stages)


def rows_of_runs(runs: Sequence[RunCosts], side_px: int) -> list[Row]:
    """Speeds of the longest run, and how the cost grows with length."""
    longest, shortest = max(runs, key=lambda r: r.duration_s), min(runs, key=lambda r: r.duration_s)
    rows = [
        Row(f"whole path, {run.duration_s:g} s at {side_px}x{side_px}", run.num_frames / run.total_s, "frames/CPU-s")
        for run in runs
    ]
    bar = PAIR_BAR if side_px == _BARRED_SIDE_PX else None
    pair = 2.0 * longest.num_frames / longest.total_s
    name = f"whole path on two cores, {side_px}x{side_px}"
    rows.append(Row(name, pair, "frames/pair", bar, f"aim {PAIR_AIM:g}", more_is_better=True))
    listen, denoise = (longest.duration_s / max(longest.stage_s.get(s, 0.0), 1e-9) for s in ("listen", "denoise"))
    rows.append(Row("phonetic network", listen, "x real time"))
    detail = "guided, the preset's steps"
    rows.append(Row("denoiser", denoise, "x real time", DENOISER_BAR, detail, more_is_better=True))
    grown_s = (longest.total_s - shortest.total_s) / max(longest.duration_s - shortest.duration_s, 1e-9)
    fixed_s = shortest.total_s - grown_s * shortest.duration_s
    rows.append(Row("cost of one more second", grown_s, "CPU-s", None, f"beside {fixed_s:.2f} CPU-s for any length"))
    return rows
