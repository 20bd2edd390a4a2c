"""Captions and their sentence embeddings, made once and kept in the cache; drawing from them costs next to nothing.

The encoder is handed in as a function, so nothing here knows which it is. Legend: N captions, E embedding width.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np

from omnihuman.config import StrictModel, cache_dir
from omnihuman.errors import ResourceError
from omnihuman.training.teacher.styles import StyleTable
from omnihuman.training.words.style_sentences import Caption, SentenceMaker
from omnihuman.types import Float

Embed = Callable[[Sequence[str]], Float]
"""Sentences -> `N E` of unit length."""


class PhrasebookSettings(StrictModel):
    """How many captions are drawn.

    Attributes:
        per_style: Of each style alone.
        pairs: Of two styles together.
        neutral: Of none.
        seed: Of the drawing.
    """

    per_style: int = 240
    pairs: int = 900
    neutral: int = 500
    seed: int = 11


@dataclass(frozen=True)
class Phrasebook:
    """Captions with their embeddings.

    Attributes:
        captions: N, distinct sentences.
        embeddings: `N E`, unit length.
    """

    captions: tuple[Caption, ...]
    embeddings: Float

    def __post_init__(self) -> None:
        groups: dict[tuple[str, ...], list[int]] = {}
        for number, caption in enumerate(self.captions):
            groups.setdefault(caption.styles, []).append(number)
        object.__setattr__(self, "_groups", groups)
        object.__setattr__(self, "_singles", [group for styles, group in groups.items() if len(styles) == 1])
        pairs = [number for styles, group in groups.items() if len(styles) == 2 for number in group]
        object.__setattr__(self, "_pairs", pairs)

    @property
    def digest(self) -> str:
        """Names captions and embeddings."""
        content = json.dumps([asdict(caption) for caption in self.captions]).encode() + self.embeddings.tobytes()
        return hashlib.sha256(content).hexdigest()[:16]

    def single(self, rng: np.random.Generator) -> int:
        """Number of a caption of one style, all styles alike."""
        groups: list[list[int]] = self._singles  # type: ignore[attr-defined]
        return _one_of(groups[int(rng.integers(len(groups)))], rng)

    def pair(self, rng: np.random.Generator) -> int:
        """Number of a caption of two styles."""
        return _one_of(self._pairs, rng)  # type: ignore[attr-defined]

    def neutral(self, rng: np.random.Generator) -> int:
        """Number of a caption that asks for nothing."""
        return _one_of(self._groups[()], rng)  # type: ignore[attr-defined]

    def embedding(self, number: int, noise: float, rng: np.random.Generator) -> Float:
        """The embedding `E` of a caption, half of the time on the way to another caption that asks for the same.

        Args:
            number: Of the caption.
            noise: Length of the random vector that is added.
            rng: Source of chance.
        """
        caption, row = self.captions[number], self.embeddings[number]
        if rng.random() < 0.5:
            other = _one_of(self._groups[caption.styles], rng)  # type: ignore[attr-defined]
            if self.captions[other].strength == caption.strength:
                row = row + rng.uniform(0.0, 0.5) * (self.embeddings[other] - row)
        direction = rng.standard_normal(len(row), dtype=np.float32)
        row = row + noise * direction / np.linalg.norm(direction)
        unit: Float = (row / np.linalg.norm(row)).astype(np.float32)
        return unit


def draw_captions(table: StyleTable, settings: PhrasebookSettings) -> tuple[Caption, ...]:
    """Distinct captions; a sentence that came before is not taken again, whatever it was to mean."""
    maker = SentenceMaker(table)
    rng = np.random.default_rng(settings.seed)
    wishes: list[tuple[Callable[[np.random.Generator], Caption], int]] = [
        (partial(maker.single, name), settings.per_style) for name in table.styles
    ]
    wishes += [(maker.pair, settings.pairs), (maker.neutral, settings.neutral)]
    captions: dict[str, Caption] = {}
    for draw, count in wishes:
        # Some forms repeat; a list that is too small for the count is left at what it gave.
        target = len(captions) + count
        for _ in range(8 * count):
            caption = draw(rng)
            captions.setdefault(caption.sentence.lower().rstrip("."), caption)
            if len(captions) >= target:
                break
    return tuple(captions.values())


def phrasebook_path(captions: Sequence[Caption], encoder: str) -> Path:
    """Where the embeddings of these captions by this encoder are kept."""
    facts = json.dumps([encoder, [asdict(caption) for caption in captions]])
    return cache_dir() / "training" / f"phrases-{hashlib.sha256(facts.encode()).hexdigest()[:16]}.npy"


def open_phrasebook(
    table: StyleTable, embed: Embed, encoder: str, settings: PhrasebookSettings | None = None
) -> Phrasebook:
    """Captions of a table with their embeddings, from the cache where they were made before.

    Args:
        table: See `load_styles`.
        embed: Called once, and not at all when the cache has the result.
        encoder: Name and checksum of what embeds; another one, another file.
        settings: How many captions.

    Raises:
        ConfigError: `styles_broken`, a slot without a list.
        ResourceError: `cache_unwritable`.
    """
    captions = draw_captions(table, settings or PhrasebookSettings())
    path = phrasebook_path(captions, encoder)
    if path.exists():
        return Phrasebook(captions, np.load(path, allow_pickle=False))
    embeddings = np.asarray(embed([caption.sentence for caption in captions]), np.float32)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            np.save(file, embeddings)
        part.replace(path)
    except OSError as error:
        fix = "Set OMNIHUMAN_CACHE to a folder with room."
        raise ResourceError("cache_unwritable", f"{path.name} cannot be written ({error.strerror})", fix) from None
    return Phrasebook(captions, embeddings)


def _one_of(numbers: Sequence[int], rng: np.random.Generator) -> int:
    return numbers[int(rng.integers(len(numbers)))]
