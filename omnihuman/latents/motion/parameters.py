"""The one table of motion parameters, used by teacher, denoiser and decoder alike. No geometry here.

A frame is a vector of these values; all zero = the reference picture exactly as it is. L and R are the
pictured person's own left and right. IOD = 3-D distance between the outer eye corners (mesh points 33, 263);
SW = distance between the shoulders. Image axes: x to the right, y down, z towards the viewer.

Arm angles turn about the joint that is nearer to the body, children are carried along, and + is the turn that takes a
hanging arm outwards and up: counter-clockwise in the image for the left arm, clockwise for the right one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from omnihuman.types import Float


@dataclass(frozen=True)
class MotionParameter:
    """One row of the table.

    Attributes:
        name: snake_case name.
        unit: What 1.0 means.
        low: Smallest value the decoder accepts; it clips here.
        high: Largest value the decoder accepts.
        group: Part of the person; pose tracks mask by group.
        scale: Typical spread; normalised latent = value / scale.
        meaning: One line for people.
    """

    name: str
    unit: str
    low: float
    high: float
    group: str
    scale: float
    meaning: str


def _both(name: str, *rest: object) -> list[MotionParameter]:
    return [MotionParameter(f"{name}_{side}", *rest) for side in ("l", "r")]  # type: ignore[arg-type]


PARAMETERS: tuple[MotionParameter, ...] = (
    MotionParameter("jaw_open", "0.30 IOD chin drop", 0.0, 1.0, "mouth", 0.15, "jaw opens"),
    MotionParameter("pucker", "full", 0.0, 1.0, "mouth", 0.20, "lips narrow and come forward (oo, w)"),
    MotionParameter("funnel", "full", 0.0, 1.0, "mouth", 0.20, "lips form an open ring (oh, sh)"),
    *_both("smile", "0.13 IOD at the corner", 0.0, 1.0, "mouth", 0.15, "mouth corner goes up and out"),
    *_both("stretch", "0.13 IOD at the corner", 0.0, 1.0, "mouth", 0.15, "mouth corner goes out (ee)"),
    *_both("frown", "0.13 IOD at the corner", 0.0, 1.0, "mouth", 0.10, "mouth corner goes down"),
    MotionParameter("upper_lip_raise", "0.11 IOD", 0.0, 1.0, "mouth", 0.15, "upper lip goes up"),
    MotionParameter("lower_lip_down", "0.12 IOD", 0.0, 1.0, "mouth", 0.15, "lower lip goes down"),
    MotionParameter("lip_press", "full", 0.0, 1.0, "mouth", 0.20, "lips press together and roll in"),
    MotionParameter("mouth_x", "0.10 IOD to the image right", -1.0, 1.0, "mouth", 0.05, "mouth shifts sideways"),
    MotionParameter("seal", "share of the lip gap", 0.0, 1.0, "mouth", 0.35, "closes what gap remains: m, b, p"),
    MotionParameter("labiodental", "full", 0.0, 1.0, "mouth", 0.30, "lower lip tucks under the upper teeth: f, v"),
    MotionParameter("tongue", "full", 0.0, 1.0, "mouth", 0.30, "tongue tip shows behind the teeth: th, l"),
    MotionParameter("brow_inner_up", "0.13 IOD", 0.0, 1.0, "brows", 0.15, "inner brows rise"),
    *_both("brow_outer_up", "0.14 IOD", 0.0, 1.0, "brows", 0.15, "outer brow rises"),
    *_both("brow_down", "0.09 IOD", 0.0, 1.0, "brows", 0.15, "brow lowers"),
    *_both("blink", "eye gap of this person", -0.15, 1.0, "eyes", 0.25, "lid closes (1 = shut, below 0 = wider)"),
    *_both("squint", "full", 0.0, 1.0, "eyes", 0.15, "lower lid rises, eye narrows"),
    MotionParameter("gaze_x", "0.10 IOD to the image right", -1.0, 1.0, "gaze", 0.20, "eyes look sideways"),
    MotionParameter("gaze_y", "0.075 IOD down", -1.0, 1.0, "gaze", 0.15, "eyes look up or down"),
    MotionParameter("head_yaw_deg", "degrees", -20.0, 20.0, "head", 3.0, "head turns, + = towards the image right"),
    MotionParameter("head_pitch_deg", "degrees", -15.0, 15.0, "head", 3.0, "head nods, + = down"),
    MotionParameter("head_roll_deg", "degrees", -20.0, 20.0, "head", 3.0, "head tilts, + = clockwise in the image"),
    MotionParameter("head_x", "IOD to the image right", -0.3, 0.3, "head", 0.03, "head moves sideways"),
    MotionParameter("head_y", "IOD down", -0.2, 0.2, "head", 0.03, "head moves up or down"),
    MotionParameter("head_scale", "size - 1", -0.08, 0.08, "head", 0.01, "head comes nearer or goes away"),
    MotionParameter("sway_x", "SW to the image right", -0.08, 0.08, "torso", 0.015, "upper body moves sideways"),
    MotionParameter("sway_y", "SW down", -0.05, 0.05, "torso", 0.010, "upper body moves up or down"),
    MotionParameter("lean_deg", "degrees", -5.0, 5.0, "torso", 1.0, "upper body leans, + = clockwise in the image"),
    MotionParameter("twist_deg", "degrees", -12.0, 12.0, "torso", 1.5, "upper body turns, + = towards the image right"),
    MotionParameter("breathe", "full", 0.0, 1.5, "torso", 0.30, "chest and shoulders rise with the breath"),
    *_both("shrug", "full", 0.0, 1.0, "torso", 0.10, "shoulder lifts"),
    *_both(
        "arm_shoulder_deg", "degrees in the image plane", -45.0, 45.0, "arms", 5.0, "upper arm lifts away from the body"
    ),
    *_both("arm_elbow_deg", "degrees in the image plane", -45.0, 45.0, "arms", 5.0, "forearm lifts"),
    *_both("arm_wrist_deg", "degrees in the image plane", -30.0, 30.0, "arms", 5.0, "hand lifts"),
    *_both("finger_spread", "full", -1.0, 1.0, "hands", 0.20, "fingers fan out, below 0 = close up"),
    *_both("finger_curl", "full", 0.0, 1.0, "hands", 0.20, "fingers bend towards the palm, seen as shorter"),
)

NAMES: tuple[str, ...] = tuple(p.name for p in PARAMETERS)
INDEX: dict[str, int] = {name: i for i, name in enumerate(NAMES)}
NUM_PARAMETERS = len(PARAMETERS)
GROUPS: tuple[str, ...] = tuple(dict.fromkeys(p.group for p in PARAMETERS))
LOW: Float = np.array([p.low for p in PARAMETERS], np.float32)
HIGH: Float = np.array([p.high for p in PARAMETERS], np.float32)
SCALE: Float = np.array([p.scale for p in PARAMETERS], np.float32)


def group_indices(group: str) -> list[int]:
    """Column numbers of one group, in table order."""
    return [i for i, p in enumerate(PARAMETERS) if p.group == group]


def vector(**values: float) -> Float:
    """A frame vector `P` from named values; all others 0. Unknown names raise KeyError."""
    frame = np.zeros(NUM_PARAMETERS, np.float32)
    for name, value in values.items():
        frame[INDEX[name]] = value
    return frame
