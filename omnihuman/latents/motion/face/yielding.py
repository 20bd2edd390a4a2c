"""What becomes of the pictured mouth while parameters move it: it yields to speech, stays under it, or is made neutral.

A smile or parted lips of the picture are no part of the parameters. Yielding takes them back as far as the mouth
articulates, so a smiling person neither smiles through every word nor stops smiling at rest. Pure functions.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from omnihuman.latents.motion.ramps import ramp
from omnihuman.types import Expression, Float

_SMILE_YIELDS = 0.8
"""Share of the pictured smile that speech takes back; the rest is the person's manner."""
_ARTICULATION = {
    "jaw_open": 0.14, "pucker": 0.35, "funnel": 0.35, "stretch_l": 0.35, "stretch_r": 0.35, "upper_lip_raise": 0.3,
    "lower_lip_down": 0.3, "lip_press": 0.4, "seal": 0.5, "labiodental": 0.4, "tongue": 0.5,
}  # fmt: skip
"""Value of each parameter at which the mouth surely speaks. Smiles and frowns are moods and may lie over a smile."""
_CLOSING = {"pucker": 0.5, "funnel": 0.6, "lip_press": 0.5, "seal": 0.5, "labiodental": 0.4}
"""Value at which a parameter, which shapes the lips itself, takes the pictured gap back."""
_BLEND_POWER = 1.5
"""Between a sum (1) and the larger of both: lips stay as far open as the picture until speech opens them further, and
every opening of the jaw still shows."""


def smile_taken(expression: Expression, value: Mapping[str, float]) -> float:
    """Share 0..1 of the pictured smile that is taken back for the parameters `value`."""
    if expression == "absolute":
        return 1.0
    return _SMILE_YIELDS * _engaged(value, _ARTICULATION) if expression == "yielding" else 0.0


def yielded_gaps(expression: Expression, gap: Float, rest_gap: Float, value: Mapping[str, float]) -> Float:
    """Gaps `9` between the lips, pixels, when the picture's own gaps yield as far as the expression says.

    Args:
        expression: What becomes of the pictured mouth.
        gap: Gaps as the shapes leave them on top of the picture's.
        rest_gap: Gaps of the picture.
        value: The parameters.
    """
    if expression == "relative":
        return gap
    opened = gap - rest_gap
    if expression == "absolute":
        return opened
    wide = np.maximum(opened, 0.0)
    if not wide.any() and not any(value[name] for name in _CLOSING):
        return gap
    kept = np.maximum(rest_gap, 0.0) * (1.0 - _engaged(value, _CLOSING))
    joined = (wide**_BLEND_POWER + kept**_BLEND_POWER) ** (1 / _BLEND_POWER)
    return np.asarray(joined + np.minimum(opened, 0.0), np.float32)


def _engaged(value: Mapping[str, float], surely: Mapping[str, float]) -> float:
    """0..1 how far the parameter that is nearest to its sure value is there."""
    return ramp(max(value[name] / sure for name, sure in surely.items()))
