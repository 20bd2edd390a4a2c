"""The pose condition: what a driver shows, as a partial latent per frame, on the clock of a space.

A driver is never seen completely: every channel has its own mask over time, and where it is 0 the transformer decides.
Fitting a driver is the space's business (`LatentSpace.follow`). Legend: N rows of the track, C channels, T latents.
"""

from __future__ import annotations

import numpy as np

from omnihuman.types import ConditionTrack, Float

_USUAL_STEP_S = 0.04
_LONGEST_STEP_S = 0.5
"""Between two rows further apart than this nothing is known."""


def pose_rows(track: ConditionTrack, times_s: Float) -> tuple[Float, Float]:
    """The track at other times: linear between two known rows, else the known one of the two if it is the nearer.

    Args:
        track: Kind `pose`, values and mask ``N C``.
        times_s: ``T`` seconds.

    Returns:
        Values ``T C``, 0 where unknown, and the mask ``T C``, 0 or 1. Beyond the ends a row is held for half the usual
        step, as long as the frame that it describes.
    """
    known = np.ones_like(track.values) if track.mask is None else track.mask
    rows = np.asarray(track.times_s, np.float64)
    position = np.interp(times_s, rows, np.arange(len(rows), dtype=np.float64))
    low = np.floor(position).astype(np.intp)
    high = np.minimum(low + 1, len(rows) - 1)
    share = (position - low)[:, None]
    weights = (1 - share) * (known[low] > 0.5), share * (known[high] > 0.5)
    total = weights[0] + weights[1]
    step_s = float(np.median(np.diff(rows))) if len(rows) > 1 else _USUAL_STEP_S
    times = np.asarray(times_s, np.float64)
    shown = np.minimum(np.abs(times - rows[low]), np.abs(times - rows[high])) <= 0.51 * step_s
    between = (times >= rows[0]) & (times <= rows[-1]) & (rows[high] - rows[low] <= max(_LONGEST_STEP_S, 3 * step_s))
    # Exactly half way between a known and an unknown row counts as known.
    mask = (total >= 0.5 - 1e-6) & (shown | between)[:, None]
    values = (weights[0] * track.values[low] + weights[1] * track.values[high]) / np.maximum(total, 1e-9)
    return np.where(mask, values, 0.0).astype(np.float32), mask.astype(np.float32)
