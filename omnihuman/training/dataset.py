"""Windows of speech with fresh takes of the teacher -> latents and conditions of one training batch. No model here.

Every batch is a function of (seed, step), so a run that is resumed draws what it would have drawn. All that is known
of a window is given; what training shows of it, `stages.py` decides.

Legend: B batch, C channels, T latent frames, P parameters (= C), D audio width, R reference width, V variants.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from omnihuman.conditions.base import AUDIO_ROWS_PER_LATENT, ConditionBatch
from omnihuman.conditions.bundle import WIDTHS, audio_rows
from omnihuman.conditions.reference import REFERENCE_WIDTH
from omnihuman.config import StrictModel
from omnihuman.errors import ResourceError
from omnihuman.latents.motion.parameters import INDEX, PARAMETERS, SCALE
from omnihuman.speech.clock import row_times_s
from omnihuman.speech.inventory import TimedPhone
from omnihuman.training.sound.precompute import Recording, load_recording
from omnihuman.training.teacher.direction import direct
from omnihuman.training.teacher.mouth import FRAME_HZ
from omnihuman.training.teacher.prosody import LOUDNESS_HZ, Loudness
from omnihuman.training.teacher.take import random_style
from omnihuman.training.words.phrasebook import Phrasebook
from omnihuman.training.words.script import Script, ScriptSettings, ScriptWriter
from omnihuman.types import ConditionTrack, Float

_SURROUNDINGS_S = 1.0
"""Phones this far outside a window still shape its edges."""


class WindowSettings(StrictModel):
    """How windows are drawn and weighted. `DataSettings` holds the defaults of what a configuration may change.

    Attributes:
        num_frames: T.
        quiet_ratio: Share of windows from recordings in which nobody speaks.
        group_weights: Weight of the loss per group of the parameter table.
        parameter_weights: Further factor for single parameters.
        blink_boost: Added weight of the lids, in proportion to how far they are closed: blinks are rare.
        script: How often windows are told something.
    """

    num_frames: int
    quiet_ratio: float
    blink_boost: float
    script: ScriptSettings = ScriptSettings()
    group_weights: dict[str, float] = {
        "mouth": 1.0, "brows": 0.5, "eyes": 1.0, "gaze": 0.8, "head": 0.8, "torso": 0.4, "arms": 0.25, "hands": 0.25,
    }  # fmt: skip
    parameter_weights: dict[str, float] = {
        "jaw_open": 4.0, "seal": 3.0, "lower_lip_down": 2.0, "upper_lip_raise": 2.0, "labiodental": 1.5,
    }  # fmt: skip

    def channel_weights(self) -> Float:
        """`C` weights of the loss."""
        weights = [self.group_weights[p.group] * self.parameter_weights.get(p.name, 1.0) for p in PARAMETERS]
        return np.array(weights, np.float32)


def random_reference(rng: np.random.Generator) -> Float:
    """`R` of a made-up picture: from a face that fills it to a standing person, mostly near-frontal."""
    yaw, pitch, roll = np.clip(rng.normal(0.0, (0.35, 0.25, 0.2)), -1.0, 1.0)
    framing = float(np.exp(rng.uniform(np.log(0.15), np.log(1.6))))
    sees_torso = rng.random() < np.clip(1.45 - framing, 0.05, 0.95)
    torso = float(rng.uniform(0.6, 1.0)) if sees_torso else 0.0
    arms = [float(sees_torso and rng.random() < np.clip(1.1 - framing, 0.0, 0.7)) for _ in range(2)]
    gap = float(np.clip(rng.exponential(0.25), 0.02, 0.9)) if rng.random() < 0.4 else float(rng.uniform(0.0, 0.04))
    return np.array([yaw, pitch, roll, min(framing, 1.5), torso, *arms, gap], np.float32)


class WindowDataset:
    """Draws batches of windows.

    Args:
        shards: Files that `precompute` wrote; read into memory.
        settings: How windows are drawn.
        seed: Of the whole run.
        captions: What windows are told is drawn from these; None = no window has text.

    Raises:
        ResourceError: `training_data_missing`: no recording, or none long enough for a window.
    """

    def __init__(
        self, shards: Sequence[Path], settings: WindowSettings, seed: int, captions: ScriptWriter | None = None
    ) -> None:
        window_s = settings.num_frames / FRAME_HZ
        recordings = [r for r in map(load_recording, sorted(shards)) if r.duration_s > window_s]
        self._speaking = [r for r in recordings if r.speaks]
        self._quiet = [r for r in recordings if not r.speaks]
        if not self._speaking:
            fix = "Let data.frames be shorter, or data.speech longer: more sentences per recording."
            raise ResourceError("training_data_missing", f"no recording is longer than {window_s:g} s", fix)
        lengths = np.array([r.duration_s - window_s for r in self._speaking])
        self._cumulative = np.cumsum(lengths) / lengths.sum()
        self._settings = settings
        self._seed = seed
        self._captions = captions
        self._weights = settings.channel_weights()

    @property
    def phrasebook(self) -> Phrasebook | None:
        """The captions that windows are told."""
        return None if self._captions is None else self._captions.phrasebook

    @property
    def hours(self) -> float:
        """Hours of distinct speech, acoustic variants not counted."""
        return sum(r.duration_s for r in self._speaking) / 3600.0

    def batch(self, step: int, batch_size: int) -> tuple[Tensor, ConditionBatch, Tensor]:
        """The batch of one training step.

        Args:
            step: Number of the step; together with the seed it fixes the batch.
            batch_size: B.

        Returns:
            Latents `B C T` (parameters / SCALE), their conditions with nothing observed, and the loss weight `B C T`.
        """
        rows = [self._window(np.random.default_rng([self._seed, step, i])) for i in range(batch_size)]
        latents, weight, text, text_present, reference, audio = (
            torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)
        )
        present = torch.ones(batch_size)
        conditions = replace(
            ConditionBatch.absent(batch_size, latents.shape[1], latents.shape[2], WIDTHS),
            text=text,
            text_present=text_present,
            reference=reference,
            audio=audio,
            reference_present=present,
            audio_present=present.clone(),
        )
        return latents, conditions, weight

    def _window(self, rng: np.random.Generator) -> tuple[Float, ...]:
        """One window: latents, loss weight, text and its presence, reference, audio."""
        settings = self._settings
        audio, phones, loudness = self._speech(rng)
        reference = random_reference(rng)
        script = self._script(rng)
        duration_s = settings.num_frames / FRAME_HZ
        take = direct(phones, duration_s, reference, random_style(rng), script.directions, rng, loudness)
        weight = np.repeat(self._weights[:, None], settings.num_frames, axis=1)
        for name in ("blink_l", "blink_r"):
            weight[INDEX[name]] *= 1.0 + settings.blink_boost * np.clip(take[:, INDEX[name]], 0.0, 1.0)
        latents = np.ascontiguousarray((take / SCALE).T)
        return latents, weight, script.text, script.present, reference, audio

    def _script(self, rng: np.random.Generator) -> Script:
        """What a window is told."""
        num_frames = self._settings.num_frames
        if self._captions is None:
            return Script((), np.zeros((num_frames, WIDTHS.text), np.float32), np.zeros(num_frames, np.float32))
        return self._captions.draw(num_frames, rng)

    def _speech(self, rng: np.random.Generator) -> tuple[Float, list[TimedPhone], Loudness]:
        """Audio rows `2T D`, phones and loudness of a random stretch, times relative to its start."""
        num_frames = self._settings.num_frames
        recording = self._recording(rng)
        last = int(recording.duration_s * FRAME_HZ) - num_frames
        start_s = int(rng.integers(0, last + 1)) / FRAME_HZ
        variant = recording.features[int(rng.integers(len(recording.features)))]
        # The row times are those of inference; only the rows of the window are converted.
        first = max(0, int(start_s * 50) - 2)
        values = variant[first : first + AUDIO_ROWS_PER_LATENT * num_frames + 6].astype(np.float32)
        times = row_times_s(len(variant))[first : first + len(values)]
        track = ConditionTrack("audio", values, times)
        audio = audio_rows(track, start_s, AUDIO_ROWS_PER_LATENT * num_frames, AUDIO_ROWS_PER_LATENT * FRAME_HZ)
        end_s = start_s + num_frames / FRAME_HZ
        near = [
            TimedPhone(phone.symbol, phone.start_s - start_s, phone.end_s - start_s)
            for phone in recording.phones
            if phone.end_s > start_s - _SURROUNDINGS_S and phone.start_s < end_s + _SURROUNDINGS_S
        ]
        # The person speaks as loudly as the cleanest recording says, whatever noise the window is heard through.
        heard = max(0, int((start_s - _SURROUNDINGS_S) * LOUDNESS_HZ))
        levels = recording.features[0, heard : int((end_s + _SURROUNDINGS_S) * LOUDNESS_HZ), -1].astype(np.float32)
        return audio, near, Loudness(levels, heard / LOUDNESS_HZ - start_s)

    def _recording(self, rng: np.random.Generator) -> Recording:
        """A recording; speaking ones in proportion to their length."""
        if self._quiet and rng.random() < self._settings.quiet_ratio:
            return self._quiet[int(rng.integers(len(self._quiet)))]
        return self._speaking[min(int(np.searchsorted(self._cumulative, rng.random())), len(self._speaking) - 1)]


assert REFERENCE_WIDTH == 8, "random_reference draws the eight columns of conditions.reference"
