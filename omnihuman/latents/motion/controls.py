"""What a person may turn up or down after sampling, in motion parameters. Learns nothing, draws nothing."""

from __future__ import annotations

import numpy as np

from omnihuman.latents.motion.parameters import GROUPS, HIGH, INDEX, LOW, group_indices
from omnihuman.types import Float

ARTICULATION = ("jaw_open", "pucker", "funnel", "stretch_l", "stretch_r", "upper_lip_raise", "lower_lip_down")
CONTACTS = ("labiodental", "tongue", "mouth_x")
SPEECH_COLUMNS = [INDEX[name] for name in (*ARTICULATION, *CONTACTS)]
"""What only a speaking mouth does. `seal` stays: it also closes the lips of a person pictured with them parted."""

MANNER_GROUPS = tuple(g for g in GROUPS if g in ("brows", "head", "torso", "arms", "hands"))
"""Groups that `motion_strength` scales; lips, lids and gaze keep their meaning."""


def apply_controls(parameters: Float, activity: Float, motion_strength: float) -> Float:
    """Closes the mouth where nobody speaks and scales the manner.

    Args:
        parameters: `T P` in the units of the table.
        activity: `T` in 0..1, how surely somebody speaks (`speech.gate`).
        motion_strength: 0 = still, 1 = as generated.

    Returns:
        `T P`, clipped to the table's ranges; the input is untouched.
    """
    adjusted = parameters.copy()
    adjusted[:, SPEECH_COLUMNS] *= activity[:, None]
    for group in MANNER_GROUPS:
        adjusted[:, group_indices(group)] *= np.float32(motion_strength)
    return np.clip(adjusted, LOW, HIGH)
