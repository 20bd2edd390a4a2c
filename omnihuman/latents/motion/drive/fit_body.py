"""A driver's joints -> torso, arms and hands of the motion space, relative to the driver's own neutral.

Angles are those of the picture's plane; a limb that points at the camera is short, tells nothing and is masked. Breath
is too small to be seen. Legend: N frames, T latents, P parameters; sides left, right.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.drive.body_signal import BodySignal
from omnihuman.latents.motion.drive.timeline import Clock, soft_limited
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.types import Float

_OUTWARD = np.array([-1.0, 1.0])
"""Angles grow clockwise in the image; + of the table takes a hanging arm outwards: counter-clockwise for the left."""
_TORSO_SIGMA_S, _ARM_SIGMA_S, _HAND_SIGMA_S = 0.10, 0.05, 0.06
_MIN_LENGTH_SHARE = 0.35
"""A limb shorter than this share of its usual length points at the camera."""
_SHOULDERS_ALONE_LEAN = 0.5
"""Without hips the tilt of the shoulders stands for the lean, by this share."""
_SHRUG_SW, _SHRUG_DEAD = 0.10, 0.25
_SPREAD_DEG = 12.0
_CURL_RATIO = 0.9
_FINGER_ROOTS, _FINGER_TIPS = (5, 9, 13, 17), (8, 12, 16, 20)
_MIDDLE_ROOT = 9


@dataclass(frozen=True)
class BodyFit:
    """Parameters on the clock.

    Attributes:
        values: `T P`, within the table's range; 0 in the columns of other groups.
        mask: `T P` 1 where they were seen.
        carried: `T 2` how far the shoulders carry the head, in shoulder widths; 0 where that is not known.
        width_px: Usual distance between the shoulders.
    """

    values: NDArray[np.float64]
    mask: NDArray[np.float64]
    carried: NDArray[np.float64]
    width_px: float


@dataclass(frozen=True)
class ArmRest:
    """How a pictured arm lies, and how far it may go.

    Attributes:
        angles_deg: By parameter (without side): of the upper arm, of the forearm against it; clockwise in the image.
        limits: By parameter (without side): least and greatest value that the picture can show.
    """

    angles_deg: dict[str, float]
    limits: dict[str, tuple[float, float]]


def arm_rests(reference: MotionReference) -> dict[str, ArmRest]:
    """The movable arms of a picture, by side."""
    found = {}
    for layer in reference.arms.movable:
        rays = np.diff(layer.pivots.astype(np.float64), axis=0)
        upper, fore = np.degrees(np.arctan2(rays[:, 1], rays[:, 0]))
        angles = {"arm_shoulder_deg": float(upper), "arm_elbow_deg": float(fore - upper)}
        found[layer.side] = ArmRest(angles, dict(layer.gate.limits))
    return found


def fit_body(signal: BodySignal, clock: Clock, rests: dict[str, ArmRest]) -> BodyFit:
    """Parameters at the clock's wanted times, for a picture whose arms lie as `rests` says."""
    fit = _Columns(clock)
    shoulders_seen = np.asarray(signal.seen["shoulders"].all(1), bool)
    across = signal.shoulders[:, 0] - signal.shoulders[:, 1]
    width = float(np.median(np.linalg.norm(across[shoulders_seen], axis=1))) if shoulders_seen.any() else 1.0
    width = max(width, 1.0)
    carried = _fit_torso(fit, signal, across, width, shoulders_seen)
    _fit_shrug(fit, signal, width)
    _fit_arms(fit, signal, rests)
    _fit_hands(fit, signal)
    return BodyFit(np.clip(fit.values, LOW, HIGH), fit.mask, carried, width)


