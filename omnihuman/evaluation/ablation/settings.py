"""Settings of an ablation, and the grid of training runs that they stand for. Trains nothing.

A change names a setting of the base by its path, `stages.audio.ratios.audio`; a stage is found by its name.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from omnihuman.config import StrictModel, load, nearest, parse
from omnihuman.errors import ConfigError, InputError
from omnihuman.training.settings import TrainingSettings
from omnihuman.training.sound.precompute import SpeechSettings

_LIPS = ("lip_correlation", "closure_f1")
QUANTITIES = (
    *(f"{asked}{name}" for asked in ("", "guided_", "posed_") for name in _LIPS),
    *("head_spread", "body_spread", "head_roughness", "diversity", "blinks", "distance", "unseen_motion", "drift"),
    *("pose_torso_agreement", "pose_distance", "idle_distance"),
)
"""What a run is measured by, and a claim can be about; the judge makes them."""
Seconds = Annotated[float, Field(ge=0.5, le=600.0)]


class Variant(StrictModel):
    """One changed recipe.

    Attributes:
        name: Also the name of its folder.
        axis: What is varied; variants of one axis stand together in the report.
        changes: Setting -> value; empty = the base itself.
    """

    name: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")
    axis: str
    changes: dict[str, Any] = {}


class JudgingSettings(StrictModel):
    """How a trained network is sampled and judged, all on parameters, nothing rendered.

    Attributes:
        speech: Held-out speech: another seed, so other sentences and other speakers than the training's.
        clips: Clips; several may be cut from one recording, each with a picture and a take of its own.
        seconds: Length of the clips driven by sound alone.
        short_seconds: Length of all others.
        prefix_frames: Motion frames that a window takes over from the one before.
        steps: Solver steps; a direct regression always takes one.
        guidance: On the sound, where a quantity is called guided.
        seed: Of pictures, takes and noise.
        close_below: Lips are closed under this gap of the parameters, IOD.
        open_above: And open again over this one.
        tolerance_s: A closure this far outside a p, b or m still meets it.
    """

    speech: SpeechSettings
    clips: int = Field(24, ge=2)
    seconds: Seconds = 30.0
    short_seconds: Seconds = 12.0
    prefix_frames: int = Field(16, ge=1)
    steps: int = Field(8, ge=1)
    guidance: float = Field(1.5, ge=1.0)
    seed: int = 99
    close_below: float = Field(0.02, gt=0.0)
    open_above: float = Field(0.03, gt=0.0)
    tolerance_s: float = Field(0.04, ge=0.0)

    @model_validator(mode="after")
    def _ordered(self) -> JudgingSettings:
        if self.short_seconds > self.seconds or self.close_below > self.open_above:
            raise ValueError("short_seconds <= seconds and close_below <= open_above must hold")
        return self


class Claim(StrictModel):
    """Something that the runs can bear out or not.

    Attributes:
        words: The claim, with its source.
        quantity: What it is about, one of QUANTITIES.
        more: Variant that should have more of it, or not less.
        less: The variant that it is held against.
        relation: What should hold between the two; see claims.py.
    """

    words: str
    quantity: str
    more: str
    less: str
    relation: Literal["more", "not_less"] = "more"


class AblationSettings(StrictModel):
    """One ablation: configs/training/ablation.yaml.

    Attributes:
        base: The training that is varied.
        seeds: Of the networks; the windows are the same for all.
        variants: In the order of the report.
        windows: Training windows drawn once and shared by all runs.
        judging: How results are judged.
        claims: What the report holds against the results.
    """

    base: TrainingSettings
    seeds: tuple[int, ...] = Field(min_length=1)
    variants: tuple[Variant, ...] = Field(min_length=1)
    windows: int = Field(4096, ge=1)
    judging: JudgingSettings
    claims: tuple[Claim, ...] = ()

    @model_validator(mode="after")
    def _distinct(self) -> AblationSettings:
        for what, names in (("variants", [v.name for v in self.variants]), ("seeds", list(self.seeds))):
            if len(set(names)) < len(names):
                raise ValueError(f"two {what} are the same")
        known = {variant.name for variant in self.variants}
        if strange := {name for claim in self.claims for name in (claim.more, claim.less)} - known:
            raise ValueError(f"a claim is about {min(strange)!r}, which is no variant")
        if self.judging.prefix_frames >= self.base.data.frames:
            raise ValueError(f"prefix_frames must be shorter than a window of {self.base.data.frames} frames")
        own = self.base.data.speech
        if self.base.data.kind == "speech" and self.judging.speech.seed == own.seed:
            raise ValueError("the held-out speech must have another seed than the training's")
        return self

    def only(self, names: tuple[str, ...]) -> AblationSettings:
        """The same ablation with some of its variants; all when no name is given.

        Raises:
            InputError: `variant_unknown`.
        """
        known = [variant.name for variant in self.variants]
        for name in names:
            if name not in known:
                raise InputError("variant_unknown", f"there is no variant {name!r}", nearest(name, known))
        kept = tuple(variant for variant in self.variants if not names or variant.name in names)
        return self.model_copy(update={"variants": kept})


@dataclass(frozen=True)
class PlannedRun:
    """One cell of the grid: a variant with one seed, and the whole training configuration that it means."""

    variant: Variant
    seed: int
    training: TrainingSettings

    @property
    def name(self) -> str:
        """Folder below that of the ablation."""
        return f"{self.variant.name}/seed-{self.seed}"


def read_ablation(path: Path) -> AblationSettings:
    """Reads one ablation and proves that every variant is a training configuration.

    Raises:
        ConfigError: as `config.load`; a variant that changes what does not exist is named; `quantity_unknown`.
    """
    settings = load(AblationSettings, path)
    for claim in settings.claims:
        if claim.quantity not in QUANTITIES:
            cause = f"a claim is about '{claim.quantity}', which nobody measures"
            raise ConfigError("quantity_unknown", cause, nearest(claim.quantity, list(QUANTITIES)))
    planned_runs(settings)
    return settings


def planned_runs(settings: AblationSettings) -> list[PlannedRun]:
    """The grid, seed by seed: after the first pass every variant has a result, later ones add certainty.

    Raises:
        ConfigError: `setting_unknown` or `setting_invalid`, naming the variant.
    """
    recipes = [(variant, _changed(settings.base, variant)) for variant in settings.variants]
    return [
        PlannedRun(variant, seed, recipe.model_copy(update={"seed": seed}))
        for seed in settings.seeds
        for variant, recipe in recipes
    ]


def digest(facts: object) -> str:
    """Short fingerprint of JSON-ready facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _changed(base: TrainingSettings, variant: Variant) -> TrainingSettings:
    """The base with the variant's changes."""
    data = base.model_dump(mode="json")
    for place, value in variant.changes.items():
        *parents, last = place.split(".")
        node: Any = data
        for name in parents:
            node = _child(node, name, variant.name)
        if not isinstance(node, dict) or last not in node:
            raise _unknown(variant.name, place, list(node) if isinstance(node, dict) else [])
        node[last] = value
    changed = parse(TrainingSettings, data, f"variant {variant.name}")
    if changed.data != base.data or changed.batch_size != base.batch_size or changed.seed != base.seed:
        cause = f"variant {variant.name}: data, batch_size and seed are shared by all variants"
        raise ConfigError("setting_invalid", cause, "Change them in the base.")
    if changed.reads_text and not base.reads_text:
        cause = f"variant {variant.name} is trained with text, but the windows of the base have none"
        raise ConfigError("setting_invalid", cause, "Give the base a text ratio above 0.")
    return changed


def _child(node: Any, name: str, variant: str) -> Any:
    """The mapping below `name`; of a list, the item whose name it is."""
    items: Mapping[str, Any] = {}
    if isinstance(node, dict):
        items = node
    elif isinstance(node, list):
        items = {item["name"]: item for item in node if isinstance(item, dict) and "name" in item}
    if name not in items:
        raise _unknown(variant, name, list(items))
    return items[name]


def _unknown(variant: str, name: str, known: list[str]) -> ConfigError:
    cause = f"variant {variant} changes '{name}', which the base does not have"
    return ConfigError("setting_unknown", cause, nearest(name.rpartition(".")[2], known))
