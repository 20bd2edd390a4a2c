"""Eyes, brows and expression of the teacher: blinks, saccades, squints, emphasis. Mouth shapes are not made here.

Statistics: blinks 17.5 a minute in conversation with lognormal intervals (Bentivoglio et al. 1997), most gaze on the
listener with short saccades away (Vertegaal et al. 2001), brows on accented words (Swerts and Krahmer 2008).

Legend: T frames at 25 fps, P parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.latents.motion.parameters import INDEX
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.training.teacher.mouth import FRAME_HZ, frame_times_s, pool, step_times_s
from omnihuman.types import Float

BLINKS_PER_MIN = 17.5
_BLINK_SIGMA = 0.6
"""Spread of the logarithm of the time between blinks."""


@dataclass(frozen=True)
class FaceStyle:
    """Manner of the upper face.

    Attributes:
        blinks_per_min: Mean rate.
        brows: Gain of the brows, about 1.
        gaze: Gain of looking away, about 1.
        smile: Level of a smile that comes and goes, 0..0.4.
        frown: Level of drawn brows and mouth corners, 0..0.3.
    """

    blinks_per_min: float = BLINKS_PER_MIN
    brows: float = 1.0
    gaze: float = 1.0
    smile: float = 0.0
    frown: float = 0.0


def _events(start_s: float, end_s: float, mean_s: float, sigma: float, rng: np.random.Generator) -> list[float]:
    """Times of a renewal process with lognormal gaps, running since long before `start_s`."""
    mu = np.log(mean_s) - sigma**2 / 2
    count = int((end_s - start_s) / mean_s * 3) + 12
    times = start_s - 4 * mean_s * rng.uniform(0.5, 1.5) + np.cumsum(rng.lognormal(mu, sigma, count))
    return [float(t) for t in times if start_s <= t <= end_s]


def bump(times_s: Float, centre_s: float, rise_s: float, hold_s: float, fall_s: float) -> Float:
    """Raised-cosine bump of height 1 centred on its plateau; same length as `times_s`."""
    rise = np.clip((times_s - (centre_s - hold_s / 2 - rise_s)) / rise_s, 0.0, 1.0)
    fall = np.clip((centre_s + hold_s / 2 + fall_s - times_s) / fall_s, 0.0, 1.0)
    shape: Float = (0.5 - 0.5 * np.cos(np.pi * np.minimum(rise, fall))).astype(np.float32)
    return shape


def _blinks(phones: Sequence[TimedPhone], num_frames: int, style: FaceStyle, rng: np.random.Generator) -> Float:
    """Lid closure `T`, 0..1; two of five blinks move to a nearby pause."""
    times_s = step_times_s(num_frames)
    pauses = np.array([p.start_s + 0.1 for p in phones if p.symbol == SILENCE and p.end_s - p.start_s > 0.15])
    lids = np.zeros(len(times_s), np.float32)
    for time in _events(-0.5, num_frames / FRAME_HZ + 0.5, 60.0 / style.blinks_per_min, _BLINK_SIGMA, rng):
        if pauses.size and rng.random() < 0.4:
            nearest = float(pauses[np.argmin(np.abs(pauses - time))])
            time = nearest if abs(nearest - time) < 0.8 else time
        rise, hold, fall = rng.uniform(0.075, 0.10), rng.uniform(0.02, 0.04), rng.uniform(0.11, 0.15)
        lids = np.maximum(lids, bump(times_s, time, rise, hold, fall))
    return np.clip(1.08 * pool(lids, 0.6), 0.0, 1.0)


def _gaze(num_frames: int, style: FaceStyle, rng: np.random.Generator) -> Float:
    """Eye turn `T 2`: mostly the viewer with tiny refixations, now and then aside for a moment."""
    gaze = np.zeros((num_frames, 2), np.float32)
    at, away = -rng.uniform(0.0, 2.0), bool(rng.random() < 0.2)
    while at < num_frames / FRAME_HZ:
        length = rng.lognormal(np.log(0.7), 0.4) if away else rng.lognormal(np.log(1.6), 0.6)
        spread = np.array([0.30, 0.18]) * style.gaze if away else np.array([0.04, 0.03])
        first = max(0, int(np.ceil(at * FRAME_HZ)))
        gaze[first : int(np.ceil((at + length) * FRAME_HZ))] = rng.normal(0.0, spread)
        at, away = at + length, bool(not away and rng.random() < 0.3)
    # A saccade takes about 40 ms: one frame in between.
    softened = np.stack([np.convolve(np.pad(g, 1, mode="edge"), (0.2, 0.6, 0.2), "valid") for g in gaze.T], axis=1)
    return softened.astype(np.float32)


def face_motion(
    phones: Sequence[TimedPhone],
    emphasis: Sequence[tuple[float, float]],
    style: FaceStyle,
    columns: Float,
    rng: np.random.Generator,
) -> None:
    """Adds eyes, brows and expression to a parameter track `T P`, whose head columns are already set."""
    num_frames = len(columns)
    times_s = frame_times_s(num_frames)
    brows = np.zeros((num_frames, 3), np.float32)
    for time, strength in emphasis:
        if rng.random() < 0.45:
            shape = bump(times_s, time, rng.uniform(0.12, 0.25), rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.45))
            outer = rng.uniform(0.2, 0.6) * strength * style.brows
            heights = outer * np.array([rng.uniform(0.5, 1.1), *rng.normal(1.0, 0.15, 2)], np.float32)
            brows = np.maximum(brows, np.outer(shape, heights))
    smile, frown = np.zeros(num_frames, np.float32), np.zeros(num_frames, np.float32)
    for time in _events(-2.0, num_frames / FRAME_HZ + 2.0, 6.0, 0.5, rng):
        span = bump(times_s, time, rng.uniform(0.3, 0.7), rng.uniform(0.4, 2.0), rng.uniform(0.4, 1.0))
        smile = np.maximum(smile, style.smile * rng.uniform(0.3, 1.0) * span)
        frown = np.maximum(frown, style.frown * rng.uniform(0.3, 1.0) * span)
    # Lids and eyes have chance of their own: a manner that blinks more often looks at the same places.
    lid_seed, eye_seed = (int(seed) for seed in rng.integers(2**63, size=2))
    lids = _blinks(phones, num_frames, style, np.random.default_rng(lid_seed))
    gaze = _gaze(num_frames, style, np.random.default_rng(eye_seed))
    # The eyes stay on the viewer while the head turns: a degree moves the iris by 0.0023 IOD.
    gaze[:, 0] -= 0.018 * columns[:, INDEX["head_yaw_deg"]]
    gaze[:, 1] -= 0.030 * columns[:, INDEX["head_pitch_deg"]]
    columns[:, INDEX["gaze_x"]] += gaze[:, 0]
    columns[:, INDEX["gaze_y"]] += gaze[:, 1]
    columns[:, INDEX["brow_inner_up"]] += brows[:, 0]
    for side, brow in (("l", brows[:, 1]), ("r", brows[:, 2])):
        columns[:, INDEX[f"brow_outer_up_{side}"]] += brow
        columns[:, INDEX[f"brow_down_{side}"]] += frown
        columns[:, INDEX[f"smile_{side}"]] += smile * rng.uniform(0.85, 1.0)
        columns[:, INDEX[f"frown_{side}"]] += 0.5 * frown
        columns[:, INDEX[f"squint_{side}"]] += 0.5 * smile + 0.3 * frown
        # Raised brows pull the lids a little wider; a blink overrides that.
        columns[:, INDEX[f"blink_{side}"]] += lids - 0.15 * brow * (1.0 - lids)
