"""A driver's face signal -> facial parameters of a picture.

Lips and brows by box-constrained least squares on the picture's own shape basis, lids and gaze by direct measures, head
by its angles. All relative to the driver's own neutral, so identity does not transfer. Time is `timeline.py`.
Legend: N frames, K landmarks, S shapes, P parameters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.drive.face_signal import FaceSignal
from omnihuman.latents.motion.drive.timeline import Clock, soft_limited
from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.eyes import GAZE_IOD
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.types import Float

_FITTED = (
    "jaw_open", "pucker", "funnel", "smile_l", "smile_r", "stretch_l", "stretch_r", "frown_l", "frown_r",
    "upper_lip_raise", "lower_lip_down", "mouth_x",
    "brow_inner_up", "brow_outer_up_l", "brow_outer_up_r", "brow_down_l", "brow_down_r",
)  # fmt: skip
_SHIFT_SHARE = 0.6
"""A driver moves further in the frame than a warped picture should."""
_RIDGE, _SWEEPS = 0.004, 60
_CHIN_SHARE, _CHIN_DROP_IOD, _GAP_SHARE, _GAP_FULL_IOD = 0.85, 0.30, 0.75, 0.33
_SEALED_IOD, _SEAL_RAMP_IOD = 0.015, 0.04
_LID_SHARE = (0.30, 0.48, 0.56, 0.63, 0.70, 0.75, 0.82, 0.88, 0.94, 1.06, 1.25)
_BLINK = (1.0, 1.0, 0.90, 0.72, 0.56, 0.48, 0.34, 0.18, 0.0, 0.0, -0.15)
"""Lid distance over the open eye's, as the mesh reads it, and the blink that it means: the mesh hardly reacts to the
first half of the way (rendered blinks of five photographs)."""
_ANGLES = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg")
_PLACE = ("head_x", "head_y", "head_scale")

HEAD_SIGMA_S, SKIN_SIGMA_S, GAZE_SIGMA_S, WINK_SIGMA_S = 0.024, 0.018, 0.03, 0.10
_LID_CLOSE_S, _LID_HOLD_S = 0.07, 0.03


@dataclass(frozen=True)
class FaceFit:
    """Facial parameters on the clock.

    Attributes:
        values: `T P`, within the table's range; 0 in the columns of other groups.
        place: `T 3` of the head in the frame against its median, IOD, IOD and logarithm of the size.
        iod_px: Of the driver.
    """

    values: NDArray[np.float64]
    place: NDArray[np.float64]
    iod_px: float


def fit_face(signal: FaceSignal, seen: NDArray[np.bool_], clock: Clock, reference: MotionReference) -> FaceFit:
    """Parameters at the clock's wanted times.

    Args:
        signal: Of the seen frames only.
        seen: `N` of the clock, which frames those are.
        clock: Of all frames.
        reference: Whose shape basis is used.
    """
    values = np.zeros((len(clock.wanted_s), NUM_PARAMETERS))

    def spread(rows: Float) -> Float:
        full = np.zeros((len(seen), rows.shape[1]))
        full[seen] = rows
        return full

    columns = [INDEX[name] for name in _FITTED]
    values[:, columns] = clock.smooth(spread(skin_parameters(signal, reference)), seen, SKIN_SIGMA_S)
    seal = 1 - smoothstep((signal.gap - _SEALED_IOD) / _SEAL_RAMP_IOD)
    values[:, INDEX["seal"]] = clock.smooth(spread(seal[:, None]), seen, SKIN_SIGMA_S)[:, 0]
    blink = blinks(signal.lids)
    both = clock.hold(spread(blink.mean(1, keepdims=True)), seen, _LID_CLOSE_S, _LID_HOLD_S)
    apart = clock.smooth(spread(blink - blink.mean(1, keepdims=True)), seen, WINK_SIGMA_S)
    lids = [INDEX["blink_l"], INDEX["blink_r"]]
    values[:, lids] = both + apart
    if signal.gaze is not None:
        gaze = (signal.gaze - np.median(signal.gaze, 0)) / GAZE_IOD
        lids_open = 1 - np.clip(blink.max(1, keepdims=True) / 0.6, 0, 1)
        values[:, [INDEX["gaze_x"], INDEX["gaze_y"]]] = clock.smooth(spread(gaze * lids_open), seen, GAZE_SIGMA_S)
    angles = clock.smooth(spread(signal.angles_deg), seen, HEAD_SIGMA_S)
    place = clock.smooth(spread(signal.place), seen, HEAD_SIGMA_S)
    for name, column in zip(_ANGLES, (angles - np.median(signal.angles_deg, 0)).T, strict=True):
        values[:, INDEX[name]] = soft_limited(column, float(HIGH[INDEX[name]]))
    return FaceFit(np.clip(values, LOW, HIGH), place - np.median(signal.place, 0), signal.iod_px)


def fit_head(angles_deg: Float, place: Float, iod_px: float, seen: NDArray[np.bool_], clock: Clock) -> FaceFit:
    """The head alone, where nothing of the face is known but its turn; arguments as the fields of `FaceSignal`."""
    values = np.zeros((len(clock.wanted_s), NUM_PARAMETERS))
    angles = clock.smooth(angles_deg - np.median(angles_deg[seen], 0), seen, 2 * HEAD_SIGMA_S)
    for name, column in zip(_ANGLES, angles.T, strict=True):
        values[:, INDEX[name]] = soft_limited(column, float(HIGH[INDEX[name]]))
    where = clock.smooth(place - np.median(place[seen], 0), seen, 2 * HEAD_SIGMA_S)
    return FaceFit(np.clip(values, LOW, HIGH), where, iod_px)


def put_head_place(fit: FaceFit, carried_px: Float) -> None:
    """Fills `fit`'s head_x, head_y and head_scale: what moves the head beyond `T 2` pixels by which the torso does."""
    shift = _SHIFT_SHARE * (fit.place[:, :2] - carried_px / fit.iod_px)
    for name, column in zip(_PLACE, (*shift.T, np.expm1(fit.place[:, 2])), strict=True):
        fit.values[:, INDEX[name]] = soft_limited(column, float(HIGH[INDEX[name]]))


