"""Video -> motion parameters, fitted to tracked landmarks.

Head by a rigid fit, lips and brows by box-constrained least squares on the shape basis, lids and gaze by direct
measures. All relative to the driver's own neutral frame, so identity does not transfer.

Only what a face tracker sees is fitted; torso and arms stay at rest.
Legend: T frames of the video, K shapes, N landmarks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from omnihuman.errors import InputError
from omnihuman.latents.motion import topology as topo
from omnihuman.latents.motion.body import smoothstep
from omnihuman.latents.motion.depth import HeadFrame, head_frame
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.perception.face_geometry import similarity
from omnihuman.types import Float, LatentSpec

if TYPE_CHECKING:
    from omnihuman.perception.face import FaceLandmarks

_FITTED = (
    "jaw_open", "pucker", "funnel", "smile_l", "smile_r", "stretch_l", "stretch_r", "frown_l", "frown_r",
    "upper_lip_raise", "lower_lip_down", "mouth_x",
    "brow_inner_up", "brow_outer_up_l", "brow_outer_up_r", "brow_down_l", "brow_down_r",
)  # fmt: skip
_SHIFT_SHARE = 0.6
"""A driver moves further in the frame than a warped picture should."""
_RIDGE, _SWEEPS, _DEPTH_WEIGHT = 0.004, 60, 0.15
_CHIN_SHARE, _CHIN_DROP_IOD, _GAP_SHARE, _GAP_FULL_IOD = 0.85, 0.30, 0.75, 0.33
_SEALED_IOD, _SEAL_RAMP_IOD = 0.015, 0.04
_SHUT_SHARE = 0.28
"""Lid distance of a shut eye over that of the same eye open, as trackers report it."""
_GAZE_IOD = (0.10, 0.06)


@dataclass(frozen=True)
class Track:
    """Landmarks over time.

    Attributes:
        points: `T 478 3` pixels; frames without a face repeat their neighbours.
        seen: `T` whether a face was found.
    """

    points: Float
    seen: NDArray[np.bool_]


def fit_clip(faces: Iterable[FaceLandmarks | None], fps: float, reference: MotionReference, spec: LatentSpec) -> Float:
    """Parameters `T P` at the space's frame rate.

    Args:
        faces: One entry per frame of the video.
        fps: Of the video.
        reference: Whose shape basis is used.
        spec: Of the space.

    Raises:
        InputError: `face_not_found` when no frame shows a face.
    """
    track = collect(faces)
    parameters = fit_track(track, reference)
    count = spec.num_frames(len(parameters) / fps)
    times = spec.times_s(count) * fps - 0.5
    frames = np.arange(len(parameters))
    resampled = np.stack([np.interp(times, frames, column) for column in parameters.T], 1)
    return np.clip(resampled, LOW, HIGH).astype(np.float32)


def collect(faces: Iterable[FaceLandmarks | None]) -> Track:
    """Gathers a tracker's answers; gaps are bridged linearly."""
    found = [None if face is None else face.points for face in faces]
    seen = np.array([points is not None for points in found])
    if not seen.any():
        raise InputError(
            "face_not_found",
            "no frame of the driving video shows a face",
            "Use a video in which one face is seen from the front.",
        )
    known = np.stack([points for points in found if points is not None]).astype(np.float64)
    frames = np.arange(len(found))
    right = np.clip(np.searchsorted(np.flatnonzero(seen), frames), 0, len(known) - 1)
    left = np.maximum(right - (np.flatnonzero(seen)[right] > frames), 0)
    start, end = np.flatnonzero(seen)[left], np.flatnonzero(seen)[right]
    mix = np.clip((frames - start) / np.maximum(end - start, 1), 0.0, 1.0)[:, None, None]
    return Track(((1 - mix) * known[left] + mix * known[right]).astype(np.float32), seen)


def fit_track(track: Track, reference: MotionReference) -> Float:
    """Parameters `T P`, one row per frame of the track, within the table's range."""
    neutral = track.points[neutral_frame(track)]
    frame = head_frame(neutral)
    head, still = _head_motion(track.points, neutral, frame)
    values = np.zeros((len(track.points), NUM_PARAMETERS))
    for name, column in head.items():
        values[:, INDEX[name]] = column
    _fit_face(values, still, neutral, frame, reference)
    _measure_eyes(values, still, frame)
    padded = np.pad(values, ((1, 1), (0, 0)), mode="edge")
    smooth = 0.25 * padded[:-2] + 0.5 * padded[1:-1] + 0.25 * padded[2:]
    return np.clip(smooth, LOW, HIGH).astype(np.float32)


def neutral_frame(track: Track) -> int:
    """Number of the frame with the lips closest together and the eyes open."""
    gap = _distance(track.points, topo.UPPER_INNER, topo.LOWER_INNER)
    eyes = sum(_distance(track.points, topo.UPPER_LID[s], topo.LOWER_LID[s]) for s in "rl")
    shut = eyes < 0.75 * np.median(eyes)
    score = gap + 10.0 * shut + 10.0 * ~track.seen
    return int(np.argmin(score))


