"""Does a long video change how the person looks? Colour and fine detail of the upper face, end against start.

The mouth and the chin are left out, for they move with speech. Legend: H, W of the aligned crop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from omnihuman.evaluation.face_identity import aligned_crop
from omnihuman.metrics.drift import texture_drift
from omnihuman.metrics.measurement import Measurement
from omnihuman.perception.face import FacePerception
from omnihuman.types import Image

_SAMPLES = 8
_END_SHARE = 0.25
_UPPER = slice(4, 64)
_MIDDLE = slice(18, 94)
"""Forehead, eyes and the ridge of the nose in the aligned crop."""


def measure_appearance(
    read: Callable[[], Iterable[Image]], num_frames: int, perception: FacePerception
) -> dict[str, Measurement]:
    """Drift of colour and sharpness, each the mean over pairs of an early and a late frame; none without pairs.

    Args:
        read: Starts the video anew.
        num_frames: Frames of the video.
        perception: Finds the face.
    """
    reach = max(1, int(_END_SHARE * num_frames))
    count = min(_SAMPLES, reach)
    early = np.linspace(0, reach - 1, count).round().astype(int).tolist()
    late = [num_frames - reach + index for index in early]
    crops = _crops(read(), {*early, *late}, perception)
    pairs = [(crops[a], crops[b]) for a, b in zip(early, late, strict=True) if a in crops and b in crops and a != b]
    drifts = [texture_drift(a, b) for a, b in pairs]
    return _means(drifts) if drifts else {}


def _crops(frames: Iterable[Image], wanted: set[int], perception: FacePerception) -> dict[int, Image]:
    found = {}
    for index, frame in enumerate(frames):
        if index in wanted:
            faces = perception.detect(frame, max_faces=1)
            if faces:
                found[index] = aligned_crop(frame, faces[0].points)[_UPPER, _MIDDLE]
    return found


def _means(drifts: Sequence[dict[str, Measurement]]) -> dict[str, Measurement]:
    def mean(name: str) -> Measurement:
        first = drifts[0][name]
        return Measurement(
            float(np.nanmean([drift[name].value for drift in drifts])), first.unit, first.higher_is_better
        )

    return {name: mean(name) for name in drifts[0]}
