"""Sentences in other languages, of our own, for `evaluate sync --languages`; espeak-ng says them (speech/espeak.py)."""

from __future__ import annotations

from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load


class Languages(StrictModel):
    """Sentences by language; configs/evaluation/languages.yaml."""

    sentences: dict[str, tuple[str, ...]] = Field(description="Voice of espeak-ng -> what it says.")


def load_languages() -> Languages:
    """Reads configs/evaluation/languages.yaml; raises ConfigError."""
    return load(Languages, configs_dir() / "evaluation" / "languages.yaml")