def _distance(points: Float, upper: tuple[int, ...], lower: tuple[int, ...]) -> Float:
    iod = np.linalg.norm(points[:, topo.EYE_OUTER_R] - points[:, topo.EYE_OUTER_L], axis=1)
    apart = np.linalg.norm(points[:, list(upper)] - points[:, list(lower)], axis=2).mean(1)
    return np.asarray(apart / iod)


def _head_motion(points: Float, neutral: Float, frame: HeadFrame) -> tuple[dict[str, Float], Float]:
    """Head parameters per frame about the driver's median pose, and the landmarks with that motion taken out."""
    stable = list(topo.STABLE)
    rows, still = [], []
    for now in points:
        scale, rotation, shift = similarity(neutral[stable], now[stable])
        moved = scale * rotation @ frame.pivot + shift - frame.pivot
        yaw = np.degrees(np.arcsin(np.clip(-rotation[2, 0], -1, 1)))
        pitch = np.degrees(np.arctan2(-rotation[2, 1], rotation[2, 2]))
        roll = np.degrees(np.arctan2(rotation[1, 0], rotation[0, 0]))
        rows.append([yaw, pitch, roll, *(_SHIFT_SHARE * moved[:2] / frame.iod_px), np.log(scale)])
        still.append((now - shift) @ rotation / scale)
    table = np.array(rows)
    table -= np.median(table, 0)
    table[:, 5] = np.exp(table[:, 5]) - 1
    names = ("head_yaw_deg", "head_pitch_deg", "head_roll_deg", "head_x", "head_y", "head_scale")
    return {name: table[:, k] for k, name in enumerate(names)}, np.array(still)


def _fit_face(values: Float, still: Float, neutral: Float, frame: HeadFrame, reference: MotionReference) -> None:
    """Lips and brows, in place."""
    basis, own = reference.rig.basis, reference.rig.frame
    used = [basis.names.index(name) for name in _FITTED]
    shapes = basis.shapes[used, : topo.NUM_LANDMARKS] @ own.axes / own.iod_px
    residual = (still[:, : topo.NUM_LANDMARKS] - neutral[: topo.NUM_LANDMARKS]) @ frame.axes / frame.iod_px
    weight = _landmark_weights()
    design = (shapes * weight).reshape(len(used), -1).T
    targets = (residual * weight).reshape(len(residual), -1)
    chin = np.maximum(0.0, residual[:, topo.CHIN, 1])
    gap = _distance(still, topo.UPPER_INNER, topo.LOWER_INNER)
    opened = np.maximum(0.0, gap - _distance(neutral[None], topo.UPPER_INNER, topo.LOWER_INNER))
    jaw = np.maximum(_CHIN_SHARE * chin / _CHIN_DROP_IOD, _GAP_SHARE * opened / _GAP_FULL_IOD)
    columns = [INDEX[name] for name in _FITTED]
    low, high = LOW[columns].astype(np.float64), HIGH[columns].astype(np.float64)
    start = np.zeros((len(still), len(used)))
    start[:, 0] = np.clip(jaw, low[0], high[0])
    values[:, columns] = box_least_squares(design, targets, low, high, start, held=1)
    values[:, INDEX["seal"]] = 1 - smoothstep((gap - _SEALED_IOD) / _SEAL_RAMP_IOD)


def _landmark_weights() -> Float:
    """Weights `468 3` of landmarks and axes: lips most, then brows; depth is what the tracker knows least."""
    weight = np.full((topo.NUM_LANDMARKS, 1), 0.3)
    lips = sorted({i for rows in (topo.UPPER_LIP_ROWS, topo.LOWER_LIP_ROWS) for row in rows for i in row})
    weight[lips] = 4.0
    brows = [i for rows in (topo.BROW_UPPER, topo.BROW_LOWER) for side in "rl" for i in rows[side]]
    weight[brows] = 2.0
    weight[list(topo.CHIN_LINE)] = 1.5
    return np.asarray(weight * [1.0, 1.0, _DEPTH_WEIGHT])


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


def _measure_eyes(values: Float, still: Float, frame: HeadFrame) -> None:
    """Lids and gaze, in place: lid distance over this driver's open eye, iris against the lid corners."""
    gaze = np.zeros((len(still), 2))
    for side in "rl":
        aperture = _distance(still, topo.UPPER_LID[side], topo.LOWER_LID[side])
        opened = max(float(np.percentile(aperture, 75)), 1e-3)
        blink = (1 - aperture / opened) / (1 - _SHUT_SHARE)
        # Small changes are the tracker's noise or the gaze, not the lids.
        values[:, INDEX[f"blink_{side}"]] = np.where(blink > 0, np.maximum(0.0, blink - 0.06) / 0.94, 0.0)
        corners = still[:, list(topo.LID_CORNERS[side])].mean(1)
        gaze += (still[:, topo.IRIS[side][0]] - corners)[:, :3] @ frame.axes[:, :2] / frame.iod_px / 2
    gaze -= np.median(gaze, 0)
    lids_open = 1 - np.clip(values[:, [INDEX["blink_l"], INDEX["blink_r"]]].max(1) / 0.5, 0, 1)
    values[:, INDEX["gaze_x"]] = gaze[:, 0] / _GAZE_IOD[0] * lids_open
    values[:, INDEX["gaze_y"]] = gaze[:, 1] / _GAZE_IOD[1] * lids_open
