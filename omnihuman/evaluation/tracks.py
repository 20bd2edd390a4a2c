"""Frames of a video -> face tracks: lip gap, eye aperture, head angles. Measures nothing by itself.

Legend: T frames; lengths in IOD, the distance of the outer eye corners; NaN where no face was found.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from omnihuman.errors import InputError
from omnihuman.perception.face import FacePerception
from omnihuman.perception.face_geometry import eye_aperture, head_pose_deg, inner_lip_gap, iod_px
from omnihuman.types import Float, Image

_STEADY_POINTS = (168, 6, 197, 195, 33, 133, 362, 263, 127, 356, 10, 151)
"""Landmarks that expression hardly moves: nose ridge, eye corners, temples, forehead."""


@dataclass(frozen=True)
class FaceTracks:
    """One face through a video.

    Attributes:
        times_s: `T` centres of the frames.
        fps: Frames per second.
        gap: `T` mean inner-lip distance.
        aperture: `T` mean lid distance of both eyes.
        angles_deg: `T 3` yaw, pitch, roll.
        steady: `T N 3` landmarks that expression hardly moves, centred.
    """

    times_s: Float
    fps: float
    gap: Float
    aperture: Float
    angles_deg: Float
    steady: Float

    @property
    def found(self) -> float:
        """Share of frames with a face."""
        return float(np.isfinite(self.gap).mean()) if len(self.gap) else 0.0

    def judged_gap(self, max_yaw_deg: float) -> Float:
        """The gap `T` with NaN also where the head is turned farther than that: lips foreshorten there."""
        turned = ~(np.abs(self.angles_deg[:, 0]) <= max_yaw_deg)
        return np.where(turned, np.nan, self.gap).astype(np.float32)


def track_face(frames: Iterable[Image], fps: float, face: FacePerception) -> FaceTracks:
    """Follows the largest face.

    Raises:
        InputError: face_missing, no frame shows a face.
    """
    nothing = np.full(5 + 3 * len(_STEADY_POINTS), np.nan, np.float32)
    rows = []
    for landmarks in face.track(frames):
        rows.append(nothing if landmarks is None else _row(landmarks.points))
    table = np.array(rows, np.float32).reshape(len(rows), len(nothing))
    if not np.isfinite(table).any():
        raise InputError("face_missing", "no frame of the video shows a face", "Give a video of one person's face.")
    times_s = ((np.arange(len(rows)) + 0.5) / fps).astype(np.float32)
    steady = table[:, 5:].reshape(len(rows), -1, 3)
    return FaceTracks(times_s, fps, table[:, 0], table[:, 1], table[:, 2:5], steady)


def _row(points: Float) -> Float:
    steady = points[list(_STEADY_POINTS)]
    steady = (steady - steady.mean(0)) / iod_px(points)
    scalars = [inner_lip_gap(points), float(np.mean(eye_aperture(points))), *head_pose_deg(points)]
    return np.concatenate([np.array(scalars, np.float32), steady.ravel()]).astype(np.float32)
