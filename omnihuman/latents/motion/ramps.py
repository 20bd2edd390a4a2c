"""Soft steps between 0 and 1. Pure functions."""

from __future__ import annotations

import numpy as np

from omnihuman.types import Float


def ramp(t: float) -> float:
    """`smoothstep` of one number."""
    t = min(max(t, 0.0), 1.0)
    return t * t * (3 - 2 * t)


def smoothstep(t: Float) -> Float:
    """Cubic ramp from 0 at `t <= 0` to 1 at `t >= 1`."""
    t = np.clip(t, 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))
