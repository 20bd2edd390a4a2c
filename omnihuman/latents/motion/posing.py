"""Parameters -> moved vertices: expression, lip contact, lids, head, upper body, in that order.

Everything is relative to the picture: a zero vector moves nothing, to the last bit. numpy only.
Legend: V vertices, P parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnihuman.latents.motion.body.torso import BodyField, move_body
from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.basis import FaceBasis
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.face.yielding import smile_taken, yielded_gaps
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NAMES, group_indices
from omnihuman.latents.motion.ramps import ramp, smoothstep
from omnihuman.perception.face_geometry import head_rotation
from omnihuman.types import Expression, Float

MIN_GAP_IOD = 0.004
"""Inner lips never come nearer than this; at rest `split_lips` sees to it."""
_UPPER, _LOWER = list(topo.UPPER_INNER), list(topo.LOWER_INNER)
_COLUMN = np.abs(np.linspace(-0.8, 0.8, 9))
_BOW = np.sqrt(1 - _COLUMN**2)
_ZIP = np.asarray(smoothstep((_COLUMN - 0.25) / 0.6))
"""Rounded lips close from the corners: how much each inner column takes part."""
_SEAL_UPPER_SHARE, _BITE_UPPER_SHARE, _YIELD_UPPER_SHARE = 0.42, 0.1, 0.15
_BITE_GAP_IOD = 0.08
"""Strip of upper teeth that shows above the lower lip in f and v; under .06 it would look like lips that are closed."""
_WIDE_YAW_DEG = 15.0
_PROFILE_YAW_DEG, _PROFILE_LOSS = 40.0, 0.4
_OPENING = [i for i in group_indices("mouth") if NAMES[i] not in ("seal", "lip_press")]
_FACE = [i for group in ("mouth", "brows", "eyes", "gaze") for i in group_indices(group)]


@dataclass(frozen=True)
class Rig:
    """What of a picture answers to parameters.

    Attributes:
        points: `V 3` vertices at rest; behind the mesh's own come the probes, points that only measure motion.
        head_weight: `V` share of the head's motion.
        basis: Expression basis.
        body: Torso fields, on all V.
        frame: Head frame.
        jaw_probes: Numbers of probes that hang on the jaw.
        rest_gap: `9` inner-lip gaps in pixels.
        rest_smile: `2` left, right: how much of the smile parameters the picture already shows.
        expression: What becomes of the pictured mouth; see `yielding.py`.
        face_gain: Scales what the face does, 0 = it does not move: where no face was found, only a head.
    """

    points: Float
    head_weight: Float
    basis: FaceBasis
    body: BodyField
    frame: HeadFrame
    jaw_probes: tuple[int, ...]
    rest_gap: Float
    rest_smile: Float
    expression: Expression = "yielding"
    face_gain: float = 1.0


def clip_parameters(parameters: Float, frame: HeadFrame, face_gain: float = 1.0) -> Float:
    """Limits one vector `P` to the table's range, and the yaw further where the picture is half turned already.

    Args:
        parameters: `P`.
        frame: Head frame of the picture.
        face_gain: See `Rig`.
    """
    clipped = np.clip(np.nan_to_num(parameters.astype(np.float32)), LOW, HIGH)
    turned = ramp((abs(frame.yaw_deg) - _WIDE_YAW_DEG) / 12.0)
    limit = float(HIGH[INDEX["head_yaw_deg"]]) * (1 - 0.5 * turned)
    clipped[INDEX["head_yaw_deg"]] = np.clip(clipped[INDEX["head_yaw_deg"]], -limit, limit)
    clipped[_FACE] *= face_gain
    # In profile half of the mouth is a line: what opens or widens it far would leave the face.
    clipped[_OPENING] *= 1 - _PROFILE_LOSS * ramp((abs(frame.yaw_deg) - _PROFILE_YAW_DEG) / 20.0)
    return clipped


def pose(rig: Rig, parameters: Float) -> Float:
    """Moved vertices `V 3` for one clipped vector `P`."""
    value = {name: float(parameters[i]) for name, i in INDEX.items()}
    points = rig.points.copy()
    _express(rig, points, value)
    _touch_lips(rig, points, value)
    _keep_lids_apart(rig, points)
    _turn_head(rig, points, value)
    move_body(rig.body, points[:, :2], value)
    return points


def lip_gaps(points: Float, frame: HeadFrame) -> Float:
    """Gaps `9` in pixels between paired inner-lip columns, along the face's down axis."""
    return np.asarray((points[_LOWER] - points[_UPPER]) @ frame.axes[:, 1], np.float32)


