"""Is it still the same person? Similarity of face embeddings over time; which network made them is the caller's affair.

Legend: T frames, E width of an embedding.
"""

from __future__ import annotations

import math

import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.types import Float

_LOW_PERCENT = 5.0
_FEWEST_FOR_DRIFT = 4


def similarities(embeddings: Float, reference: Float) -> Float:
    """Cosine similarity `T` of embeddings `T E` with `E`, -1..1; NaN where no face was found."""
    norms = np.linalg.norm(embeddings, axis=1) * np.linalg.norm(reference)
    return np.asarray(embeddings @ reference / np.where(norms > 0, norms, np.nan))


def identity_similarity(embeddings: Float, reference: Float) -> dict[str, Measurement]:
    """Cosine similarity of frames with the reference picture.

    Args:
        embeddings: `T E` in the order of time; rows of NaN (no face) are left out.
        reference: `E`.

    Returns:
        Mean, 5th percentile and worst, -1..1; and the drift, last quarter minus first quarter. NaN without a face.
    """
    known = similarities(embeddings, reference)
    known = known[np.isfinite(known)]
    mean = low = worst = drift = math.nan
    if known.size:
        mean, low, worst = float(known.mean()), float(np.percentile(known, _LOW_PERCENT)), float(known.min())
    if known.size >= _FEWEST_FOR_DRIFT:
        quarter = known.size // 4
        drift = float(known[-quarter:].mean() - known[:quarter].mean())
    return {
        "identity_mean": Measurement(mean, "", True),
        "identity_low": Measurement(low, "", True),
        "identity_worst": Measurement(worst, "", True),
        "identity_drift": Measurement(drift, "", None),
    }
