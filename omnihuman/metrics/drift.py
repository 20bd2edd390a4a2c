"""Does a long video wander off? Shape of the face and texture of the picture, late against early.

Legend: T frames, N landmarks; lengths in IOD (distance of the outer eye corners).
"""

from __future__ import annotations

import math

import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.types import Float, Image


def geometry_drift(landmarks: Float, span: int) -> Measurement:
    """How far the face's shape at the end lies from its shape at the beginning.

    Args:
        landmarks: `T N 2` or `T N 3` points that expression hardly moves, in IOD; rows with NaN are left out.
        span: Frames that are averaged at either end, at most half of them.

    Returns:
        Root mean square distance after the best rigid alignment with scale, IOD.
    """
    known = landmarks[np.isfinite(landmarks).all((1, 2))].astype(np.float64)
    span = min(span, len(known) // 2)
    if span < 1:
        return Measurement(math.nan, "IOD", False)
    first, last = _mean_shape(known[:span]), _mean_shape(known[-span:])
    return Measurement(float(np.sqrt(((_aligned(last, first) - first) ** 2).sum(1).mean())), "IOD", False)


def texture_drift(early: Image, late: Image) -> dict[str, Measurement]:
    """Change between two aligned crops of the same person `H W 3`.

    Returns:
        `colour_drift`: distance of the mean colours, levels. `sharpness_ratio`: strength of fine detail, late over
        early; 1 = the same, below 1 = blurred.
    """
    a, b = early.astype(np.float64), late.astype(np.float64)
    colour = float(np.linalg.norm(a.mean((0, 1)) - b.mean((0, 1))))
    detail_a, detail_b = _detail(a), _detail(b)
    ratio = detail_b / detail_a if detail_a > 1e-9 else math.nan
    return {
        "colour_drift": Measurement(colour, "levels", False),
        "sharpness_ratio": Measurement(ratio, "ratio", None),
    }


def _mean_shape(shapes: Float) -> Float:
    """Mean of shapes `K N D` once each is aligned to the first."""
    return np.asarray(np.mean([_aligned(shape, shapes[0]) for shape in shapes], axis=0))


def _aligned(shape: Float, target: Float) -> Float:
    """`shape` moved, turned and scaled onto `target`, both `N D` (Umeyama 1991)."""
    centre, goal = shape.mean(0), target.mean(0)
    a, b = shape - centre, target - goal
    left, spread, right = np.linalg.svd(b.T @ a)
    signs = np.ones(len(spread))
    signs[-1] = np.sign(np.linalg.det(left @ right))
    scale = float((spread * signs).sum() / max(float((a**2).sum()), 1e-12))
    return np.asarray(scale * a @ ((left * signs) @ right).T + goal)


def _detail(picture: Float) -> float:
    grey = picture.mean(2)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4.0 * inner
    return float(laplacian.std())