class _Columns:
    """Collects parameters with their masks."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.values = np.zeros((len(clock.wanted_s), NUM_PARAMETERS))
        self.mask = np.zeros_like(self.values)

    def put(self, name: str, rows: Float, seen: NDArray[np.bool_], sigma_s: float, centred: bool = True) -> None:
        """One signal `N` against its median over the seen frames, limited softly to the table's range."""
        neutral = float(np.median(rows[seen])) if centred and seen.any() else 0.0
        limit = float(HIGH[INDEX[name]])
        self.put_within(name, rows - neutral, seen, sigma_s, (-limit, limit))

    def put_within(
        self, name: str, rows: Float, seen: NDArray[np.bool_], sigma_s: float, limits: tuple[float, float]
    ) -> None:
        """One signal `N` as it is, either way limited softly."""
        if seen.sum() < 2:
            return
        column = self.clock.smooth(rows[:, None], seen, sigma_s)[:, 0]
        low, high = limits
        up, down = (
            soft_limited(np.maximum(column, 0), max(high, 0.0)),
            soft_limited(np.maximum(-column, 0), max(-low, 0.0)),
        )
        self.values[:, INDEX[name]] = up - down
        self.mask[:, INDEX[name]] = self.clock.seen(seen)


def _fit_torso(
    fit: _Columns, signal: BodySignal, across: Float, width: float, seen: NDArray[np.bool_]
) -> NDArray[np.float64]:
    middle = signal.shoulders.mean(1) / width
    for name, column in (("sway_x", 0), ("sway_y", 1)):
        fit.put(name, middle[:, column], seen, _TORSO_SIGMA_S)
    hips_seen = signal.seen["hips"].all(1) & seen
    if hips_seen.mean() > 0.8 * seen.mean() > 0:
        spine = signal.shoulders.mean(1) - signal.hips.mean(1)
        fit.put("lean_deg", np.degrees(np.arctan2(spine[:, 0], -spine[:, 1])), hips_seen, _TORSO_SIGMA_S)
    else:
        tilt = np.degrees(np.arctan2(across[:, 1], across[:, 0]))
        fit.put("lean_deg", _SHOULDERS_ALONE_LEAN * _unwrapped(tilt, seen)[0], seen, _TORSO_SIGMA_S)
    turned_seen = seen & np.isfinite(signal.depth)
    turn = np.degrees(np.arctan2(np.nan_to_num(signal.depth), np.abs(across[:, 0]) + 1e-6))
    # Who turns the left shoulder towards the viewer faces the picture's left.
    fit.put("twist_deg", -turn, turned_seen, _TORSO_SIGMA_S)
    if seen.sum() < 2:
        return np.zeros((len(fit.values), 2))
    moved = fit.clock.smooth(middle - np.median(middle[seen], 0), seen, _TORSO_SIGMA_S)
    return moved * fit.clock.seen(seen)[:, None]


def _fit_shrug(fit: _Columns, signal: BodySignal, width: float) -> None:
    """A shoulder that comes nearer to the ears, along the picture's height."""
    ears = signal.ears[..., 1].mean(1)
    for k, side in enumerate("lr"):
        seen = signal.seen["shoulders"][:, k] & signal.seen["ears"].all(1)
        if seen.sum() < 2:
            continue
        drop = (signal.shoulders[:, k, 1] - ears) / width
        lift = (np.median(drop[seen]) - drop) / _SHRUG_SW
        fit.put(f"shrug_{side}", np.maximum(lift - _SHRUG_DEAD, 0.0), seen, _TORSO_SIGMA_S, centred=False)


def _fit_arms(fit: _Columns, signal: BodySignal, rests: dict[str, ArmRest]) -> None:
    """Turns of upper arm, forearm and hand about the joint nearer to the body, against the part that carries each."""
    for k, side in enumerate("lr"):
        shoulder_seen, elbow_seen, wrist_seen = (signal.seen[name][:, k] for name in ("shoulders", "elbows", "wrists"))
        upper, upper_seen = _limb(signal.shoulders[:, k], signal.elbows[:, k], shoulder_seen & elbow_seen)
        fore, fore_seen = _limb(signal.elbows[:, k], signal.wrists[:, k], elbow_seen & wrist_seen)
        hand, hand_seen = _limb(signal.hands[:, k, 0], signal.hands[:, k, _MIDDLE_ROOT], signal.hands_seen[:, k])
        hand_seen = hand_seen & fore_seen
        joints = {
            "arm_shoulder_deg": (upper, upper_seen, _ARM_SIGMA_S),
            "arm_elbow_deg": (fore - upper, upper_seen & fore_seen, _ARM_SIGMA_S),
            "arm_wrist_deg": (hand - fore, hand_seen, _HAND_SIGMA_S),
        }
        for name, (angle, seen, sigma_s) in joints.items():
            _fit_joint(fit, f"{name}_{side}", (angle, seen, sigma_s), _OUTWARD[k], rests.get(side))


