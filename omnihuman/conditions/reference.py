"""The reference condition: what the picture shows, as a short vector the denoiser can read.

Appearance never passes through the motion denoiser; the space keeps the picture itself.
"""

from __future__ import annotations

import numpy as np

from omnihuman.types import ConditionTrack, Float, ReferenceFacts

REFERENCE_WIDTH = 8


def reference_vector(facts: ReferenceFacts) -> Float:
    """`R` float32, each entry about -1..1: yaw, pitch, roll, framing, torso, left arm, right arm, mouth gap."""
    framing = facts.iod_px / min(facts.height_px, facts.width_px)
    return np.array(
        [
            facts.yaw_deg / 20.0,
            facts.pitch_deg / 20.0,
            facts.roll_deg / 20.0,
            np.clip(4.0 * framing, 0.0, 1.5),
            facts.torso_visible,
            facts.arm_l_visible,
            facts.arm_r_visible,
            np.clip(5.0 * facts.mouth_gap_iod, 0.0, 1.5),
        ],
        np.float32,
    )


def reference_track(facts: ReferenceFacts) -> ConditionTrack:
    """The vector as a track without time, `1 R`."""
    return ConditionTrack("reference", reference_vector(facts)[None])
