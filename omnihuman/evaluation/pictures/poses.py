"""The poses that pictures are judged on: named ones for the eye, random ones for the numbers. Draws nothing.

Legend: N poses, P motion parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS, group_indices, vector
from omnihuman.types import Float


@dataclass(frozen=True)
class NamedPose:
    """One tile of a contact sheet."""

    label: str
    parameters: Float


def _pose(label: str, **values: float) -> NamedPose:
    return NamedPose(label, vector(**values))


def _both(name: str, value: float) -> dict[str, float]:
    return {f"{name}_l": value, f"{name}_r": value}


FACE_POSES = (
    _pose("rest"),
    _pose("m b p", seal=1.0),
    _pose("aa", jaw_open=0.55, lower_lip_down=0.15),
    _pose("eh", jaw_open=0.30, upper_lip_raise=0.10, lower_lip_down=0.20, **_both("stretch", 0.2)),
    _pose("ee", jaw_open=0.12, upper_lip_raise=0.20, lower_lip_down=0.35, **_both("stretch", 0.6)),
    _pose("oh", jaw_open=0.35, funnel=0.7),
    _pose("oo w", jaw_open=0.12, pucker=0.8),
    _pose("f v", labiodental=1.0),
    _pose("th l", jaw_open=0.18, tongue=1.0),
    _pose("s z", jaw_open=0.05, upper_lip_raise=0.15, lower_lip_down=0.2, **_both("stretch", 0.3)),
    _pose("little gap", jaw_open=0.08),
    _pose("wide mouth", jaw_open=0.9),
    _pose("smile", **_both("smile", 0.8)),
    _pose("smile aa", jaw_open=0.45, **_both("smile", 0.6)),
    _pose("frown", **_both("frown", 0.8)),
    _pose("pucker", pucker=1.0),
    _pose("lip press", lip_press=1.0),
    _pose("half blink", **_both("blink", 0.5)),
    _pose("blink", **_both("blink", 1.0)),
    _pose("wink", blink_l=1.0),
    _pose("squint", **_both("squint", 1.0)),
    _pose("gaze left", gaze_x=-1.0),
    _pose("gaze right", gaze_x=1.0),
    _pose("gaze up", gaze_y=-1.0),
    _pose("gaze down", gaze_y=1.0),
    _pose("brows up", brow_inner_up=0.8, **_both("brow_outer_up", 0.8)),
    _pose("brows down", **_both("brow_down", 1.0)),
    _pose("yaw -20", head_yaw_deg=-20.0),
    _pose("yaw +20", head_yaw_deg=20.0),
    _pose("yaw +20 aa", head_yaw_deg=20.0, jaw_open=0.5),
    _pose("pitch -15", head_pitch_deg=-15.0),
    _pose("pitch +15", head_pitch_deg=15.0),
    _pose("roll -20", head_roll_deg=-20.0),
    _pose("roll +20", head_roll_deg=20.0),
    _pose("to the side", head_x=0.3, head_y=-0.1),
)
"""Shown cut to the head."""

BODY_POSES = (
    _pose("rest"),
    _pose("shrug", **_both("shrug", 1.0)),
    _pose("sway", sway_x=0.08),
    _pose("lean", lean_deg=5.0),
    _pose("twist -12", twist_deg=-12.0),
    _pose("twist +12", twist_deg=12.0),
    _pose("breathe", breathe=1.5),
    _pose("arm l +40", arm_shoulder_deg_l=40.0),
    _pose("arm r +40", arm_shoulder_deg_r=40.0),
    _pose("elbow l +40", arm_elbow_deg_l=40.0),
    _pose("elbow r +40", arm_elbow_deg_r=40.0),
    _pose("wrists, fingers", **_both("arm_wrist_deg", 25.0), **_both("finger_curl", 1.0)),
    _pose("talking", jaw_open=0.4, head_yaw_deg=8.0, sway_x=-0.04, brow_inner_up=0.4),
    _pose("yaw +20", head_yaw_deg=20.0),
)
"""Shown whole."""

_LARGEST_JAW = 0.7
"""Beyond this opening the networks that read the frames lose the mouth."""
_MOUTH_SHAPES = (
    "pucker", "funnel", "smile_l", "smile_r", "stretch_l", "stretch_r", "upper_lip_raise", "lower_lip_down", "mouth_x",
)  # fmt: skip


def random_poses(rng: np.random.Generator, count: int) -> Float:
    """Poses `N P` of face and head: the head over its whole range, a few mouth shapes at a time, eyes half of the time.

    Args:
        rng: Source of the draws.
        count: N.
    """
    poses = np.zeros((count, NUM_PARAMETERS), np.float32)
    head, gaze = group_indices("head"), group_indices("gaze")
    for frame in poses:
        frame[head + gaze] = rng.uniform(LOW[head + gaze], HIGH[head + gaze])
        frame[INDEX["jaw_open"]] = _LARGEST_JAW * rng.uniform()
        frame[INDEX["seal"]] = rng.uniform() if rng.uniform() < 0.2 else 0.0
        for name in rng.choice(_MOUTH_SHAPES, 3, replace=False):
            frame[INDEX[name]] = rng.uniform(LOW[INDEX[name]], 0.7)
        lids, brows = rng.uniform(-0.15, 1.0), rng.uniform(-1.0, 1.0)
        frame[[INDEX["blink_l"], INDEX["blink_r"]]] = lids if rng.uniform() < 0.6 else 0.0
        frame[[INDEX["brow_down_l"], INDEX["brow_down_r"]]] = max(0.0, -brows)
        for name in ("brow_inner_up", "brow_outer_up_l", "brow_outer_up_r"):
            frame[INDEX[name]] = max(0.0, brows)
    return poses
