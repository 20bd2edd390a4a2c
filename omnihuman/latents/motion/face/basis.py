"""Spreads handle displacements over the skin: one sparse solve gives the linear shape basis of a picture.

Each handle keeps its prescribed displacement, everything else minimises bending plus a little stretching on the mesh
graph with mouth and eyes cut open, so lips and lids part without any special case (Botsch and Sorkine 2008,
linear variational deformation). No motion over time here.
Legend: S shapes, V vertices of the mesh, N vertices near the face.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse.linalg import splu

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.latents.motion.face.mesh import EYE_L, EYE_R, MOUTH, Index, PlanarMesh
from omnihuman.latents.motion.face.shapes import HANDLES, FaceShapes, seal_columns
from omnihuman.types import Float

_REACH_IOD = 1.75
"""Beyond this distance from the face's centre nothing moves with expression."""
_STRETCH = 0.03
_HANDLE_WEIGHT = 1e4


@dataclass(frozen=True)
class FaceBasis:
    """Linear answer of the vertices near the face to the expression parameters.

    Attributes:
        vertices: `N` vertex numbers.
        names: `S` parameter names.
        shapes: `S N 3` pixels at value 1.
        columns: `18 N` share of a move of one inner lip column (9 upper, 9 lower).
    """

    vertices: Index
    names: tuple[str, ...]
    shapes: Float
    columns: Float


def build_basis(mesh: PlanarMesh, depth: Float, frame: HeadFrame) -> FaceBasis:
    """Solves the basis of one picture.

    Args:
        mesh: Its mesh.
        depth: `V` vertex depths.
        frame: Frame of the pictured head.
    """
    points = np.concatenate([mesh.points, depth[:, None]], 1)
    own = (points[: topo.NUM_LANDMARKS] - frame.centre) @ frame.axes / frame.iod_px
    shapes = FaceShapes(own)
    prescribed = shapes.all()
    columns, _ = seal_columns()
    far = np.linalg.norm(mesh.points - frame.centre[:2], axis=1) > _REACH_IOD * frame.iod_px
    near = np.flatnonzero(~far | (np.arange(len(far)) < topo.NUM_LANDMARKS))
    targets = np.concatenate([prescribed.transpose(1, 0, 2).reshape(topo.NUM_LANDMARKS, -1), columns.T], 1)
    solved = _spread(mesh, near, targets)
    count = len(prescribed)
    in_frame = solved[:, : 3 * count].reshape(len(near), count, 3).transpose(1, 0, 2)
    return FaceBasis(
        vertices=near.astype(np.int32),
        names=shapes.names(),
        shapes=np.ascontiguousarray(in_frame @ frame.axes.T * frame.iod_px, np.float32),
        columns=np.ascontiguousarray(solved[:, 3 * count :].T, np.float32),
    )


def _spread(mesh: PlanarMesh, near: NDArray[np.int64], targets: Float) -> NDArray[np.float64]:
    """Interpolates landmark targets `468 D` over the vertices `near` (`N D`); all others stay at zero."""
    laplacian = _graph_laplacian(mesh)[near][:, near]
    degree = laplacian.diagonal()
    system = laplacian.T @ sparse.diags(1.0 / np.maximum(degree, 1e-9)) @ laplacian + _STRETCH * laplacian
    pinned = np.zeros(len(near))
    pinned[list(HANDLES)] = _HANDLE_WEIGHT
    right = np.zeros((len(near), targets.shape[1]))
    right[list(HANDLES)] = _HANDLE_WEIGHT * targets[list(HANDLES)]
    return np.asarray(splu((system + sparse.diags(pinned)).tocsc()).solve(right))


def _graph_laplacian(mesh: PlanarMesh) -> sparse.csr_matrix:
    """Graph Laplacian `V V` with inverse-length weights; mouth and eyes are cut open."""
    skin = mesh.triangles[~np.isin(mesh.labels, (MOUTH, EYE_R, EYE_L))]
    pairs = np.concatenate([skin[:, [0, 1]], skin[:, [1, 2]], skin[:, [2, 0]]])
    pairs = np.unique(np.sort(pairs, 1), axis=0)
    length = np.linalg.norm(mesh.points[pairs[:, 0]] - mesh.points[pairs[:, 1]], axis=1)
    weight = np.median(length) / np.maximum(length, 0.25 * np.median(length))
    size = len(mesh.points)
    adjacency = sparse.coo_matrix((weight, (pairs[:, 0], pairs[:, 1])), (size, size))
    adjacency = (adjacency + adjacency.T).tocsr()
    return sparse.csr_matrix(sparse.diags(np.asarray(adjacency.sum(1)).ravel()) - adjacency)
