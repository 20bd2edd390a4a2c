"""What the bench of pictures asks for: configs/evaluation/pictures.yaml. Data only."""

from __future__ import annotations

from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load


class PictureSettings(StrictModel):
    """How pictures are judged."""

    poses: int = Field(ge=8, description="Random poses that are found again.")
    fuzz_frames: int = Field(ge=1, description="Frames over the whole range of all parameters.")
    least_jaw_step_iod: float = Field(gt=0, description="What the lip gap must grow by per 1/20 of jaw_open.")
    largest_sealed_gap_iod: float = Field(gt=0, description="Lip gap that a full seal may leave.")
    largest_blink_share: float = Field(gt=0, le=1, description="Share of the eye's pixels that a full blink may leave.")
    far_iod: float = Field(gt=0, description="Background farther than this from the person must not change.")
    bars: dict[str, float] = Field(description="Least correlations for photographs and paintings.")
    drawn_bars: dict[str, float] = Field(description="Least correlations for drawn characters.")


def load_picture_settings() -> PictureSettings:
    """Reads configs/evaluation/pictures.yaml; raises ConfigError."""
    return load(PictureSettings, configs_dir() / "evaluation" / "pictures.yaml")
