"""Head, torso, breath and arms of the teacher. Everything drifts about 0 = the picture and comes back to it.

Head motion is an Ornstein-Uhlenbeck drift plus nods on accented vowels (Busso et al. 2007: sd 2-4 degrees); the torso
follows the head late and weaker; breathing fills the pauses.

Legend: T frames at 25 fps, P parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from omnihuman.latents.motion.parameters import INDEX, group_indices
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.training.teacher.face import bump
from omnihuman.training.teacher.mouth import FRAME_HZ, frame_times_s, speech_presence
from omnihuman.types import Float

_HEAD_SPREAD = (3.6, 2.6, 2.2, 0.022, 0.012, 0.009)
"""Standard deviation of the drift per column of the group `head`, while speaking; nods come on top."""
_WARM_UP = 150
"""Frames that a drift runs before the first one, so that it is stationary."""


@dataclass(frozen=True)
class BodyStyle:
    """Manner of moving.

    Attributes:
        head: Gain of head drift, about 1.
        nods: Gain of nods on accents, about 1.
        torso: Gain of the torso, about 1.
        arms: Gain of arms and hands, about 1.
        breath_s: Length of a breathing cycle at rest, seconds.
        pace: Speed of the drift, about 1.
    """

    head: float = 1.0
    nods: float = 1.0
    torso: float = 1.0
    arms: float = 1.0
    breath_s: float = 4.0
    pace: float = 1.0


def drift(num_frames: int, spread: Sequence[float], time_s: float, rng: np.random.Generator) -> Float:
    """Smooth stationary noise: an Ornstein-Uhlenbeck process passed through a second one a third as slow.

    Args:
        num_frames: T.
        spread: Standard deviation per column.
        time_s: Time in which it forgets where it was, seconds.
        rng: Source of the noise.

    Returns:
        `T len(spread)` float32.
    """
    a, b = (float(np.exp(-1.0 / (FRAME_HZ * t))) for t in (time_s, time_s / 3.0))
    noise = rng.standard_normal((num_frames + _WARM_UP, len(spread)))
    moved = lfilter([1.0], np.convolve([1.0, -a], [1.0, -b]), noise, axis=0)[_WARM_UP:]
    variance = (1 + a * b) / ((1 - a * b) * (1 - a * a) * (1 - b * b))
    return (moved / np.sqrt(variance) * np.asarray(spread)).astype(np.float32)


def _late(column: Float, seconds: float) -> Float:
    """The column `T`, smoothed and delayed by about `seconds`."""
    keep = float(np.exp(-1.0 / (FRAME_HZ * seconds)))
    followed: Float = lfilter([1.0 - keep], [1.0, -keep], column, zi=[keep * column[0]])[0].astype(np.float32)
    return followed


def _breath(phones: Sequence[TimedPhone], num_frames: int, cycle_s: float, rng: np.random.Generator) -> Float:
    """Chest height `T` in 0..1: quick inhalation in a pause, slow way out while speaking."""
    end_s = num_frames / FRAME_HZ
    pauses = [p.start_s for p in phones if p.symbol == SILENCE and p.end_s - p.start_s > 0.25]
    points_t, points_h = [-10.0], [0.2]
    at = -cycle_s * float(rng.uniform(1.0, 2.0))
    while at < end_s + 1.0:
        near = [p for p in pauses if at + 0.5 * cycle_s < p < at + 1.6 * cycle_s]
        following = near[0] if near else at + cycle_s * float(rng.uniform(0.85, 1.2))
        inhale = min(0.35 * (following - at), float(rng.uniform(0.5, 0.9)))
        height = float(rng.uniform(0.7, 1.0))
        points_t += [at, at + inhale, at + 0.9 * (following - at)]
        points_h += [0.0, height, 0.05]
        at = following
    times_s = (np.arange(num_frames + 8) - 4 + 0.5) / FRAME_HZ
    raw = np.interp(times_s, points_t, points_h)
    soft = np.hanning(11)[1:-1]
    breath: Float = np.convolve(raw, soft / soft.sum(), "valid").astype(np.float32)
    return breath


def _arms(
    emphasis: Sequence[tuple[float, float]], visible: tuple[float, float], style: BodyStyle, columns: Float,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Adds beats and small drift of the arms that the picture shows."""
    times_s = frame_times_s(len(columns))
    for side, seen in zip("lr", visible, strict=True):
        if seen <= 0.0:
            continue
        moved = drift(len(columns), (1.5, 2.5, 2.5), 1.2, rng)
        for time, strength in emphasis:
            if rng.random() < 0.35:
                beat = bump(times_s, time, rng.uniform(0.2, 0.35), rng.uniform(0.0, 0.4), rng.uniform(0.3, 0.6))
                moved += np.outer(beat, strength * rng.normal((5.0, 9.0, 5.0), (2.0, 4.0, 4.0))).astype(np.float32)
        for joint, name in enumerate(("shoulder", "elbow", "wrist")):
            columns[:, INDEX[f"arm_{name}_deg_{side}"]] += seen * style.arms * moved[:, joint]
        # A beat opens the hand; at rest the fingers hang a little bent.
        fingers = drift(len(columns), (0.08, 0.06), 1.6, rng)
        opened = np.clip(moved[:, 1] / 12.0, 0.0, 1.0)
        columns[:, INDEX[f"finger_spread_{side}"]] += seen * style.arms * (fingers[:, 0] + 0.35 * opened)
        columns[:, INDEX[f"finger_curl_{side}"]] += seen * np.maximum(0.0, fingers[:, 1] + 0.1 * (1 - opened))