def skin_parameters(signal: FaceSignal, reference: MotionReference) -> NDArray[np.float64]:
    """Lips and brows, `N` x the fitted parameters."""
    basis, own = reference.rig.basis, reference.rig.frame
    used = [basis.names.index(name) for name in _FITTED]
    shapes = basis.shapes[used][:, list(signal.numbers)] @ own.axes / own.iod_px
    design = (shapes * signal.weight).reshape(len(used), -1).T
    targets = (signal.moved * signal.weight).reshape(len(signal.moved), -1)
    chin = np.maximum(0.0, signal.moved[:, signal.numbers.index(topo.CHIN), 1])
    jaw = np.maximum(_CHIN_SHARE * chin / _CHIN_DROP_IOD, _GAP_SHARE * signal.opened / _GAP_FULL_IOD)
    columns = [INDEX[name] for name in _FITTED]
    low, high = LOW[columns].astype(np.float64), HIGH[columns].astype(np.float64)
    start = np.zeros((len(targets), len(used)))
    start[:, 0] = np.clip(jaw, low[0], high[0])
    return box_least_squares(design, targets, low, high, start, held=1)


def blinks(lids: Float) -> NDArray[np.float64]:
    """How far the lids are closed, `N 2`, from lid distances; 1 = shut, below 0 = wider than usual."""
    usual = np.maximum(np.percentile(lids, 75, axis=0), 1e-3)
    return np.asarray(np.interp(lids / usual, _LID_SHARE, _BLINK))


def box_least_squares(
    design: Float, targets: Float, low: Float, high: Float, start: Float, held: int = 0
) -> NDArray[np.float64]:
    """Ridge least squares within a box, for many right-hand sides at once, by coordinate descent.

    Args:
        design: `M K`.
        targets: `T M`.
        low: `K` lower bounds.
        high: `K` upper bounds.
        start: `T K` first guess.
        held: The first so many unknowns keep their start values.

    Returns:
        `T K` solution.
    """
    gram = design.T @ design
    gram += _RIDGE * np.trace(gram) / len(gram) * np.eye(len(gram))
    right = targets @ design
    x = np.array(start, np.float64)
    for _ in range(_SWEEPS):
        for k in range(held, x.shape[1]):
            step = (right[:, k] - x @ gram[:, k]) / gram[k, k]
            x[:, k] = np.clip(x[:, k] + step, low[k], high[k])
    return x
