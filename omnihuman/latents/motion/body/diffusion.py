"""Fills values on a pixel grid by diffusion: edges of the picture resist, a prior pulls. Linear algebra only.

Minimises sum w_ij (x_i - x_j)^2 + sum g_i (x_i - p_i)^2 with some pixels held: random walks with a prior (Grady 2005,
2006). Legend: h, w of a small working copy, C channels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from omnihuman.types import Float


def edge_weights(lab: Float, contrast: float) -> tuple[Float, Float]:
    """Conductance between horizontal `h w-1` and vertical `h-1 w` neighbours of a Lab picture `h w 3`, 0.002..1."""
    across = ((lab[:, 1:] - lab[:, :-1]) ** 2).sum(2)
    down = ((lab[1:] - lab[:-1]) ** 2).sum(2)
    scale = contrast * contrast
    return 0.002 + 0.998 * np.exp(-across / scale), 0.002 + 0.998 * np.exp(-down / scale)


def diffuse(
    known: NDArray[np.bool_], values: Float, weights: tuple[Float, Float], pull: Float | float = 0.0,
    prior: Float | float = 0.0,
) -> Float:  # fmt: skip
    """Solves for the pixels that are not `known`.

    Args:
        known: `h w` pixels whose value is held.
        values: `h w` or `h w C`; read where known.
        weights: From `edge_weights`, or ones; 0 cuts a connection.
        pull: `h w` or one number, strength of the prior.
        prior: `h w` or one number, what the prior asks for.

    Returns:
        Like `values`, with all pixels filled.
    """
    height, width = known.shape
    filled = values.astype(np.float64).copy()
    free = ~known
    count = int(free.sum())
    if count == 0:
        return filled.astype(np.float32)
    number = np.full(known.shape, -1)
    number[free] = np.arange(count)
    flat = filled.reshape(height * width, -1)
    pulls = np.broadcast_to(np.asarray(pull, np.float64), known.shape)[free] + 1e-7
    wanted = np.broadcast_to(np.asarray(prior, np.float64), known.shape)[free]
    diagonal, right = pulls.copy(), np.repeat((pulls * wanted)[:, None], flat.shape[1], 1)
    rows, columns, entries = [np.arange(count)], [np.arange(count)], []
    place = np.arange(height * width).reshape(height, width)
    pairs = ((place[:, :-1], place[:, 1:], weights[0]), (place[:-1], place[1:], weights[1]))
    for first, second, weight in pairs:
        for a, b in ((first.ravel(), second.ravel()), (second.ravel(), first.ravel())):
            w, i, j = weight.ravel(), number.ravel()[a], number.ravel()[b]
            own = (i >= 0) & (w > 0)
            w, i, j, b = w[own], i[own], j[own], b[own]
            diagonal += np.bincount(i, w, count)
            held = j < 0
            for c in range(flat.shape[1]):
                right[:, c] += np.bincount(i[held], w[held] * flat[b[held], c], count)
            rows.append(i[~held])
            columns.append(j[~held])
            entries.append(-w[~held])
    matrix = coo_matrix((np.concatenate([diagonal, *entries]), (np.concatenate(rows), np.concatenate(columns))))
    flat[free.ravel()] = splu(matrix.tocsc(), permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True}).solve(right)
    return filled.astype(np.float32)


def plain_weights(height: int, width: int) -> tuple[Float, Float]:
    """Conductances of 1 everywhere."""
    return np.ones((height, width - 1), np.float32), np.ones((height - 1, width), np.float32)