def body_motion(
    phones: Sequence[TimedPhone],
    emphasis: Sequence[tuple[float, float]],
    reference: Float,
    style: BodyStyle,
    columns: Float,
    rng: np.random.Generator,
) -> None:
    """Adds head, torso and arm motion to a parameter track.

    Args:
        phones: In order.
        emphasis: (time in seconds, strength 0..1) of accents.
        reference: `R` as `conditions.reference.reference_vector` gives it.
        style: Manner.
        columns: `T P` track to add to, parameter units.
        rng: Source of chance.
    """
    num_frames = len(columns)
    times_s = frame_times_s(num_frames)
    # Speakers move more than listeners and come to rest in a long pause.
    lively = 0.35 + 0.65 * _late(speech_presence(phones, times_s, reach_s=0.8), 0.5)
    # A head that is pictured turned, or fills the picture, has less room.
    room = (1.0 - 0.35 * min(1.0, float(np.abs(reference[:2]).max()))) * (1.0 - 0.2 * min(1.0, float(reference[3])))
    head = drift(num_frames, _HEAD_SPREAD, 1.1 / style.pace, rng) * (style.head * room * lively[:, None])
    nod = np.zeros(num_frames, np.float32)
    for time, strength in emphasis:
        if rng.random() < 0.7:
            depth = strength * rng.uniform(1.5, 4.0) * style.nods * room
            down = bump(times_s, time + 0.06, 0.16, 0.02, 0.34)
            lift = bump(times_s, time - 0.16, 0.16, 0.0, 0.16)
            nod += depth * (down - 0.25 * lift)
            turn = np.float32(rng.normal(0.0, 0.9) * strength * style.nods)
            head[:, 0] += turn * bump(times_s, time + 0.1, 0.25, 0.2, 0.5)
    head[:, 1] += nod
    head[:, 3] += 0.006 * head[:, 0]
    head[:, 4] += 0.005 * head[:, 1]
    columns[:, group_indices("head")] += head
    _arms(emphasis, (float(reference[5]), float(reference[6])), style, columns, rng)
    torso = float(np.clip(reference[4], 0.0, 1.0))
    if torso <= 0.0:
        return
    own = drift(num_frames, (0.011, 0.006, 0.7), 1.8 / style.pace, rng) * lively[:, None]
    gain = torso * style.torso
    columns[:, INDEX["sway_x"]] += gain * (own[:, 0] + _late(0.18 * head[:, 3] + 0.0015 * head[:, 0], 0.25))
    columns[:, INDEX["sway_y"]] += gain * (own[:, 1] + _late(0.0012 * head[:, 1], 0.25))
    columns[:, INDEX["lean_deg"]] += gain * (own[:, 2] + _late(0.18 * head[:, 2], 0.25))
    columns[:, INDEX["twist_deg"]] += gain * (drift(num_frames, (0.8,), 2.2 / style.pace, rng)[:, 0] * lively)
    columns[:, INDEX["twist_deg"]] += gain * _late(0.22 * head[:, 0], 0.3)
    breath = _breath(phones, num_frames, style.breath_s, np.random.default_rng(int(rng.integers(2**63)))) * torso
    columns[:, INDEX["breathe"]] += rng.uniform(0.3, 0.75) * breath
    shrug = 0.08 * breath
    if rng.random() < num_frames / FRAME_HZ / 45.0:
        peak = rng.uniform(0.2, 0.5) * bump(
            times_s, rng.uniform(0.0, num_frames / FRAME_HZ), 0.25, rng.uniform(0.1, 0.4), 0.4
        )
        shrug = shrug + gain * peak
    for side in "lr":
        columns[:, INDEX[f"shrug_{side}"]] += shrug * rng.uniform(0.85, 1.0)
