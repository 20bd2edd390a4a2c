"""Clips to judge a network on, never trained on: conditions, what the teacher did with them.

Pictured lips are closed, so that every gap between them is the motion's. Legend: N clips, K lessons, C channels,
T latent frames, D width of an audio row, R width of the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.base import AUDIO_ROWS_PER_LATENT, ConditionBatch
from omnihuman.conditions.bundle import WIDTHS, audio_rows
from omnihuman.conditions.mixing import without
from omnihuman.errors import ResourceError
from omnihuman.evaluation.ablation.settings import JudgingSettings
from omnihuman.evaluation.expected import parameter_gap
from omnihuman.latents.motion.parameters import INDEX, NUM_PARAMETERS, PARAMETERS, SCALE
from omnihuman.speech.clock import row_times_s
from omnihuman.speech.inventory import TimedPhone
from omnihuman.training.dataset import random_reference
from omnihuman.training.settings import TrainingSettings
from omnihuman.training.sound.precompute import Recording, load_recording
from omnihuman.training.source import speech_folder
from omnihuman.training.synthetic import SyntheticDataset
from omnihuman.training.teacher.mouth import FRAME_HZ
from omnihuman.training.teacher.prosody import Loudness
from omnihuman.training.teacher.take import random_style, teach
from omnihuman.types import ConditionTrack, Float

TORSO, ARM_L, ARM_R, MOUTH_GAP = 4, 5, 6, 7
"""Columns of the reference vector; see `conditions.reference`."""
LESSONS = 6
"""K: takes differ so much between people that one of each clip is no yardstick."""
_FAR = 1_000_000
"""Number of a made-up batch that no training reaches."""
_EDGE_S = 1.0
"""Phones this far outside a clip still shape its ends."""


@dataclass(frozen=True)
class HeldOut:
    """Clips of equal length.

    Attributes:
        conditions: All that is known of each, nothing observed.
        takes: `N C T` one take of the teacher on each, in latents.
        lessons: `KN C T` K further takes, by other people in other moods: the statistics that a student is held to.
        mean_gap: `N T` lip gap, mean over the lessons, IOD.
        shown: `N C` whether the picture shows what the channel moves.
        phones: What is said in each; empty where nobody knows.
    """

    conditions: ConditionBatch
    takes: Tensor
    lessons: Tensor
    mean_gap: Float
    shown: Tensor
    phones: tuple[tuple[TimedPhone, ...], ...]

    @property
    def shown_in_lessons(self) -> Tensor:
        """`KN C`, as `shown`."""
        return self.shown.repeat(len(self.lessons) // len(self.shown), 1)

    def first(self, frames: int) -> HeldOut:
        """The beginnings of all clips."""
        return HeldOut(
            stretch(self.conditions, 0, frames),
            self.takes[..., :frames],
            self.lessons[..., :frames],
            self.mean_gap[:, :frames],
            self.shown,
            self.phones,
        )


def stretch(given: ConditionBatch, start: int, stop: int) -> ConditionBatch:
    """The conditions of the latent frames `start .. stop - 1`."""
    return replace(
        given,
        text=given.text[:, start:stop],
        audio=given.audio[:, AUDIO_ROWS_PER_LATENT * start : AUDIO_ROWS_PER_LATENT * stop],
        observed=given.observed[..., start:stop],
        observed_mask=given.observed_mask[..., start:stop],
        text_present=given.text_present[:, start:stop],
    )


def open_held_out(
    training: TrainingSettings, judging: JudgingSettings, report: Callable[[int, int, float], None]
) -> HeldOut:
    """The clips that an ablation is judged on.

    Args:
        training: Kind of the data.
        judging: How many clips, how long, which speech.
        report: Told (recordings done, recordings in all, seconds left) while speech is made.

    Raises:
        ModelError: voice or phone recogniser are missing and cannot be fetched.
        ResourceError: no room for the recordings.
    """
    if training.data.kind == "synthetic":
        return _made_up(judging, training.seed)
    folder = speech_folder(judging.speech, report)
    return spoken(_long_enough(sorted(folder.glob("*.npz")), judging.seconds), judging)


def spoken(recordings: Sequence[Recording], judging: JudgingSettings) -> HeldOut:
    """Clips cut out of recordings, in turn, each with a made-up picture and several takes of the teacher."""
    frames = round(judging.seconds * FRAME_HZ)
    clips = range(judging.clips)
    cut = [_cut(recordings[i % len(recordings)], frames, np.random.default_rng([judging.seed, 0, i])) for i in clips]
    references = np.stack([_reference(np.random.default_rng([judging.seed, 1, i])) for i in clips])
    takes, *lessons = (
        torch.from_numpy(np.stack([_take(cut[i], references[i], frames, [judging.seed, 2, k, i]) for i in clips]))
        for k in range(1 + LESSONS)
    )
    gaps = np.mean([parameter_gap(lesson.transpose(1, 2).numpy() * SCALE) for lesson in lessons], axis=0)
    known = _conditions(references, np.stack([clip.audio for clip in cut]), frames)
    phones = tuple(clip.phones for clip in cut)
    return HeldOut(known, takes, torch.cat(lessons), gaps, shown_channels(references), phones)


def shown_channels(references: Float) -> Tensor:
    """`N C` from references `N R`: torso, arms and hands only where the picture has them."""
    shown = np.ones((len(references), NUM_PARAMETERS), bool)
    for parameter in PARAMETERS:
        column = {"l": ARM_L, "r": ARM_R}.get(parameter.name[-1]) if parameter.group in ("arms", "hands") else None
        column = TORSO if parameter.group == "torso" else column
        if column is not None:
            shown[:, INDEX[parameter.name]] = references[:, column] > 0
    return torch.from_numpy(shown)


def _reference(rng: np.random.Generator) -> Float:
    """A made-up picture whose lips are closed."""
    reference = random_reference(rng)
    reference[MOUTH_GAP] = 0.0
    return reference


@dataclass(frozen=True)
class _Clip:
    """A stretch of a recording: audio rows `2T D`; phones and loudness, a little beyond both ends as well."""

    audio: Float
    phones: tuple[TimedPhone, ...]
    loudness: Loudness


def _cut(recording: Recording, frames: int, rng: np.random.Generator) -> _Clip:
    """A random stretch, times relative to its start."""
    last = int(recording.duration_s * FRAME_HZ) - frames
    start_s = int(rng.integers(0, last + 1)) / FRAME_HZ
    values = recording.features[0].astype(np.float32)
    track = ConditionTrack("audio", values, row_times_s(len(values)))
    audio = audio_rows(track, start_s, AUDIO_ROWS_PER_LATENT * frames, AUDIO_ROWS_PER_LATENT * FRAME_HZ)
    end_s = start_s + frames / FRAME_HZ
    phones = tuple(
        TimedPhone(phone.symbol, phone.start_s - start_s, phone.end_s - start_s)
        for phone in recording.phones
        if phone.end_s > start_s - _EDGE_S and phone.start_s < end_s + _EDGE_S
    )
    return _Clip(audio, phones, Loudness(values[:, -1], -start_s))


def _take(clip: _Clip, reference: Float, frames: int, seed: list[int]) -> Float:
    """Latents `C T` of one take."""
    rng = np.random.default_rng(seed)
    take = teach(clip.phones, frames / FRAME_HZ, reference, random_style(rng), rng, clip.loudness)
    return np.ascontiguousarray((take / SCALE).T)


def _conditions(references: Float, audio: Float, frames: int) -> ConditionBatch:
    """Picture and sound known, no text, nothing observed."""
    present = torch.ones(len(references))
    return replace(
        ConditionBatch.absent(len(references), NUM_PARAMETERS, frames, WIDTHS),
        reference=torch.from_numpy(references),
        audio=torch.from_numpy(audio),
        reference_present=present,
        audio_present=present.clone(),
    )


def _long_enough(shards: Sequence[Path], seconds: float) -> list[Recording]:
    """Recordings with speech that hold a clip."""
    recordings = [r for r in map(load_recording, shards) if r.speaks and r.duration_s > seconds]
    if not recordings:
        raise ResourceError(
            "held_out_too_short", f"no held-out recording is longer than {seconds:g} s", "Lower judging.seconds."
        )
    return recordings


def _made_up(judging: JudgingSettings, table_seed: int) -> HeldOut:
    """Synthetic clips: the table of the training windows, other phones; nobody knows their names."""
    frames = round(judging.seconds * FRAME_HZ)
    made_up = SyntheticDataset(frames, table_seed)
    (takes, known, _), (lessons, _, _) = (made_up.batch(_FAR + i, judging.clips) for i in (0, 1))
    gaps = parameter_gap(takes.transpose(1, 2).numpy() * SCALE)
    nobody = tuple(() for _ in range(judging.clips))
    shown = shown_channels(known.reference.numpy())
    return HeldOut(without(known, ("text",)), takes, lessons, gaps, shown, nobody)
