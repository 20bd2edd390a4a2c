"""One person over time -> a pose track of the motion space: parameters with a mask per group and frame.

Everything is relative to the driver's own neutral, so that neither identity nor framing transfers.
Legend: N frames of the driver, P parameters.
"""

from __future__ import annotations

import numpy as np

from omnihuman.latents.motion.fit import Track, fit_track
from omnihuman.latents.motion.parameters import NUM_PARAMETERS, SCALE, group_indices
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.perception.person import PersonTrack
from omnihuman.types import ConditionTrack

FACE_GROUPS = ("mouth", "brows", "eyes", "gaze", "head")


def follow(person: PersonTrack, reference: MotionReference, lips: bool) -> ConditionTrack:
    """The pose track of a driver for one picture.

    Args:
        person: What was seen of the driver.
        reference: The picture that will move.
        lips: Whether the mouth follows, too; not where speech moves it.

    Returns:
        Kind `pose`: normalised parameters and mask, both ``N P``.
    """
    values = np.zeros((len(person.times_s), NUM_PARAMETERS), np.float32)
    mask = np.zeros_like(values)
    if person.face_seen.any():
        seen = person.face_seen
        fitted = np.zeros_like(values)
        fitted[seen] = fit_track(Track(person.face[seen], np.ones(int(seen.sum()), bool)), reference)
        for group in FACE_GROUPS:
            if group == "mouth" and not lips:
                continue
            columns = group_indices(group)
            values[:, columns] = fitted[:, columns]
            mask[:, columns] = person.face_seen[:, None]
    return ConditionTrack("pose", values / SCALE * mask, person.times_s, mask)
