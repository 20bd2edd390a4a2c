"""A mean face laid over a few known points of a face: what no network found, a person can point at. No networks.

Pose first (scale, place and turn of the whole, turned away from the viewer only as far as the points insist), then a
thin-plate warp that meets the points and bends the rest as little as possible (Bookstein 1989).
Legend: K known points, x right, y down, z towards the viewer; IOD is the distance of the outer eye corners.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
from scipy.interpolate import RBFInterpolator
from scipy.optimize import least_squares

from omnihuman.perception.face_geometry import head_rotation
from omnihuman.perception.mesh_topology import (
    EYE_LEFT,
    EYE_RIGHT,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIPS_INNER_LOWER,
    LIPS_OUTER_LOWER,
    NUM_POINTS,
)
from omnihuman.types import Float

_POINT_SPREAD = 0.06
_TURN_SPREAD_DEG = (12.0, 10.0)
"""How far faces of other proportions lie from the mean (IOD), and how willingly the head turns for it (yaw, nod)."""
_SMOOTHING = 1e-4
_MIN_WARP_POINTS = 4
_OPEN_IOD, _LIPS_REACH_IOD, _BELOW_LIPS_IOD = 0.12, 0.3, 0.8


@cache
def mean_mesh() -> Float:
    """The mean face `478 3` in IOD, upright and frontal, from the middle between the outer eye corners.

    The mean of eleven people's detections with lips closed and eyes open (similarity fit), made symmetric by us.
    """
    with resources.files("omnihuman.perception").joinpath("mean_mesh.npy").open("rb") as stream:
        mesh = np.load(stream, allow_pickle=False).astype(np.float32)
    assert mesh.shape == (NUM_POINTS, 3), mesh.shape
    return mesh


def lay_template(places: Sequence[Sequence[int]], known: Float) -> Float:
    """The mean face on known points.

    Args:
        places: K sets of landmarks; a known point is the mean of its set.
        known: `K 2` pixels; at least three that do not lie on one line.

    Returns:
        Landmarks `478 3` in pixels; they meet the known points.
    """
    mesh = mean_mesh()
    posed = _posed(mesh, _means(mesh, places), np.asarray(known, np.float64))
    return bend_to(posed, places, known)


def bend_to(points: Float, places: Sequence[Sequence[int]], known: Float) -> Float:
    """Landmarks `478 3` bent so that they meet known points; depth stays.

    Args:
        points: `478 3` pixels, roughly right already.
        places: K sets of landmarks; a known point is the mean of its set.
        known: `K 2` pixels.
    """
    bent = points.astype(np.float64)
    front, moves = _means(_chart(), places), np.asarray(known) - _means(bent, places)[:, :2]
    if len(front) >= _MIN_WARP_POINTS:
        field = RBFInterpolator(front, moves, kernel="thin_plate_spline", smoothing=_SMOOTHING, degree=1)
        bent[:, :2] += field(_chart())
    else:
        bent[:, :2] += moves.mean(axis=0)
    _keep_irises_round(bent, points)
    return bent.astype(np.float32)


@cache
def _chart() -> Float:
    """Places `478 2` of landmarks on the plane that is bent: the face from the front, its mouth wide open.

    In a turned picture landmarks lie on one another, and so do closed lips, which must be free to part.
    """
    chart = mean_mesh()[:, :2].astype(np.float64)
    lower = np.zeros(NUM_POINTS, bool)
    lower[[*LIPS_INNER_LOWER[1:-1], *LIPS_OUTER_LOWER[1:-1]]] = True
    lower |= chart[:, 1] > _BELOW_LIPS_IOD
    chart[:, 1] += _OPEN_IOD * lower * np.clip(1 - (chart[:, 0] / _LIPS_REACH_IOD) ** 2, 0, 1)
    return chart


def _means(points: Float, places: Sequence[Sequence[int]]) -> Float:
    return np.array([points[list(numbers)].mean(axis=0) for numbers in places], np.float64)


def _posed(mesh: Float, source: Float, known: Float) -> Float:
    """The mesh in scaled parallel projection, turned so that its points `source` come near `known`."""
    centre = source[:, :2].mean(axis=0)
    spread = np.linalg.norm(source[:, :2] - centre, axis=1).mean()
    scale = np.linalg.norm(known - known.mean(axis=0), axis=1).mean() / spread
    start = np.array([0.0, 0.0, _roll_deg(source, known), np.log(scale), *known.mean(axis=0)])

    def place(values: Float, points: Float) -> Float:
        yaw, nod, roll, log_scale, x, y = values
        turned = (points - [*centre, 0.0]) @ head_rotation(yaw, nod, roll).T.astype(np.float64)
        return np.exp(log_scale) * turned + [x, y, 0.0]

    def misses(values: Float) -> Float:
        apart = (place(values, source)[:, :2] - known) / (scale * _POINT_SPREAD)
        return np.concatenate([apart.ravel(), values[:2] / np.array(_TURN_SPREAD_DEG)])

    found = least_squares(misses, start, x_scale=[10, 10, 10, 0.1, scale, scale]).x
    return place(found, mesh.astype(np.float64))


def _roll_deg(source: Float, known: Float) -> float:
    """Turn in the picture that brings centred points `K 2` onto others (Kabsch in two dimensions)."""
    a, b = source[:, :2] - source[:, :2].mean(axis=0), known - known.mean(axis=0)
    return float(np.degrees(np.arctan2((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum(), (a * b).sum())))


def _keep_irises_round(bent: Float, points: Float) -> None:
    """Irises keep their form; they are scaled and moved with their eyes, not sheared by the warp."""
    for iris, eye in ((IRIS_RIGHT, EYE_RIGHT), (IRIS_LEFT, EYE_LEFT)):
        numbers, ring = list(iris), list(eye)
        before, after = points[ring, :2], bent[ring, :2]
        growth = float(np.ptp(after, axis=0).max() / max(1e-6, np.ptp(before, axis=0).max()))
        bent[numbers, :2] = bent[numbers[0], :2] + growth * (points[numbers, :2] - points[numbers[0], :2])


def with_depth(points: Float) -> Float:
    """Points `468` or `478`, `2` or `3` wide -> landmarks `478 3`; what is missing is taken from the mean face."""
    full = _posed(mean_mesh(), mean_mesh()[: len(points)].astype(np.float64), points[:, :2])
    for iris, eye in ((IRIS_RIGHT, EYE_RIGHT), (IRIS_LEFT, EYE_LEFT)):
        ring = list(eye)
        full[list(iris), :2] += points[ring, :2].mean(axis=0) - full[ring, :2].mean(axis=0)
        if points.shape[1] == 3 and len(points) < NUM_POINTS:
            full[list(iris), 2] = points[ring, 2].mean()
    full[: len(points), : points.shape[1]] = points
    return full.astype(np.float32)
