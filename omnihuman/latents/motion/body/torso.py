"""How the upper body answers to sway, lean, breath and shrug: smooth displacement fields, no skeleton.

The body is held at the hips, or at the lower border of the picture when it cuts the torso, and moves fully from the
shoulders up; the head rides on it, but does not turn with it. Fields act on the person layer only, so the background
never bends. Legend: V vertices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float

if TYPE_CHECKING:
    from omnihuman.perception.body import BodyLandmarks

_SHOULDER_L, _SHOULDER_R, _HIP_L, _HIP_R = 11, 12, 23, 24
_VISIBLE = 0.5
_BREATH_RISE_SW, _BREATH_WIDTH_SW, _SHRUG_RISE_SW = 0.020, 0.012, 0.10
_TRUNK_HALF_SW, _SIDE_DEPTH_SW, _BREAST_DEPTH_SW = 0.60, 0.10, 0.45
"""A trunk is a flattened cylinder turning on its spine: half its width, how far before the spine its sides and its
breast bone lie, in shoulder widths."""
_CAMERA_SW = 5.0
"""Distance of the camera: what a turn brings nearer grows a little."""
_MAX_SLOPE = 0.6


@dataclass(frozen=True)
class Torso:
    """Where the torso is in the picture.

    Attributes:
        shoulder_l: `2` the subject's left shoulder joint, pixels.
        shoulder_r: `2` the right one.
        root: `2` point that stays in place and about which the body leans.
        visible: 0..1 how surely and how much of it is in the picture.
        slope: How much nearer the trunk comes per pixel to the image right: 0 seen from the front.
    """

    shoulder_l: Float
    shoulder_r: Float
    root: Float
    visible: float
    slope: float = 0.0

    @property
    def width_px(self) -> float:
        """Distance between the shoulders."""
        return float(np.linalg.norm(self.shoulder_l - self.shoulder_r))


@dataclass(frozen=True)
class BodyField:
    """Displacement fields on the mesh.

    Attributes:
        bend: `V` share of sway and lean, 0 at the root, 1 from the shoulders up.
        breathe: `V 2` pixels at value 1.
        shrug: `2 V 2` pixels at value 1, left then right.
        twist: `V 4` distance from the trunk's axis, depth, height below the eyes, all pixels, and share of the turn.
        root: `2` centre of the lean.
        width_px: Shoulder distance.
        gain: 0..1, how much of the asked motion the picture can show.
    """

    bend: Float
    breathe: Float
    shrug: Float
    twist: Float
    root: Float
    width_px: float
    gain: float


def locate_torso(body: BodyLandmarks | None, frame: HeadFrame, height: int, width: int) -> Torso:
    """Finds shoulders and root, from body landmarks or, without them, from the proportions of the head."""
    if body is not None and min(body.visibility[[_SHOULDER_L, _SHOULDER_R]]) > _VISIBLE:
        left, right = body.points[_SHOULDER_L, :2], body.points[_SHOULDER_R, :2]
        if 1.0 * frame.iod_px < np.linalg.norm(left - right) < 6.0 * frame.iod_px:
            return _torso(left, right, _hips_y(body, height), 1.0, height, _slope(body))
    neck = frame.centre[:2] + 1.75 * frame.iod_px * _image_down(frame)
    half = np.array([1.15 * frame.iod_px, 0.0], np.float32)
    return _torso(neck + half, neck - half, None, 0.5, height)


def _slope(body: BodyLandmarks) -> float:
    """How the shoulders stand in depth; the network's depth is rough, so half of it is believed."""
    apart = body.points[_SHOULDER_L] - body.points[_SHOULDER_R]
    across = float(apart[0])
    return 0.0 if abs(across) < 1.0 else float(np.clip(0.5 * apart[2] / across, -_MAX_SLOPE, _MAX_SLOPE))


def _image_down(frame: HeadFrame) -> Float:
    down = frame.axes[:2, 1] + np.array([0.0, 1.0], np.float32)
    return np.asarray(down / np.linalg.norm(down), np.float32)


def _hips_y(body: BodyLandmarks, height: int) -> float | None:
    hips = body.points[[_HIP_L, _HIP_R], 1]
    seen = min(body.visibility[[_HIP_L, _HIP_R]]) > _VISIBLE and hips.max() < 0.94 * height
    return float(hips.mean()) if seen else None


def _torso(
    left: Float, right: Float, hips_y: float | None, sure: float, height: int, slope: float = 0.0
) -> Torso:  # fmt: skip
    middle = (left + right) / 2
    root_y = float(height) if hips_y is None else hips_y
    span = max(1.0, float(np.linalg.norm(left - right)))
    room = np.clip((root_y - middle[1]) / (0.8 * span), 0.0, 1.0)
    root = np.array([middle[0], max(root_y, middle[1] + 0.2 * span)], np.float32)
    return Torso(left.astype(np.float32), right.astype(np.float32), root, float(sure * room), slope)


