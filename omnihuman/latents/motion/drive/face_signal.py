"""A driver's face over time, freed of its head motion, in its own measures. Knows no picture that will move.

The 478 landmarks of the mesh come with depth; for the 68 points of a pose file see `face_points.py`.
Legend: N frames, K landmarks; face axes are right, down, towards the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import head_frame
from omnihuman.perception.face_geometry import head_pose_deg, similarity
from omnihuman.types import Float

_DEPTH_WEIGHT = 0.15
_NEUTRAL_SHARE = 0.06
"""Share of the frames, those with the lips closest together, whose mean is the neutral face."""
PITCH_PER_GAP_DEG = 10.0
"""The mesh reads a mouth that opens by one IOD as a head raised by this much (rendered jaws of five photographs: 12 to
16 degrees); the head itself does not move."""


@dataclass(frozen=True)
class FaceSignal:
    """What a face does.

    Attributes:
        numbers: `K` mesh numbers of the landmarks in `moved`.
        moved: `N K 3` displacement against the neutral face, face axes, IOD.
        weight: `K 3` how much each landmark and axis is trusted.
        angles_deg: `N 3` yaw, pitch, roll of the head as read, with the mouth's share of the pitch taken out.
        place: `N 3` head in the frame: x and y in IOD, logarithm of the size.
        gap: `N` distance of the inner lips, IOD.
        opened: `N` the same beyond the neutral face's.
        lids: `N 2` left, right: lid distance over IOD.
        gaze: `N 2` right and down, IOD from the middle of the eyes; None where no iris is known.
        iod_px: Of the neutral face.
    """

    numbers: tuple[int, ...]
    moved: Float
    weight: Float
    angles_deg: Float
    place: Float
    gap: Float
    opened: Float
    lids: Float
    gaze: Float | None
    iod_px: float


def mesh_signal(points: Float) -> FaceSignal:
    """The signal of mesh landmarks `N 478 3`; every row shows a face."""
    points = points.astype(np.float64)
    gap = _distance(points, topo.UPPER_INNER, topo.LOWER_INNER)
    lids = np.stack([_distance(points, topo.UPPER_LID[s], topo.LOWER_LID[s]) for s in "lr"], 1)
    calm = calm_frames(gap, lids)
    first = points[calm[0]]
    stable = list(topo.STABLE)
    fits = [similarity(first[stable], now[stable]) for now in points]
    still = np.array(
        [(now - shift) @ rotation / scale for now, (scale, rotation, shift) in zip(points, fits, strict=True)]
    )
    neutral = still[calm].mean(0)
    frame = head_frame(neutral)
    carried = np.array([scale * rotation @ frame.pivot + shift for scale, rotation, shift in fits])
    place = np.column_stack([carried[:, :2] / frame.iod_px, np.log([scale for scale, _, _ in fits])])
    moved = (still - neutral)[:, : topo.NUM_LANDMARKS] @ frame.axes / frame.iod_px
    angles = np.array([head_pose_deg(now) for now in points.astype(np.float32)], np.float64)
    angles[:, 1] += PITCH_PER_GAP_DEG * gap
    rest_gap = float(_distance(neutral[None], topo.UPPER_INNER, topo.LOWER_INNER)[0])
    return FaceSignal(
        numbers=tuple(range(topo.NUM_LANDMARKS)),
        moved=moved,
        weight=landmark_weights() * [1.0, 1.0, _DEPTH_WEIGHT],
        angles_deg=angles,
        place=place,
        gap=gap,
        opened=np.maximum(0.0, gap - rest_gap),
        lids=lids,
        gaze=_gaze(still) @ frame.axes[:, :2] / frame.iod_px,
        iod_px=frame.iod_px,
    )


def calm_frames(gap: Float, lids: Float) -> NDArray[np.int64]:
    """Numbers of the frames with the lips closest together and the eyes open, calmest first; at least one."""
    eyes = lids.mean(1)
    score = gap + 10.0 * (eyes < 0.75 * np.median(eyes))
    count = max(1, round(_NEUTRAL_SHARE * len(gap)))
    return np.argsort(score, kind="stable")[:count]


def landmark_weights() -> Float:
    """Weights `468 1`: lips most, then brows."""
    weight = np.full((topo.NUM_LANDMARKS, 1), 0.3)
    lips = sorted({i for rows in (topo.UPPER_LIP_ROWS, topo.LOWER_LIP_ROWS) for row in rows for i in row})
    weight[lips] = 4.0
    brows = [i for rows in (topo.BROW_UPPER, topo.BROW_LOWER) for side in "rl" for i in rows[side]]
    weight[brows] = 2.0
    weight[list(topo.CHIN_LINE)] = 1.5
    return weight


def _distance(points: Float, upper: tuple[int, ...], lower: tuple[int, ...]) -> Float:
    iod = np.linalg.norm(points[:, topo.EYE_OUTER_R] - points[:, topo.EYE_OUTER_L], axis=1)
    apart = np.linalg.norm(points[:, list(upper)] - points[:, list(lower)], axis=2).mean(1)
    return np.asarray(apart / np.maximum(iod, 1e-9))


def _gaze(still: Float) -> Float:
    """`N 3` mean offset of the irises from the middle of the lid corners."""
    offsets = [still[:, topo.IRIS[s][0]] - still[:, list(topo.LID_CORNERS[s])].mean(1) for s in "rl"]
    return np.asarray(np.mean(offsets, axis=0))