def _express(rig: Rig, points: Float, value: dict[str, float]) -> None:
    coefficients = np.array([value[name] for name in rig.basis.names], np.float32)
    for side in "lr":
        coefficients[rig.basis.names.index(f"blink_{side}")] += _lid_follow(value["gaze_y"])
    taken = smile_taken(rig.expression, value)
    if taken:
        for k, side in enumerate("lr"):
            coefficients[rig.basis.names.index(f"smile_{side}")] -= taken * rig.rest_smile[k]
    if coefficients.any():
        count, size, _ = rig.basis.shapes.shape
        moved = coefficients @ rig.basis.shapes.reshape(count, size * 3)
        points[rig.basis.vertices] += moved.reshape(size, 3)
    # Rounded lips hide the lower teeth: what funnel opens, the jaw carries away.
    drop = (0.285 * value["jaw_open"] + 0.05 * value["funnel"]) * rig.frame.iod_px
    points[list(rig.jaw_probes)] += drop * rig.frame.axes[:, 1]


def _lid_follow(gaze_y: float) -> float:
    """Upper lids go with the eyes: down as far as they look down, up only a little."""
    return 0.32 * gaze_y if gaze_y > 0 else 0.10 * gaze_y


def _touch_lips(rig: Rig, points: Float, value: dict[str, float]) -> None:
    """Brings lip columns together: seal and press everywhere, rounding at the corners, f and v on the teeth."""
    iod = rig.frame.iod_px
    gap = lip_gaps(points, rig.frame)
    target = yielded = yielded_gaps(rig.expression, gap, rig.rest_gap, value)
    rounding = min(1.0, 0.9 * value["pucker"] + 0.5 * value["funnel"])
    target = target * (1 - rounding * _ZIP)
    bite = value["labiodental"]
    target = (1 - bite) * target + bite * (_BITE_GAP_IOD * iod * _BOW)
    target = target * ((1 - value["seal"]) * (1 - value["lip_press"]))
    target = np.maximum(target, np.minimum(rig.rest_gap, MIN_GAP_IOD * iod))
    excess = gap - target
    if not excess.any():
        return
    share = _SEAL_UPPER_SHARE + bite * (1 - value["seal"]) * (_BITE_UPPER_SHARE - _SEAL_UPPER_SHARE)
    # What yields is closed by the jaw: the upper lip goes on showing the teeth that the picture shows.
    by_jaw = np.clip(gap - yielded, 0.0, np.maximum(excess, 0.0)) * (1 - value["seal"]) * (1 - value["lip_press"])
    upper = share * (excess - by_jaw) + _YIELD_UPPER_SHARE * by_jaw
    moves = np.concatenate([upper, upper - excess])
    along = (moves @ rig.basis.columns).astype(np.float32)
    points[rig.basis.vertices] += along[:, None] * rig.frame.axes[:, 1]


def _keep_lids_apart(rig: Rig, points: Float) -> None:
    down = rig.frame.axes[:, 1]
    for side in "rl":
        upper, lower = list(topo.UPPER_LID[side]), list(topo.LOWER_LID[side])
        overlap = np.maximum(0.0, -((points[lower] - points[upper]) @ down))[:, None]
        if overlap.any():
            points[upper] -= 0.7 * overlap * down
            points[lower] += 0.3 * overlap * down


def _turn_head(rig: Rig, points: Float, value: dict[str, float]) -> None:
    angles = value["head_yaw_deg"], value["head_pitch_deg"], value["head_roll_deg"]
    shift = value["head_x"], value["head_y"]
    if not (any(angles) or any(shift) or value["head_scale"]):
        return
    matrix = (1 + value["head_scale"]) * head_rotation(*angles) - np.eye(3, dtype=np.float32)
    offset = rig.frame.iod_px * np.array([*shift, 0.0], np.float32)
    points += rig.head_weight[:, None] * ((points - rig.frame.pivot) @ matrix.T + offset)