def _fit_joint(
    fit: _Columns, name: str, measured: tuple[Float, NDArray[np.bool_], float], sign: float, rest: ArmRest | None
) -> None:
    """One joint, against that pose of the driver's which comes nearest to the picture's.

    A driver who gestures with raised forearms must not push a hanging arm into the body whenever they sink: what the
    picture shows is the nearest end of the driver's range, and all motion goes from there.
    """
    angle, seen, sigma_s = measured
    if not seen.any():
        return
    joint = name[:-2]
    rows, middle = _unwrapped(angle, seen)
    limit = float(HIGH[INDEX[name]])
    neutral, limits = 0.0, (-limit, limit)
    if rest is not None:
        limits = rest.limits.get(joint, limits)
        if joint in rest.angles_deg:
            low, high = np.percentile(rows[seen], (10, 90))
            neutral = float(np.clip((rest.angles_deg[joint] - middle + 180.0) % 360.0 - 180.0, low, high))
    fit.put_within(name, sign * (rows - neutral), seen, sigma_s, limits)


def _fit_hands(fit: _Columns, signal: BodySignal) -> None:
    """Fan of the fingers, and how short they are against the palm."""
    for k, side in enumerate("lr"):
        hand, seen = signal.hands[:, k], signal.hands_seen[:, k]
        if seen.sum() < 2:
            continue
        roots, tips = hand[:, list(_FINGER_ROOTS)], hand[:, list(_FINGER_TIPS)]
        rays = tips - roots
        angles = np.degrees(np.arctan2(rays[..., 1], rays[..., 0]))
        fan = np.abs((np.diff(angles, axis=1) + 180.0) % 360.0 - 180.0).mean(1)
        palm = np.maximum(np.linalg.norm(roots.mean(1) - hand[:, 0], axis=1), 1e-6)
        length = np.linalg.norm(rays, axis=2).mean(1) / palm
        straight = float(np.percentile(length[seen], 85))
        fit.put(f"finger_spread_{side}", np.clip(fan, 0, 45) / _SPREAD_DEG, seen, _HAND_SIGMA_S)
        curl = np.maximum(straight - length, 0.0) / _CURL_RATIO
        fit.put(f"finger_curl_{side}", curl, seen, _HAND_SIGMA_S, centred=False)


def _limb(start: Float, end: Float, seen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Angle `N` of a limb, degrees clockwise from the picture's right, and where it is seen and long enough to tell."""
    ray = end - start
    length = np.linalg.norm(ray, axis=1)
    # Joints that are not seen may lie anywhere: they say nothing of the limb's usual length.
    usual = float(np.percentile(length[seen], 75)) if seen.any() else 0.0
    return np.degrees(np.arctan2(ray[:, 1], ray[:, 0])), seen & (length > _MIN_LENGTH_SHARE * max(usual, 1e-6))


def _unwrapped(angle_deg: Float, seen: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    """Angles within half a turn of their circular median over the seen frames, against it; and the median."""
    if not seen.any():
        return np.zeros(len(angle_deg)), 0.0
    turns = np.exp(1j * np.radians(angle_deg[seen]))
    mean = float(np.degrees(np.angle(turns.mean())))
    about_mean = (angle_deg - mean + 180.0) % 360.0 - 180.0
    middle = float(np.median(about_mean[seen]))
    return np.asarray((about_mean - middle + 180.0) % 360.0 - 180.0), mean + middle
