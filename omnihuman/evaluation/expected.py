"""The lip gap that phone times ask for, by the teacher's rules: what a measured gap is correlated with.

And the gap that motion parameters ask for, without a frame being drawn.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omnihuman.latents.motion.parameters import INDEX, NUM_PARAMETERS
from omnihuman.speech.inventory import TimedPhone
from omnihuman.training.teacher.mouth import FRAME_HZ, MouthStyle, mouth_motion
from omnihuman.types import Float

_GAP_PER_UNIT = {"jaw_open": 0.30, "upper_lip_raise": 0.11, "lower_lip_down": 0.12}
"""What one unit of a parameter adds to the gap between the lips' middles, IOD; see the table of parameters."""


def expected_gap(phones: Sequence[TimedPhone], times_s: Float) -> Float:
    """Lip gap `T` in IOD of an average speaker whose lips close at rest, at the given times."""
    last_s = float(times_s[-1]) if len(times_s) else 0.0
    num_frames = int(last_s * FRAME_HZ) + 2
    columns = np.zeros((num_frames, NUM_PARAMETERS), np.float32)
    mouth_motion(phones, num_frames, MouthStyle(), 0.0, columns)
    centres_s = (np.arange(num_frames) + 0.5) / FRAME_HZ
    return np.interp(times_s, centres_s, parameter_gap(columns)).astype(np.float32)


def parameter_gap(parameters: Float) -> Float:
    """Lip gap `...` in IOD that motion parameters `... P` ask for, of a person pictured with closed lips."""
    gap = sum(size * np.clip(parameters[..., INDEX[name]], 0.0, 1.0) for name, size in _GAP_PER_UNIT.items())
    sealed: Float = (gap * (1.0 - np.clip(parameters[..., INDEX["seal"]], 0.0, 1.0))).astype(np.float32)
    return sealed
