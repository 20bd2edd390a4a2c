"""Is it still the same person? Similarity of face embeddings over time; which network made them is the caller's affair.

Legend: T frames, E width of an embedding.
"""

from __future__ import annotations

import math

import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.types import Float


def identity_similarity(embeddings: Float, reference: Float) -> dict[str, Measurement]:
    """Cosine similarity of frames with the reference picture.

    Args:
        embeddings: `T E`; rows of NaN (no face) are left out.
        reference: `E`.

    Returns:
        Mean and worst similarity, -1..1; NaN without a single face.
    """
    known = embeddings[np.isfinite(embeddings).all(1)]
    norms = np.linalg.norm(known, axis=1) * np.linalg.norm(reference)
    similarity = (known @ reference)[norms > 0] / norms[norms > 0]
    mean, worst = (float(similarity.mean()), float(similarity.min())) if similarity.size else (math.nan, math.nan)
    return {"identity_mean": Measurement(mean, "", True), "identity_worst": Measurement(worst, "", True)}
