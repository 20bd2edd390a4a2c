"""The landmarks of one face, and where to look for it again. Data only; finding is `face.py`.

Legend: points in pixels of the picture, x right, y down, z towards the viewer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from omnihuman.perception.mesh_topology import EYE_OUTER_LEFT, EYE_OUTER_RIGHT, NUM_BASE_POINTS
from omnihuman.perception.roi import SquareROI
from omnihuman.types import Float

_ROI_SCALE = 1.5


@dataclass(frozen=True)
class FaceLandmarks:
    """One face.

    Attributes:
        points: `478 3` float32: 468 of the mesh, then 5 of the right iris and 5 of the left one (centre first).
        score: Confidence 0..1 of the mesh network that this is a face.
        box: x0, y0, x1, y1 of the points in pixels; may reach beyond the picture.
    """

    points: Float
    score: float
    box: tuple[float, float, float, float]

    @classmethod
    def from_points(cls, points: Float, score: float) -> FaceLandmarks:
        """Landmarks `478 3` with the box that holds them."""
        low, high = points[:, :2].min(axis=0), points[:, :2].max(axis=0)
        return cls(points.astype(np.float32), score, (float(low[0]), float(low[1]), float(high[0]), float(high[1])))

    @property
    def size_px(self) -> float:
        """Longer side of the box."""
        return max(self.box[2] - self.box[0], self.box[3] - self.box[1])

    @property
    def roi(self) -> SquareROI:
        """Where the mesh network should look for this face next: turned by the eye line, with a margin."""
        right, left = self.points[EYE_OUTER_RIGHT], self.points[EYE_OUTER_LEFT]
        roll = math.atan2(float(left[1] - right[1]), float(left[0] - right[0]))
        return SquareROI.around(self.points[:NUM_BASE_POINTS], roll, _ROI_SCALE)
