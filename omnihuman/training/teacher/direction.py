"""Directions to the teacher: "from here on smile, then nod". Takes of the same chance, one manner each, cross-faded.

Lips, blinks and drift agree between the takes, so a direction changes what it names and nothing else. Legend: T frames
at 25 fps, P parameters, R reference columns.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS, PARAMETERS
from omnihuman.speech.inventory import TimedPhone
from omnihuman.training.teacher.body import drift
from omnihuman.training.teacher.mouth import frame_times_s
from omnihuman.training.teacher.prosody import Loudness
from omnihuman.training.teacher.styles import Cycle, StyleEntry
from omnihuman.training.teacher.take import Style, teach
from omnihuman.types import Float

FADE_S = 0.3
"""Time in which a person changes over to what was asked."""
_WARM_UP_S = 4.0
"""Movements that went on before the take began are followed from this long before."""
_WAVER = 0.10
"""Held levels waver by this share."""


@dataclass(frozen=True)
class Direction:
    """What is asked for during a stretch of the take.

    Attributes:
        styles: Entries that hold together; none = as usual.
        strength: 1 = plainly.
        start_s: Beginning; -inf = long before the take.
        end_s: End.
    """

    styles: tuple[StyleEntry, ...]
    strength: float = 1.0
    start_s: float = -math.inf
    end_s: float = math.inf

    def share(self, times_s: Float) -> Float:
        """How far it holds at each time, 0..1, same length; fades begin at its border."""
        risen = np.clip((times_s - self.start_s) / FADE_S, 0.0, 1.0)
        fallen = np.clip((times_s - self.end_s) / FADE_S, 0.0, 1.0)
        share: Float = (_soft(risen) - _soft(fallen)).astype(np.float32)
        return share


def direct(
    phones: Sequence[TimedPhone],
    duration_s: float,
    reference: Float,
    style: Style,
    directions: Sequence[Direction],
    rng: np.random.Generator,
    loudness: Loudness | None = None,
) -> Float:
    """One take that follows directions.

    Args:
        phones: As `teach` takes them.
        duration_s: Length of the take in seconds.
        reference: `R`; what the picture does not show is not moved.
        style: The person's own manner, which directions change.
        directions: In order, none beginning before the last one ended.
        rng: Source of chance. The same state gives the same lips and the same drift under any directions.
        loudness: As `teach` takes it.

    Returns:
        `T P` float32 within the limits of the parameter table.
    """
    seed = int(rng.integers(2**63))

    def take(manner: Style) -> Float:
        return teach(phones, duration_s, reference, manner, np.random.default_rng(seed), loudness)

    usual = take(style)
    times_s = frame_times_s(len(usual))
    directed = usual.copy()
    for number, direction in enumerate(directions):
        manner = style
        for entry in direction.styles:
            manner = entry.mannered(manner, direction.strength)
        own_rng = np.random.default_rng([seed, number])
        changed = _added(direction, times_s, own_rng) * _shown(reference)
        if manner != style:
            changed = changed + (take(manner) - usual)
        directed += direction.share(times_s)[:, None] * changed
    limited: Float = np.clip(directed, LOW, HIGH)
    return limited


def _soft(share: Float) -> Float:
    """Smooth step of 0..1."""
    return share * share * (3.0 - 2.0 * share)


def _shown(reference: Float) -> Float:
    """`P` factors: torso, arms and hands where the picture shows them; a turned or large head has less room."""
    room = 1.0 - 0.3 * min(1.0, float(np.abs(reference[:2]).max()))
    torso, left, right = (float(np.clip(value, 0.0, 1.0)) for value in reference[4:7])
    shown = np.ones(NUM_PARAMETERS, np.float32)
    for i, parameter in enumerate(PARAMETERS):
        if parameter.group == "head":
            shown[i] = room
        elif parameter.group == "torso":
            shown[i] = torso
        elif parameter.group in ("arms", "hands"):
            shown[i] = left if parameter.name.endswith("_l") else right
    return shown


def _added(direction: Direction, times_s: Float, rng: np.random.Generator) -> Float:
    """Held levels and repeated movements of a direction at full strength, `T P`."""
    added = np.zeros((len(times_s), NUM_PARAMETERS), np.float32)
    for entry in direction.styles:
        strength = direction.strength * rng.uniform(0.88, 1.12)
        if entry.holds:
            columns = [INDEX[name] for name in entry.holds]
            wavering = 1.0 + drift(len(times_s), (_WAVER,), 0.8, rng)
            added[:, columns] += strength * wavering * np.array(list(entry.holds.values()), np.float32)
        for cycle in entry.cycles:
            # A movement that is asked for begins at once; one that went on before is somewhere on its way.
            begin_s = direction.start_s if math.isfinite(direction.start_s) else -_WARM_UP_S * rng.uniform(0.5, 1.0)
            moved = _repeated(cycle, times_s, begin_s, rng)
            columns = [INDEX[name] for name in cycle.parameters]
            added[:, columns] += strength * np.outer(moved, list(cycle.parameters.values())).astype(np.float32)
            # Moving the head, people keep their eyes where they were.
            added[:, INDEX["gaze_x"]] -= strength * 0.018 * cycle.parameters.get("head_yaw_deg", 0.0) * moved
            added[:, INDEX["gaze_y"]] -= strength * 0.030 * cycle.parameters.get("head_pitch_deg", 0.0) * moved
    return added


def _repeated(cycle: Cycle, times_s: Float, begin_s: float, rng: np.random.Generator) -> Float:
    """Bursts of a movement `T`, heights about 1, from `begin_s` on."""
    moved = np.zeros(len(times_s), np.float32)
    at = begin_s
    while at < times_s[-1]:
        sign = 1.0 if cycle.shape == "bump" or rng.random() < 0.5 else -1.0
        for _ in range(int(rng.integers(cycle.times[0], cycle.times[1] + 1))):
            length_s, height = rng.uniform(*cycle.every_s), sign * rng.uniform(0.8, 1.15)
            first, last = np.searchsorted(times_s, (at, at + length_s))
            phase = 2.0 * np.pi * (times_s[first:last] - at) / length_s
            moved[first:last] = height * (0.5 - 0.5 * np.cos(phase) if cycle.shape == "bump" else np.sin(phase))
            at += length_s
        at += rng.uniform(*cycle.pause_s)
    return moved
