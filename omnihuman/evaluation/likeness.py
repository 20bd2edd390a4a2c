"""What `evaluate identity` measures: rendered frames against the picture, and against a stranger. Knows no network.

Legend: T frames, E width of an embedding.
"""

from __future__ import annotations

from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.results import Bar, EvaluationResult
from omnihuman.metrics.identity import identity_similarity
from omnihuman.metrics.measurement import Measurement
from omnihuman.types import Float


class IdentitySettings(StrictModel):
    """How likeness is judged; configs/evaluation/identity.yaml."""

    network: str = Field(description="Id of the face network in the registry.")
    looks_per_s: float = Field(gt=0, description="Frames looked at in a second of video.")
    same_person: float = Field(description="What the network's authors call one person: similarity from here up.")
    bars: dict[str, Bar] = Field(description="Bars by measurement.")


def load_identity_settings() -> IdentitySettings:
    """Reads configs/evaluation/identity.yaml; raises ConfigError."""
    return load(IdentitySettings, configs_dir() / "evaluation" / "identity.yaml")


def measure_identity(
    frames: Float, picture: Float, stranger: Float | None, settings: IdentitySettings
) -> EvaluationResult:
    """Similarity of the frames with the picture.

    Args:
        frames: `T E` embeddings in the order of time, NaN rows without a face.
        picture: `E` of the picture.
        stranger: `E` of somebody else, for the baseline.
        settings: Bars.
    """
    found = identity_similarity(frames, picture)
    controls = {}
    if stranger is not None:
        other = identity_similarity(frames, stranger)
        between = identity_similarity(picture[None], stranger)["identity_mean"]
        controls["stranger"] = {"identity_mean": other["identity_mean"], "picture_and_stranger": between}
        lead = found["identity_low"].value - other["identity_mean"].value
        found["lead_over_stranger"] = Measurement(lead, "", True)
    facts: dict[str, float | int | str] = {
        "network": settings.network,
        "frames": len(frames),
        "same_person": f"similarity of {settings.same_person:g} and more, as the network's authors have it",
    }
    return EvaluationResult(found, controls, facts=facts)