def build_body_field(points: Float, head_weight: Float, torso: Torso) -> BodyField:
    """Fields on the vertices `points` `V 2`; `head_weight` `V` keeps a shrug from lifting the face."""
    x, y = points[:, 0], points[:, 1]
    span = torso.width_px
    middle = (torso.shoulder_l + torso.shoulder_r) / 2
    bend = smoothstep((torso.root[1] - y) / (torso.root[1] - middle[1]))
    low_chest = min(float(torso.root[1]), float(middle[1]) + 0.8 * span)
    rise = smoothstep((low_chest - y) / (low_chest - middle[1] + 1e-3))
    widen = np.exp(-0.5 * ((y - middle[1] - 0.4 * span) / (0.25 * span)) ** 2) * bend
    breathe = np.stack(
        [
            _BREATH_WIDTH_SW * span * widen * np.clip((x - middle[0]) / (0.5 * span), -1.2, 1.2),
            -_BREATH_RISE_SW * span * rise,
        ],
        1,
    )
    shrug = np.stack([_shrug(points, torso.shoulder_l, middle, span), _shrug(points, torso.shoulder_r, middle, span)])
    shrug *= ((1 - head_weight) * bend)[None, :, None]
    gain = float(np.clip(torso.visible / 0.5, 0.0, 1.0))
    return BodyField(
        bend=bend.astype(np.float32),
        breathe=breathe.astype(np.float32),
        shrug=shrug.astype(np.float32),
        twist=_twist(points, (1 - head_weight) * bend, torso),
        root=torso.root,
        width_px=span,
        gain=gain,
    )


def _shrug(points: Float, shoulder: Float, middle: Float, span: float) -> NDArray[np.float64]:
    outward = (points[:, 0] - shoulder[0]) * np.sign(shoulder[0] - middle[0])
    below = points[:, 1] - shoulder[1]
    across = np.exp(-0.5 * (np.minimum(outward, 0) / (0.24 * span)) ** 2)
    down = np.exp(-0.5 * (np.maximum(below, 0) / (0.55 * span)) ** 2)
    lift = -_SHRUG_RISE_SW * span * across * down
    return np.stack([np.zeros_like(lift), lift], 1)


def _twist(points: Float, share: Float, torso: Torso) -> Float:
    """Axis distance, depth, height below the eyes and share of the turn, `V 4`; see `BodyField`."""
    span, middle = torso.width_px, (torso.shoulder_l + torso.shoulder_r) / 2
    half = _TRUNK_HALF_SW * span
    # What lies beside the trunk, an arm, goes along with its side.
    reach = np.clip((points[:, 0] - middle[0]) / half, -1.0, 1.0)
    # Above the shoulders the trunk thins into the neck, which stands on the axis.
    neck = smoothstep((middle[1] - points[:, 1]) / (0.35 * span))
    # A squared cosine, not a circle: its sides are infinitely steep and would fold.
    front = (_BREAST_DEPTH_SW - _SIDE_DEPTH_SW) * np.cos(0.5 * np.pi * reach) ** 2
    depth = span * (_SIDE_DEPTH_SW + front) * (1 - 0.7 * neck)
    depth = depth + torso.slope * reach * half
    level = points[:, 1] - (middle[1] - 0.7 * span)
    return np.stack([reach * half, depth, level, share], 1).astype(np.float32)


def move_body(field: BodyField, points: Float, value: Mapping[str, float]) -> None:
    """Moves `points` `V 2`, in place, by the torso parameters in `value` (by name)."""
    gain = field.gain
    if value["twist_deg"]:
        points += _turned(field.twist, np.radians(gain * value["twist_deg"]), field.width_px)
    lift = gain * value["breathe"] * field.breathe
    points += lift + gain * (value["shrug_l"] * field.shrug[0] + value["shrug_r"] * field.shrug[1])
    shift = gain * field.width_px * np.array([value["sway_x"], value["sway_y"]], np.float32)
    points += field.bend[:, None] * shift
    if value["lean_deg"]:
        angle = np.radians(gain * value["lean_deg"]) * field.bend
        arm = points - field.root
        cos, sin = np.cos(angle), np.sin(angle)
        points[:, 0] = field.root[0] + cos * arm[:, 0] - sin * arm[:, 1]
        points[:, 1] = field.root[1] + sin * arm[:, 0] + cos * arm[:, 1]


def _turned(twist: Float, angle_rad: float, span: float) -> Float:
    """Displacement `V 2` by a turn about the trunk's axis, seen by a camera at the height of the eyes."""
    aside, depth, level, share = twist.T
    cos, sin = np.cos(angle_rad * share), np.sin(angle_rad * share)
    nearer = (depth * (cos - 1) - aside * sin) / (_CAMERA_SW * span)
    return np.stack([aside * (cos - 1) + depth * sin + aside * nearer, level * nearer], 1).astype(np.float32)
