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
from omnihuman.latents.motion import topology as topo
from omnihuman.latents.motion.body_signal import person_signal
from omnihuman.latents.motion.face_signal import mesh_signal
from omnihuman.latents.motion.fit import fit_face, put_head_place
from omnihuman.latents.motion.fit_body import fit_body
from omnihuman.latents.motion.parameters import HIGH, LOW, NUM_PARAMETERS, SCALE, group_indices
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.latents.motion.timeline import Clock
from omnihuman.perception.person import PersonTrack
from omnihuman.types import ConditionTrack, Float, LatentSpec

if TYPE_CHECKING:
    from omnihuman.perception.face import FaceLandmarks

FACE_GROUPS = ("mouth", "brows", "eyes", "gaze", "head")
_CUT_IOD, _CUT_SIZE = 0.9, 0.25
"""A face that jumps so far (IOD) or so much in size between two frames has been cut to."""
_CUT_MARGIN_S = 0.12
_SHORTEST_SHOT_S = 0.4


def follow(person: PersonTrack, reference: MotionReference, spec: LatentSpec, lips: bool) -> ConditionTrack:
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


def _fit_shot(person: PersonTrack, clock: Clock, reference: MotionReference) -> tuple[Float, Float]:
    """Values and mask, both `T P`, of a stretch without a cut."""
    body = fit_body(person_signal(person), clock)
    values, mask = body.values, body.mask
    seen = person.face_seen
    if seen.any():
        face = fit_face(mesh_signal(person.face[seen]), seen, clock, reference)
        put_head_place(face, body.carried * body.width_px)
        columns = [column for group in FACE_GROUPS for column in group_indices(group)]
        values[:, columns] = face.values[:, columns]
        mask[:, columns] = clock.seen(seen)[:, None]
    return values, mask


def part_of(person: PersonTrack, rows: slice) -> PersonTrack:
    """Some frames of a track."""
    names = [field.name for field in fields(person) if field.name not in ("width", "height")]
    return replace(person, **{name: getattr(person, name)[rows] for name in names})


def cuts(person: PersonTrack) -> list[int]:
    """Numbers of the frames that begin a new shot: the face, or else the shoulders, jump in place or size."""
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


def _extent(person: PersonTrack) -> tuple[Float, Float]:
    """Size `N` and place `N 2` of the person in pixels, NaN where neither face nor shoulders are seen."""
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
