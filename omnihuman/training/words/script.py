"""What a training window is told: no text, one caption, or a change of captions inside the window. No motion here.

Legend: T latent frames, E embedding width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnihuman.config import StrictModel
from omnihuman.training.teacher.direction import Direction
from omnihuman.training.teacher.mouth import FRAME_HZ
from omnihuman.training.teacher.styles import StyleTable
from omnihuman.training.words.phrasebook import Phrasebook
from omnihuman.types import Float

_MARGIN_S = 0.6
"""Changes lie at least this far inside a window."""


class ScriptSettings(StrictModel):
    """How often windows are told something.

    Attributes:
        text_ratio: Share of windows with text.
        neutral_share: Of those: a caption that changes nothing.
        pair_share: Of captions that change something: two styles in one sentence.
        change_share: Of windows with text: it begins, ends or changes inside.
        noise: Length of the random vector added to an embedding of length 1.
    """

    text_ratio: float = 0.8
    neutral_share: float = 0.13
    pair_share: float = 0.15
    change_share: float = 0.35
    noise: float = 0.25


@dataclass(frozen=True)
class Script:
    """Text and directions of one window.

    Attributes:
        directions: For the teacher.
        text: `T E` embedding that holds at each frame, 0 where none does.
        present: `T` 1 where one holds.
    """

    directions: tuple[Direction, ...]
    text: Float
    present: Float


class ScriptWriter:
    """Draws scripts.

    Args:
        table: The styles that the captions name.
        phrasebook: Captions with embeddings.
        settings: How often what is told.
    """

    def __init__(self, table: StyleTable, phrasebook: Phrasebook, settings: ScriptSettings) -> None:
        self._table = table
        self._phrasebook = phrasebook
        self._settings = settings

    @property
    def phrasebook(self) -> Phrasebook:
        """The captions that are drawn from."""
        return self._phrasebook

    def draw(self, num_frames: int, rng: np.random.Generator) -> Script:
        """The script of a window of T frames."""
        text = np.zeros((num_frames, self._phrasebook.embeddings.shape[1]), np.float32)
        present = np.zeros(num_frames, np.float32)
        directions: list[Direction] = []
        for start, stop in self._stretches(num_frames, rng):
            number = self._caption(rng)
            text[start:stop] = self._phrasebook.embedding(number, self._settings.noise, rng)
            present[start:stop] = 1.0
            caption = self._phrasebook.captions[number]
            entries = tuple(self._table.styles[name] for name in caption.styles)
            start_s = start / FRAME_HZ if start else -math.inf
            end_s = stop / FRAME_HZ if stop < num_frames else math.inf
            directions.append(Direction(entries, caption.strength, start_s, end_s))
        return Script(tuple(directions), text, present)

    def _stretches(self, num_frames: int, rng: np.random.Generator) -> list[tuple[int, int]]:
        """First frames and ends of what is told."""
        if rng.random() >= self._settings.text_ratio:
            return []
        if rng.random() >= self._settings.change_share:
            return [(0, num_frames)]
        margin = min(int(_MARGIN_S * FRAME_HZ), num_frames // 3)
        at = int(rng.integers(margin, num_frames - margin + 1))
        return ([(at, num_frames)], [(0, at), (at, num_frames)], [(0, at)])[int(rng.choice(3, p=(0.4, 0.4, 0.2)))]

    def _caption(self, rng: np.random.Generator) -> int:
        if rng.random() < self._settings.neutral_share:
            return self._phrasebook.neutral(rng)
        if rng.random() < self._settings.pair_share:
            return self._phrasebook.pair(rng)
        return self._phrasebook.single(rng)
