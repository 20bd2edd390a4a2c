"""Styles and gestures by name: what each changes of a take, and the statistic that shows it. No chance here.

The table lies in `configs/training/styles.yaml`, together with the words people use; sentences are made of them in
`training/words/style_sentences.py`, motion in `direction.py`. Legend: T frames at 25 fps, P parameters.
"""

from __future__ import annotations

from dataclasses import fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field, model_validator

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.training.teacher.mouth import FRAME_HZ
from omnihuman.training.teacher.take import Style
from omnihuman.types import Float

_TREND_S = 1.2
"""What changes slower than this is posture, not a beat."""


class Cycle(StrictModel):
    """A movement that repeats in bursts.

    Attributes:
        parameters: Height of the movement per parameter.
        shape: `bump` goes out and comes back, `wave` goes to both sides.
        every_s: Shortest and longest length of one movement, seconds.
        times: Fewest and most movements of a burst.
        pause_s: Shortest and longest pause between bursts, seconds.
    """

    parameters: dict[str, float]
    shape: Literal["bump", "wave"]
    every_s: tuple[float, float]
    times: tuple[int, int]
    pause_s: tuple[float, float]

    @model_validator(mode="after")
    def _known(self) -> Cycle:
        _check_parameters(self.parameters)
        return self


class Statistic(StrictModel):
    """One number of a take that a style moves.

    Attributes:
        measure: `level` mean; `spread` standard deviation; `beat` what is faster than posture; `pace` speed, per
            second; `blinks` closings of the weighted sum over one half, a minute.
        parameters: Weight per parameter; `level` and `blinks` sum the weighted columns, the others their numbers.
        direction: Whether the style moves it up or down.
    """

    measure: Literal["level", "spread", "beat", "pace", "blinks"]
    parameters: dict[str, float]
    direction: Literal["up", "down"]

    @model_validator(mode="after")
    def _known(self) -> Statistic:
        _check_parameters(self.parameters)
        return self

    def of(self, take: Float) -> float:
        """The number for a take `T P`."""
        columns = take[:, [INDEX[name] for name in self.parameters]].astype(np.float64)
        weights = np.array(list(self.parameters.values()))
        if self.measure == "level":
            return float((columns @ weights).mean())
        if self.measure == "blinks":
            shut = columns @ weights > 0.5
            return float(np.count_nonzero(shut[1:] & ~shut[:-1]) * 60.0 * FRAME_HZ / len(take))
        if self.measure == "pace":
            return float(np.abs(np.diff(columns, axis=0)).mean(axis=0) @ np.abs(weights) * FRAME_HZ)
        if self.measure == "beat":
            columns = columns - _trend(columns)
        return float(columns.std(axis=0) @ np.abs(weights))

    def moved(self, before: float, after: float) -> bool:
        """Whether the number went the style's way."""
        return after > before if self.direction == "up" else after < before


class StyleEntry(StrictModel):
    """One style of the table; the words are read by `style_sentences.py`.

    Attributes:
        uses: What of the person it takes hold of; styles that share nothing can be combined.
        gains: `part.attribute` of the teacher's `Style` -> factor.
        holds: Parameter -> level that is held.
        cycles: Movements that repeat.
        statistic: How the style is measured.
        sided: Written for the image right; gives two styles.
        do: Verb phrases, bare. like: adjectives. having: what fits after "with". say: whole sentences.
    """

    uses: tuple[str, ...]
    statistic: Statistic
    gains: dict[str, float] = {}
    holds: dict[str, float] = {}
    cycles: tuple[Cycle, ...] = ()
    sided: bool = False
    do: tuple[str, ...] = ()
    like: tuple[str, ...] = ()
    having: tuple[str, ...] = ()
    say: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _known(self) -> StyleEntry:
        _check_parameters(self.holds)
        for path in self.gains:
            part, _, name = path.partition(".")
            if part not in _names(Style()) or name not in _names(getattr(Style(), part)):
                raise ValueError(f"no manner is called {path!r}")
        return self

    def mannered(self, style: Style, strength: float) -> Style:
        """The manner of a person who does this; strength 1 = plainly."""
        for path, gain in self.gains.items():
            part_name, name = path.split(".")
            part = getattr(style, part_name)
            changed = replace(part, **{name: getattr(part, name) * gain**strength})
            style = replace(style, **{part_name: changed})
        return style

    def facing(self, side: str) -> StyleEntry:
        """The entry of one side, `left` or `right` in the image, its words filled in."""
        sign = 1.0 if side == "right" else -1.0
        # The person looks out of the picture: what is right in the image is on their own left.
        own = "left" if side == "right" else "right"

        def filled(lines: tuple[str, ...]) -> tuple[str, ...]:
            return tuple(line.replace("{side}", side).replace("{own}", own) for line in lines)

        way = {1.0: {"up": "up", "down": "down"}, -1.0: {"up": "down", "down": "up"}}[sign][self.statistic.direction]
        return self.model_copy(
            update={
                "sided": False,
                "holds": {name: sign * value for name, value in self.holds.items()},
                "statistic": self.statistic.model_copy(update={"direction": way}),
                **{form: filled(getattr(self, form)) for form in ("do", "like", "having", "say")},
            }
        )


class StyleTable(StrictModel):
    """The whole file.

    Attributes:
        strengths: Factor on the effect of weak, plain and strong wording.
        words: Lists of adverbs per strength.
        people: Lists of people per pronoun.
        lists: Further lists of words.
        sentences: Templates per strength.
        pairs: Templates of two styles.
        neutral: Templates of none.
        styles: By name, sided ones once per side after loading.
    """

    strengths: dict[Literal["weak", "plain", "strong"], float]
    words: dict[str, tuple[str, ...]]
    people: dict[Literal["she", "he", "they"], tuple[str, ...]]
    lists: dict[str, tuple[str, ...]]
    sentences: dict[Literal["weak", "plain", "strong"], tuple[str, ...]]
    pairs: tuple[str, ...] = Field(min_length=1)
    neutral: tuple[str, ...] = Field(min_length=1)
    styles: dict[str, StyleEntry] = Field(min_length=1)


@lru_cache(maxsize=1)
def _shipped() -> StyleTable:
    return load_styles(configs_dir() / "training" / "styles.yaml")


def load_styles(path: Path | None = None) -> StyleTable:
    """The table, the shipped one unless another file is named.

    Raises:
        ConfigError: missing, not YAML, an unknown key, parameter or manner.
    """
    if path is None:
        return _shipped()
    table = load(StyleTable, path)
    styles: dict[str, StyleEntry] = {}
    for name, entry in table.styles.items():
        sides = {f"{name}_{side}": entry.facing(side) for side in ("left", "right")}
        styles |= sides if entry.sided else {name: entry}
    return table.model_copy(update={"styles": styles})


def _trend(columns: Float) -> Float:
    """Moving average along the first axis, ends repeated."""
    reach = max(1, int(_TREND_S * FRAME_HZ / 2))
    padded = np.pad(columns, ((reach, reach), (0, 0)), mode="edge")
    sums = np.cumsum(np.pad(padded, ((1, 0), (0, 0))), axis=0)
    width = 2 * reach + 1
    trend: Float = (sums[width:] - sums[:-width]) / width
    return trend


def _check_parameters(values: dict[str, float]) -> None:
    for name in values:
        if name not in INDEX:
            raise ValueError(f"no motion parameter is called {name!r}")


def _names(part: object) -> set[str]:
    return {field.name for field in fields(part)}  # type: ignore[arg-type]
