"""One person over time -> a pose track of the motion space: parameters with a mask per group and frame.

Everything is relative to the driver's own neutral, so that neither identity nor framing transfers; after a cut the
driver is a new one. Legend: N frames of the driver, T latents, P parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from omnihuman.errors import InputError
from omnihuman.latents.motion.drive.body_signal import MIN_CONFIDENCE, keypoint_signal, person_signal
from omnihuman.latents.motion.drive.face_points import head_only, points_signal
from omnihuman.latents.motion.drive.face_signal import mesh_signal
from omnihuman.latents.motion.drive.fit import FaceFit, fit_face, fit_head, put_head_place
from omnihuman.latents.motion.drive.fit_body import arm_rests, fit_body
from omnihuman.latents.motion.drive.timeline import Clock
from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS, SCALE, group_indices
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.perception.keypoints import EYE_L, EYE_R, FACE, HEAD_POINTS, KeypointTrack
from omnihuman.perception.person import PersonTrack
from omnihuman.types import ConditionTrack, Float, LatentSpec

if TYPE_CHECKING:
    from omnihuman.perception.face import FaceLandmarks

Driver = PersonTrack | KeypointTrack
FACE_GROUPS = ("mouth", "brows", "eyes", "gaze", "head")
_CUT_IOD, _CUT_SIZE = 0.9, 0.25
"""A face that jumps so far (IOD) or so much in size between two frames has been cut to."""
_EYES_IOD = 1.6
"""Distance between the outer eye corners over that between the pupils."""
_CUT_MARGIN_S = 0.12
_SHORTEST_SHOT_S = 0.4


def follow(person: Driver, reference: MotionReference, spec: LatentSpec, lips: bool) -> ConditionTrack:
    """The pose track of a driver for one picture.

    Args:
        person: What was seen of the driver.
        reference: The picture that will move.
        spec: Of the space.
        lips: Whether the mouth follows, too; not where speech moves it.

    Returns:
        Kind `pose`: normalised parameters and mask, both ``T P``, at the space's own times.
    """
    times_s = np.asarray(person.times_s, np.float64)
    # Times are float32: a rounding error must not make a frame.
    num_frames = spec.num_frames(times_s[-1] + Clock(times_s, times_s).step_s / 2 - 1e-4)
    wanted_s = np.asarray(spec.times_s(spec.num_latents(num_frames)), np.float64)
    values = np.zeros((len(wanted_s), NUM_PARAMETERS))
    mask = np.zeros_like(values)
    for shot, inside in shots(times_s, cuts(person), wanted_s):
        part = Clock(times_s[shot], wanted_s[inside])
        values[inside], mask[inside] = _fit_shot(part_of(person, shot), part, reference)
    if not lips:
        mask[:, group_indices("mouth")] = 0
    track = np.clip(values, LOW, HIGH) / SCALE * mask
    return ConditionTrack("pose", track.astype(np.float32), wanted_s.astype(np.float32), mask.astype(np.float32))


def _fit_shot(person: Driver, clock: Clock, reference: MotionReference) -> tuple[Float, Float]:
    """Values and mask, both `T P`, of a stretch without a cut."""
    joints = person_signal(person) if isinstance(person, PersonTrack) else keypoint_signal(person)
    body = fit_body(joints, clock, arm_rests(reference))
    values, mask = body.values, body.mask
    face, seen, groups = _fit_face_of(person, clock, reference)
    if face is not None:
        # In the picture the head rides on the torso, as far as the torso can be shown.
        shown = reference.rig.body.gain
        put_head_place(face, shown * body.carried * body.width_px)
        face.values[:, INDEX["head_roll_deg"]] -= shown * body.values[:, INDEX["lean_deg"]]
        columns = [column for group in groups for column in group_indices(group)]
        values[:, columns] = face.values[:, columns]
        mask[:, columns] = clock.seen(seen)[:, None]
        # A dreamt lean would tilt a head whose roll is known: where no shoulders are seen, all roll is the head's.
        mask[:, INDEX["lean_deg"]] = np.maximum(mask[:, INDEX["lean_deg"]], clock.seen(seen))
    return values, mask


def _fit_face_of(
    person: Driver, clock: Clock, reference: MotionReference
) -> tuple[FaceFit | None, NDArray[np.bool_], tuple[str, ...]]:
    """The face as far as it is known, in which frames, and which groups that tells."""
    if isinstance(person, PersonTrack):
        seen = person.face_seen
        fit = fit_face(mesh_signal(person.face[seen]), seen, clock, reference) if seen.any() else None
        return fit, seen, FACE_GROUPS
    seen = np.asarray(person.confidence[:, FACE].min(1) > MIN_CONFIDENCE, bool)
    if seen.any():
        signal = points_signal(person.points[seen][:, FACE], reference.landmarks)
        return fit_face(signal, seen, clock, reference), seen, tuple(g for g in FACE_GROUPS if g != "gaze")
    seen = np.asarray(person.confidence[:, :HEAD_POINTS].min(1) > MIN_CONFIDENCE, bool)
    if seen.any():
        return fit_head(*head_only(person.points, seen), seen, clock), seen, ("head",)
    return None, seen, ()


def part_of(person: Driver, rows: slice) -> Driver:
    """Some frames of a track."""
    names = [field.name for field in fields(person) if field.name not in ("width", "height")]
    return replace(person, **{name: getattr(person, name)[rows] for name in names})


def cuts(person: Driver) -> list[int]:
    """Numbers of the frames that begin a new shot: the eyes jump in place or size."""
    sizes, places = _extent(person)
    known = np.flatnonzero(np.isfinite(sizes))
    if len(known) < 2:
        return []
    size, place = sizes[known], places[known]
    jump = np.linalg.norm(np.diff(place, axis=0), axis=1) / np.minimum(size[1:], size[:-1])
    grown = np.abs(np.diff(np.log(size)))
    # What was out of sight may have moved meanwhile: only neighbours tell a cut.
    neighbours = np.diff(known) <= 2
    return [int(n) for n in known[1:][neighbours & ((jump > _CUT_IOD) | (grown > _CUT_SIZE))]]


def _extent(person: Driver) -> tuple[Float, Float]:
    """Distance between the eyes `N` and their middle `N 2`, pixels; NaN where they are not seen."""
    if isinstance(person, KeypointTrack):
        pair = person.points[:, [EYE_R, EYE_L]].astype(np.float64)
        known = person.confidence[:, [EYE_R, EYE_L]].min(1) > MIN_CONFIDENCE
        apart = _EYES_IOD * np.linalg.norm(pair[:, 0] - pair[:, 1], axis=1)
        return np.where(known & (apart > 0), apart, np.nan), pair.mean(1)
    eyes = person.face[:, [topo.EYE_OUTER_R, topo.EYE_OUTER_L]].astype(np.float64)
    size = np.linalg.norm(eyes[:, 0] - eyes[:, 1], axis=1)
    size[~person.face_seen] = np.nan
    return np.where(size > 0, size, np.nan), eyes[..., :2].mean(1)


def shots(times_s: Float, cut_rows: list[int], wanted_s: Float) -> list[tuple[slice, NDArray[np.int64]]]:
    """Stretches between cuts: rows of the driver, and the numbers of the wanted times that they tell about."""
    edges = [0, *cut_rows, len(times_s)]
    found = []
    for start, stop in zip(edges[:-1], edges[1:], strict=True):
        begin_s = -np.inf if start == 0 else times_s[start] + _CUT_MARGIN_S
        end_s = np.inf if stop == len(times_s) else times_s[stop - 1] - _CUT_MARGIN_S
        inside = np.flatnonzero((wanted_s >= begin_s) & (wanted_s <= end_s))
        alone = len(edges) == 2
        if len(inside) and stop - start >= 2 and (alone or times_s[stop - 1] - times_s[start] >= _SHORTEST_SHOT_S):
            found.append((slice(start, stop), inside))
    return found


def fit_clip(faces: Iterable[FaceLandmarks | None], fps: float, reference: MotionReference, spec: LatentSpec) -> Float:
    """Facial parameters `T P` of a whole clip; where the face is lost they are bridged.

    Args:
        faces: What a tracker found in each frame.
        fps: Of the video.
        reference: Whose shape basis is used.
        spec: Of the space.

    Raises:
        InputError: `face_not_found` when no frame shows a face.
    """
    found = [None if face is None else face.points for face in faces]
    seen = np.array([points is not None for points in found], bool)
    if not seen.any():
        cause = "no frame of the video shows a face"
        raise InputError("face_not_found", cause, "Use a video in which one face is seen from the front.")
    times_s = (np.arange(len(found)) + 0.5) / fps
    wanted_s = spec.times_s(spec.num_latents(spec.num_frames(len(found) / fps))).astype(np.float64)
    signal = mesh_signal(np.stack([points for points in found if points is not None]))
    fit = fit_face(signal, seen, Clock(times_s, wanted_s), reference)
    put_head_place(fit, np.zeros((len(wanted_s), 2)))
    return np.clip(fit.values, LOW, HIGH).astype(np.float32)
