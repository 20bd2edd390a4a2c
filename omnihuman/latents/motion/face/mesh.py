"""The planar mesh that carries the picture: face landmarks, rings round the face, a grid over the frame.

Topology inside the face is fixed; outside it is a Delaunay triangulation. Every triangle is turned the same way at
rest, so a negative area later always means a fold. No depth, no motion here.
Legend: V vertices, F triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay

from omnihuman.latents.motion.face import topology as topo
from omnihuman.perception.mesh_topology import triangles as face_triangles
from omnihuman.types import Float

Index = NDArray[np.int32]
OUTSIDE, SKIN, MOUTH, EYE_R, EYE_L = 1, 2, 3, 4, 5
"""What a triangle shows; 0 is kept for pixels that no triangle covers."""

_RINGS = (1.10, 1.24, 1.42)
_MARGIN_CELLS = 3
_CELLS = 56


@dataclass(frozen=True)
class PlanarMesh:
    """Vertices in the plane of the picture and the triangles between them.

    Attributes:
        points: `V 2` pixels; the first 468 are the landmarks.
        triangles: `F 3`, all with positive area.
        labels: `F` one of OUTSIDE, SKIN, MOUTH, EYE_R, EYE_L.
    """

    points: Float
    triangles: Index
    labels: NDArray[np.uint8]


def hole_strips() -> tuple[Index, NDArray[np.uint8]]:
    """Triangles that close the mouth and the eyes, with their labels."""
    strips, labels = [], []
    for label, upper, lower in _holes():
        faces = []
        for column in range(len(upper) - 1):
            a, b, c, d = upper[column], upper[column + 1], lower[column + 1], lower[column]
            if b != c:
                faces.append((a, b, c))
            if a != d:
                faces.append((a, c, d))
        strips += faces
        labels += [label] * len(faces)
    return np.array(strips, np.int32), np.array(labels, np.uint8)


def _holes() -> list[tuple[int, tuple[int, ...], tuple[int, ...]]]:
    holes: list[tuple[int, tuple[int, ...], tuple[int, ...]]] = [
        (MOUTH, topo.UPPER_LIP_ROWS[3], topo.LOWER_LIP_ROWS[3])
    ]
    for label, side in ((EYE_R, "r"), (EYE_L, "l")):
        first, last = topo.LID_CORNERS[side]
        holes.append((label, (first, *topo.UPPER_LID[side], last), (first, *topo.LOWER_LID[side], last)))
    return holes


def signed_areas(points: Float, triangles: Index) -> Float:
    """Twice the area of each triangle `F`, positive when it runs clockwise as seen (y down)."""
    a, b, c = (points[triangles[:, i], :2] for i in range(3))
    u, v = b - a, c - a
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]


def split_lips(points: Float, down: Float, min_gap_px: float) -> Float:
    """Moves crossed inner lips apart, so that the lower edge lies at least `min_gap_px` below the upper one.

    Args:
        points: `V 3` landmarks, changed copy returned.
        down: `3` unit vector from forehead to chin.
        min_gap_px: Smallest gap in pixels.
    """
    points = points.copy()
    upper, lower = list(topo.UPPER_INNER), list(topo.LOWER_INNER)
    lack = np.maximum(0.0, min_gap_px - (points[lower] - points[upper]) @ down)[:, None] / 2
    points[upper] -= lack * down
    points[lower] += lack * down
    return points


def untangle(points: Float, triangles: Index, min_area: float, fixed: NDArray[np.bool_] | None = None) -> Float:
    """Pushes vertices of folded triangles along edge normals until every area is at least `min_area`.

    Args:
        points: `V 2` pixels.
        triangles: `F 3` with the wanted orientation.
        min_area: Twice the smallest area in square pixels.
        fixed: `V` vertices that stay.

    Returns:
        Moved copy. What cannot be mended in the allowed rounds stays as it is; the rasteriser culls it.
    """
    points = points.astype(np.float64).copy()
    free = np.ones(len(points)) if fixed is None else 1.0 - fixed
    for _ in range(300):
        area = signed_areas(points, triangles)
        bad = np.flatnonzero(area < min_area)
        if not len(bad):
            break
        push, count = np.zeros_like(points), np.zeros(len(points))
        corners = triangles[bad]
        for i in range(3):
            tip, left, right = corners[:, i], corners[:, (i + 1) % 3], corners[:, (i + 2) % 3]
            edge = points[right] - points[left]
            length = np.maximum(np.linalg.norm(edge, axis=1), 0.3)
            normal = np.stack([-edge[:, 1], edge[:, 0]], 1) / length[:, None]
            step = np.minimum((1.2 * min_area - area[bad]) / length / 3, 4.0)
            np.add.at(push, tip, normal * step[:, None])
            np.add.at(count, tip, 1)
        points += free[:, None] * push / np.maximum(count, 1)[:, None]
    return points.astype(np.float32)


def build_mesh(landmarks: Float, height: int, width: int) -> PlanarMesh:
    """Covers the frame with a mesh that holds the landmarks.

    Args:
        landmarks: `468 2` or `468 3` pixels.
        height: Of the picture.
        width: Of the picture.
    """
    face = landmarks[: topo.NUM_LANDMARKS, :2].astype(np.float32)
    rings = _rings(face)
    strips, strip_labels = hole_strips()
    first_ring = topo.NUM_LANDMARKS
    bands = [_band(np.array(topo.OVAL), first_ring + np.arange(36))]
    bands += [_band(first_ring + 36 * k + np.arange(36), first_ring + 36 * (k + 1) + np.arange(36)) for k in (0, 1)]
    fixed = np.concatenate([face_triangles(), strips, *bands]).astype(np.int32)
    points = untangle(np.concatenate([face, *rings]), fixed, min_area=0.25)
    points, outer = _surroundings(points, first_ring + 72, height, width)
    labels = np.concatenate(
        [
            np.full(len(face_triangles()), SKIN, np.uint8),
            strip_labels,
            np.full(3 * 72 + len(outer), OUTSIDE, np.uint8),
        ]
    )
    return PlanarMesh(points, np.concatenate([fixed, outer]).astype(np.int32), labels)


def _rings(face: Float) -> list[Float]:
    """Three rings of 36 points round the oval; each is star-shaped about the face's centre."""
    oval = face[list(topo.OVAL)].astype(np.float64)
    centre = (oval.min(0) + oval.max(0)) / 2
    ray = oval - centre
    angle, radius = np.unwrap(np.arctan2(ray[:, 1], ray[:, 0])), np.linalg.norm(ray, axis=1)
    even = angle[0] + 2 * np.pi * np.arange(36) / 36
    rings = []
    for k, factor in enumerate(_RINGS):
        mix = (k + 1) / len(_RINGS)
        angle_k = _ascending((1 - 0.7 * mix) * angle + 0.7 * mix * even)
        smooth = radius.copy()
        for _ in range(4 * (k + 1)):
            smooth = np.maximum(smooth, (np.roll(smooth, 1) + np.roll(smooth, -1)) / 2)
        ring = centre + factor * smooth[:, None] * np.stack([np.cos(angle_k), np.sin(angle_k)], 1)
        rings.append(ring.astype(np.float32))
    return rings


