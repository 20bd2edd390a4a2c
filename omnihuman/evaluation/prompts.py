"""Held-out sentences per style, and the bars they are judged by; configs/evaluation/prompts.yaml. Measures nothing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load


class TextBars(StrictModel):
    """What is good enough.

    Attributes:
        share: Least share of sentences that move their statistic the right way, per style.
        onset_s: Most seconds between a prompt's start and its effect, either way.
        closure_loss: Most F1 of lip closures that text may cost, all styles together.
        bystander: Most that sentences without a wish may move a statistic, as a share of what its style moves it.
    """

    share: float = Field(ge=0.0, le=1.0)
    onset_s: float = Field(ge=0.0)
    closure_loss: float = Field(ge=0.0)
    bystander: float = Field(ge=0.0)


class TimedSettings(StrictModel):
    """How the onset is measured.

    Attributes:
        prompts: Sentences per style that are also given from a moment on.
        start_s: That moment.
        reach_s: The effect is full by this long after it.
    """

    prompts: int = Field(ge=1)
    start_s: float = Field(gt=0.0)
    reach_s: float = Field(gt=0.0)


class SidedPrompts(StrictModel):
    """Sentences for both sides, `{side}` left open."""

    sided: Literal[True]
    lines: tuple[str, ...] = Field(min_length=1)


class PromptSettings(StrictModel):
    """The whole file.

    Attributes:
        bars: What is good enough.
        timed: How the onset is measured.
        sentences: What is said meanwhile, by the built-in voice.
        prompts: By style, or by the stem of a sided one.
        neutral: Sentences that ask for nothing.
    """

    bars: TextBars
    timed: TimedSettings
    sentences: tuple[str, ...] = Field(min_length=1)
    prompts: dict[str, tuple[str, ...] | SidedPrompts] = Field(min_length=1)
    neutral: tuple[str, ...] = Field(min_length=1)

    def by_style(self) -> dict[str, tuple[str, ...]]:
        """Sentences per style, sided ones once for each side."""
        found: dict[str, tuple[str, ...]] = {}
        for name, prompts in self.prompts.items():
            if isinstance(prompts, SidedPrompts):
                for side in ("left", "right"):
                    found[f"{name}_{side}"] = tuple(line.replace("{side}", side) for line in prompts.lines)
            else:
                found[name] = prompts
        return found


def load_prompt_settings() -> PromptSettings:
    """The shipped settings."""
    return load(PromptSettings, configs_dir() / "evaluation" / "prompts.yaml")
