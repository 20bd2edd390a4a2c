"""The mouth that a sound was given against the mouth that spoke it: a result beside a real clip of the speaker.

Legend: T frames of the real clip; apertures in IOD, NaN where a frame cannot be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.evaluation.controls import loudness_track
from omnihuman.evaluation.names import unique_names
from omnihuman.evaluation.results import Bar, EvaluationResult
from omnihuman.evaluation.tracks import FaceTracks
from omnihuman.media.audio import read_sound
from omnihuman.media.footage import read_frames
from omnihuman.metrics.aperture import match_aperture
from omnihuman.metrics.measurement import Measurement
from omnihuman.pipeline.progress import ProgressMeter, Stage
from omnihuman.types import Image, ProgressCallback, Sound

_PICTURE_WITHIN_S = 2.0
_CLIP_PRIOR_S = 20.0
_DEG_PER_GAP = 200.0
"""A picture is better by .01 IOD less gap, or by two degrees less turn."""

Perform = Callable[[Path | Image, Sound, str], FaceTracks]
"""(picture, sound, name) -> the face of the performance."""


class AgainstSettings(StrictModel):
    """How a result is held against a real clip; configs/evaluation/against.yaml."""

    max_lag_s: float = Field(gt=0, description="Largest offset between sound and picture of the real clip.")
    max_yaw_deg: float = Field(gt=0, description="Frames with the head turned farther are not judged.")
    bars: dict[str, Bar] = Field(description="Bars by measurement.")


def load_against_settings() -> AgainstSettings:
    """Reads configs/evaluation/against.yaml; raises ConfigError."""
    return load(AgainstSettings, configs_dir() / "evaluation" / "against.yaml")


def measure_against(
    made: FaceTracks, real: FaceTracks, sound: Sound, settings: AgainstSettings
) -> dict[str, Measurement]:
    """Compares the lip gap of a result with that of the real clip whose sound drove it.

    Args:
        made: The result, from the start of the sound.
        real: The real clip, from the start of the sound.
        sound: The sound of the clip, for the loudness baseline.
        settings: Limits.

    Returns:
        `aperture_*` of the result, `loudness_*` of a mouth that opens with the sound alone, `frames_judged`.
    """
    wanted = real.judged_gap(settings.max_yaw_deg)
    shown = made.judged_gap(settings.max_yaw_deg)
    known = np.isfinite(shown)
    on_clip = np.full(len(wanted), np.nan, np.float32)
    if known.any():
        nearest = np.clip(np.searchsorted(made.times_s, real.times_s), 0, len(shown) - 1)
        inside = (real.times_s <= made.times_s[-1] + 0.5 / made.fps) & known[nearest]
        on_clip[inside] = np.interp(real.times_s[inside], made.times_s[known], shown[known])
    found = match_aperture(on_clip, wanted, real.fps, settings.max_lag_s).measurements("aperture")
    loud = match_aperture(loudness_track(sound, real.times_s), wanted, real.fps, settings.max_lag_s)
    judged = float((np.isfinite(on_clip) & np.isfinite(wanted)).mean()) if len(wanted) else 0.0
    baseline = loud.measurements("loudness")
    return {
        **found,
        "loudness_correlation": baseline["loudness_correlation"],
        "loudness_lag": baseline["loudness_lag"],
        "frames_judged": Measurement(judged, "share", True),
    }


def pool_against(clips: Mapping[str, Mapping[str, Measurement]]) -> EvaluationResult:
    """Means over clips, each counting alike, and the clips themselves."""
    names = ("aperture_correlation", "aperture_in_place", "aperture_size", "loudness_correlation")
    means = {}
    for name in names:
        values = np.array([measured[name].value for measured in clips.values()])
        known = values[np.isfinite(values)]
        first = next(iter(clips.values()))[name]
        means[name] = Measurement(
            float(known.mean()) if known.size else float("nan"), first.unit, first.higher_is_better
        )
    return EvaluationResult(means, clips={name: dict(values) for name, values in clips.items()})


def mimic_clips(
    clips: Sequence[Path],
    image: Path | None,
    perform: Perform,
    look: Callable[[Path], FaceTracks],
    settings: AgainstSettings,
    progress: ProgressCallback | None = None,
) -> dict[str, dict[str, Measurement]]:
    """Lets a picture speak the sound of every clip and holds it against the clip.

    Args:
        clips: Real clips with the speaker's own sound.
        image: Who speaks; None = a frame of the clip itself, lips closed and facing the viewer.
        perform: The product.
        look: The face of a video.
        settings: Limits.
        progress: Receives `ProgressEvent`s.

    Returns:
        Clip name (`unique_names`) -> `measure_against`.

    Raises:
        InputError: audio_*, video_* or face_missing.
    """
    sounds = [read_sound(clip) for clip in clips]
    meter = ProgressMeter(progress, [Stage("clips", len(clips), _CLIP_PRIOR_S)])
    found = {}
    for clip, sound, name in meter.each("clips", list(zip(clips, sounds, unique_names(clips), strict=True))):
        real = look(clip)
        made = perform(image or calm_frame(clip, real), sound, name)
        found[name] = measure_against(made, real, sound, settings)
    return found


def calm_frame(clip: Path, tracks: FaceTracks) -> Image:
    """The frame of the first seconds with the lips most closed and the head least turned."""
    early = tracks.times_s <= _PICTURE_WITHIN_S
    if not np.isfinite(tracks.gap[early]).any():
        early = np.ones(len(tracks.gap), bool)
    unrest = tracks.gap + np.abs(tracks.angles_deg[:, 0]) / _DEG_PER_GAP
    index = int(np.nanargmin(np.where(early, unrest, np.nan)))
    return next(islice(read_frames(clip), index, None))