def _ascending(angle: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angles made to rise by at least two degrees from point to point."""
    angle = angle.copy()
    least = np.deg2rad(2.0)
    for _ in range(50):
        lack = np.maximum(0.0, least - np.diff(angle, append=angle[0] + 2 * np.pi))
        if not lack.any():
            break
        angle -= lack * 0.55
        angle += np.roll(lack, 1) * 0.55
    return angle


def _band(inner: NDArray[np.int64], outer: NDArray[np.int64]) -> Index:
    """Triangles between two rings of equal length that run clockwise as seen."""
    inner_next, outer_next = np.roll(inner, -1), np.roll(outer, -1)
    first = np.stack([inner, outer, outer_next], 1)
    second = np.stack([inner, outer_next, inner_next], 1)
    return np.concatenate([first, second]).astype(np.int32)


def _surroundings(points: Float, first_outer: int, height: int, width: int) -> tuple[Float, Index]:
    """Adds the grid outside the last ring and triangulates between them."""
    ring = points[first_outer : first_outer + 36]
    cell = max(height, width) / _CELLS
    grid = _grid(height, width, cell)
    spacing = np.linalg.norm(ring - np.roll(ring, -1, 0), axis=1).max()
    dense = np.concatenate([ring + (np.roll(ring, -1, 0) - ring) * s for s in (0.0, 0.25, 0.5, 0.75)])
    near = np.linalg.norm(grid[:, None] - dense[None], axis=2).min(1) < max(0.62 * spacing, 0.45 * cell)
    grid = grid[~near & ~inside_polygon(grid, ring)]
    points = np.concatenate([points, grid]).astype(np.float32)
    numbers = np.concatenate([first_outer + np.arange(36), first_outer + 36 + np.arange(len(grid))])
    simplices = Delaunay(points[numbers].astype(np.float64)).simplices
    centres = points[numbers][simplices].mean(1)
    inner = (simplices < 36).all(1) & inside_polygon(centres, ring)
    outer = numbers[simplices[~inner]].astype(np.int32)
    flipped = signed_areas(points, outer) < 0
    outer[flipped] = outer[flipped][:, ::-1]
    return points, outer[signed_areas(points, outer) > 1e-3]


def _grid(height: int, width: int, cell: float) -> Float:
    """Grid points over the frame and a margin round it, `N 2`; every second row is shifted by half a cell."""
    margin = _MARGIN_CELLS * cell
    rows = np.linspace(-margin, height + margin, int(np.ceil(height / cell)) + 2 * _MARGIN_CELLS)
    columns = np.linspace(-margin, width + margin, int(np.ceil(width / cell)) + 2 * _MARGIN_CELLS)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    x[1:-1:2, 1:-1] += 0.5 * cell
    return np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)


def inside_polygon(points: Float, polygon: Float) -> NDArray[np.bool_]:
    """Which points `N 2` lie inside a closed polygon `M 2` (even-odd rule)."""
    x, y = points[:, 0, None], points[:, 1, None]
    x0, y0 = polygon[None, :, 0], polygon[None, :, 1]
    x1, y1 = np.roll(x0, -1, 1), np.roll(y0, -1, 1)
    crosses = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        hit = x < (x1 - x0) * (y - y0) / (y1 - y0) + x0
    return np.asarray((crosses & hit).sum(1) % 2 == 1)
