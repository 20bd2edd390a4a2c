"""Names of face points that a person can point at, and the landmarks each stands for. Data only.

Left and right are the pictured person's own: in a frontal picture "left" is on the right.
"""

from __future__ import annotations

from omnihuman.perception.mesh_topology import (
    CHIN_TIP,
    EYE_INNER_LEFT,
    EYE_INNER_RIGHT,
    EYE_LEFT,
    EYE_OUTER_LEFT,
    EYE_OUTER_RIGHT,
    EYE_RIGHT,
    FOREHEAD_TOP,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIP_CORNER_LEFT,
    LIP_CORNER_RIGHT,
    NOSE_TIP,
    TEMPLE_LEFT,
    TEMPLE_RIGHT,
)

PUPILS = {"right_eye": (IRIS_RIGHT, EYE_RIGHT), "left_eye": (IRIS_LEFT, EYE_LEFT)}
"""Middle of the iris -> landmarks of the iris, and of the eye's ring."""

CORNERS = {
    "right_eye": ("right_eye_outer", "right_eye_inner"),
    "left_eye": ("left_eye_outer", "left_eye_inner"),
}
"""What may stand for an eye instead of its pupil."""

PLACES = {
    "right_eye_outer": EYE_OUTER_RIGHT,
    "right_eye_inner": EYE_INNER_RIGHT,
    "right_eye_top": 159,
    "right_eye_bottom": 145,
    "left_eye_outer": EYE_OUTER_LEFT,
    "left_eye_inner": EYE_INNER_LEFT,
    "left_eye_top": 386,
    "left_eye_bottom": 374,
    "right_brow_outer": 70,
    "right_brow_middle": 105,
    "right_brow_inner": 107,
    "left_brow_outer": 300,
    "left_brow_middle": 334,
    "left_brow_inner": 336,
    "nose_bridge": 168,
    "nose_tip": NOSE_TIP,
    "right_mouth": LIP_CORNER_RIGHT,
    "left_mouth": LIP_CORNER_LEFT,
    "upper_lip_top": 0,
    "upper_lip_bottom": 13,
    "lower_lip_top": 14,
    "lower_lip_bottom": 17,
    "chin": CHIN_TIP,
    "forehead": FOREHEAD_TOP,
    "right_temple": TEMPLE_RIGHT,
    "left_temple": TEMPLE_LEFT,
    "right_jaw": 172,
    "left_jaw": 397,
}
"""All other names -> one landmark each."""

NAMES = (*PUPILS, *PLACES)
"""Every name that a file may use."""
