"""A set of spoken clips, performed by the product or finished, measured together; also from spoiled sounds.

Knows neither files nor models: who performs and who looks is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from omnihuman.evaluation.results import EvaluationResult
from omnihuman.evaluation.spoiling import spoil
from omnihuman.evaluation.suite import SpokenClip, SyncSettings, measure_sync, with_spoiled
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.types import ProgressCallback, Sound

_CLIP_PRIOR_S = 6.0
CLEAN = ""
"""The sound as it is."""


@dataclass(frozen=True)
class SpokenTask:
    """One clip before anything was looked at.

    Attributes:
        name: For the report and the kept video.
        sound: The speech.
        phones: When each phone is said; see `nothing_said`.
        video: The finished video; None = to be performed.
        speaker: Whose scores are also pooled apart.
    """

    name: str
    sound: Sound
    phones: Sequence[TimedPhone]
    video: Path | None = None
    speaker: str = ""


Perform = Callable[[Sound, str], FaceTracks]
"""A sound and a name -> the face of the performance."""


def nothing_said(sound: Sound) -> list[TimedPhone]:
    """The phones of a sound in which nobody speaks."""
    return [TimedPhone(SILENCE, 0.0, sound.duration_s)]


def rehearse(
    tasks: Sequence[SpokenTask],
    perform: Perform,
    look: Callable[[Path], FaceTracks],
    settings: SyncSettings,
    spoils: Sequence[str] = (),
    progress: ProgressCallback | None = None,
) -> EvaluationResult:
    """Performs or looks at every clip and measures all of them together.

    Args:
        tasks: At least one.
        perform: The product.
        look: The face of a finished video.
        settings: Thresholds.
        spoils: Ways to spoil the sound before it drives (`spoiling.spoil`); clips that are finished are left out there.
        progress: Receives `ProgressEvent`s.
    """
    to_perform = [task for task in tasks if task.video is None]
    spoiled_sounds = {how: [spoil(task.sound, how) for task in to_perform] for how in spoils}
    meter = ProgressMeter(progress, [Stage("clips", len(tasks) + len(spoils) * len(to_perform), _CLIP_PRIOR_S)])
    meter.advance("clips", 0)

    def act(task: SpokenTask, sound: Sound, how: str) -> SpokenClip:
        name = f"{task.name}-{how}" if how else task.name
        tracks = perform(sound, name) if task.video is None else look(task.video)
        meter.advance("clips")
        return SpokenClip(task.name, tracks, task.phones, task.sound, task.speaker)

    clips = [act(task, task.sound, CLEAN) for task in tasks]
    clean = measure_sync(clips, settings, np.random.default_rng(0))
    spoiled = {}
    for how, sounds in spoiled_sounds.items():
        heard = [act(task, sound, how) for task, sound in zip(to_perform, sounds, strict=True)]
        spoiled[how] = measure_sync(heard, settings, np.random.default_rng(0))
    return with_spoiled(clean, spoiled) if spoiled else clean
