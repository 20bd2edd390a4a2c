"""Pictures -> verdicts: prepare, check, find again, draw sheets, one picture after the other. Prints nothing.

Legend: H height, W width.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnihuman.errors import InputError
from omnihuman.evaluation.contact_sheet import write_png
from omnihuman.evaluation.pictures.invariants import Check, check_invariants
from omnihuman.evaluation.pictures.poses import BODY_POSES, FACE_POSES, random_poses
from omnihuman.evaluation.pictures.redetection import Readers, Redetection, compare, read_poses
from omnihuman.evaluation.pictures.settings import PictureSettings
from omnihuman.evaluation.pictures.sheets import body_sheet, head_sheet
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.types import Image, ProgressCallback

Prepare = Callable[[Image], MotionReference]
_PREPARE_PRIOR_S, _CHECK_PRIOR_S, _POSE_PRIOR_S, _SHEET_PRIOR_S = 3.0, 5.0, 0.15, 3.0


@dataclass(frozen=True)
class PictureCase:
    """One picture to judge.

    Attributes:
        name: For the report and its files.
        image: `H W 3`.
        drawn: A drawn character, with bars of its own.
    """

    name: str
    image: Image
    drawn: bool = False


@dataclass(frozen=True)
class PictureVerdict:
    """What was found for one picture.

    Attributes:
        name: Of the case.
        drawn: Of the case.
        checks: Invariants.
        redetection: Agreement of random poses with what was read from their frames.
        prepare_cpu_s: Preparing the picture, networks included, CPU-seconds.
        frame_cpu_ms: One frame, CPU-milliseconds.
        facts: Size and pose of the picture, JSON-ready.
        sheets: Files written, in the report's folder.
    """

    name: str
    drawn: bool
    checks: list[Check]
    redetection: Redetection
    prepare_cpu_s: float
    frame_cpu_ms: float
    facts: dict[str, float | int]
    sheets: list[str]

    def bars(self, settings: PictureSettings) -> dict[str, tuple[float, float, bool]]:
        """Quantity -> (correlation, bar, met) for what this kind of picture is held against."""
        wanted = settings.drawn_bars if self.drawn else settings.bars
        read = {name: self.redetection.agreements[name].correlation for name in wanted}
        return {name: (read[name], least, read[name] >= least) for name, least in wanted.items()}

    def met(self, settings: PictureSettings) -> bool:
        """Whether every binding invariant and every bar is met."""
        held = all(check.met for check in self.checks if check.binding)
        return held and all(met for _, _, met in self.bars(settings).values())


@dataclass(frozen=True)
class Bench:
    """How pictures are judged.

    Attributes:
        prepare: Picture -> reference.
        readers: Networks that find poses again.
        settings: Bounds and bars.
        folder: Where sheets go; None draws none.
        seed: Of the random poses and frames, the same for every picture.
    """

    prepare: Prepare
    readers: Readers
    settings: PictureSettings
    folder: Path | None
    seed: int

    def judge(self, cases: Sequence[PictureCase], progress: ProgressCallback | None = None) -> list[PictureVerdict]:
        """Verdicts in order; a picture that cannot be prepared stops the run.

        Raises:
            InputError: what preparing raises, naming the picture.
            ResourceError: a sheet cannot be written.
        """
        count = len(cases)
        meter = ProgressMeter(
            progress,
            [
                Stage("prepare", count, _PREPARE_PRIOR_S),
                Stage("check", count, _CHECK_PRIOR_S),
                Stage("find again", count * self.settings.poses, _POSE_PRIOR_S),
                Stage("draw sheets", count if self.folder is not None else 0, _SHEET_PRIOR_S),
            ],
        )
        return [self._judge(case, meter) for case in cases]

    def _judge(self, case: PictureCase, meter: ProgressMeter) -> PictureVerdict:
        with _timed(meter, "prepare") as clock:
            reference = self._prepared(case)
        rng = np.random.default_rng(self.seed)
        poses = random_poses(rng, self.settings.poses)
        with _timed(meter, "check"):
            checks = check_invariants(reference, self.settings, rng, case.drawn)
        pairs = []
        for pair in _counted(read_poses(reference, poses, self.readers), meter, "find again"):
            pairs.append(pair)
        sheets = []
        if self.folder is not None:
            with _timed(meter, "draw sheets"):
                sheets = self._draw(case.name, reference, self.folder)
        height, width = case.image.shape[:2]
        facts: dict[str, float | int] = {
            "width": width,
            "height": height,
            "iod_px": round(reference.facts.iod_px, 1),
            "yaw_deg": round(reference.facts.yaw_deg, 1),
            "pitch_deg": round(reference.facts.pitch_deg, 1),
        }
        frame_ms = frame_cpu_ms(reference, poses[:12])
        return PictureVerdict(
            case.name, case.drawn, checks, compare(pairs), round(clock.cpu_s, 2), frame_ms, facts, sheets
        )

    def _prepared(self, case: PictureCase) -> MotionReference:
        try:
            return self.prepare(case.image)
        except InputError as error:
            raise InputError(error.code, f"{case.name}: {error.cause}", error.way_out) from None

    def _draw(self, name: str, reference: MotionReference, folder: Path) -> list[str]:
        sheets = {f"{name}_head.png": head_sheet(reference, FACE_POSES)}
        sheets[f"{name}_body.png"] = body_sheet(reference, BODY_POSES)
        for file_name, sheet in sheets.items():
            write_png(folder / file_name, sheet)
        return list(sheets)


def frame_cpu_ms(reference: MotionReference, poses: np.ndarray) -> float:
    """Median CPU-milliseconds of a frame over poses `N P`, drawn twice: the first round warms the compiler."""
    renderer = FrameRenderer(reference)
    spent = []
    for parameters in [*poses, *poses]:
        began_s = time.process_time()
        renderer.draw(parameters)
        spent.append(1000 * (time.process_time() - began_s))
    return round(float(np.median(spent[len(poses) :])), 1)


class _timed:  # noqa: N801 - a context manager, used like a function
    """Counts one unit of a stage and keeps its CPU time."""

    def __init__(self, meter: ProgressMeter, stage: str) -> None:
        self._meter, self._stage, self.cpu_s = meter, stage, 0.0

    def __enter__(self) -> _timed:
        self._meter.advance(self._stage, 0)
        self._began_s = time.process_time()
        return self

    def __exit__(self, *_: object) -> None:
        self.cpu_s = time.process_time() - self._began_s
        self._meter.advance(self._stage)


Pair = tuple[dict[str, float], dict[str, float] | None]


def _counted(pairs: Iterator[Pair], meter: ProgressMeter, stage: str) -> Iterator[Pair]:
    meter.advance(stage, 0)
    for pair in pairs:
        yield pair
        meter.advance(stage)
