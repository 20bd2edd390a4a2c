"""How still the background of a video stays: all but the person (masked in a few frames) against the first frame.

Compression noise of the video file is part of the number; about one grey level of it is usual.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

import cv2
import numpy as np

from omnihuman.metrics.measurement import Measurement
from omnihuman.metrics.motion import background_change
from omnihuman.perception.face import FacePerception
from omnihuman.perception.matte import PersonMatte
from omnihuman.types import Float, Image

_MARGIN_SHARE = 0.03


def person_area(frames: Sequence[Image], face: FacePerception, matte: PersonMatte) -> Float:
    """Where the person is in any of the frames, with a margin, `H W` of 0 or 1."""
    area = np.zeros(frames[0].shape[:2], np.float32)
    for frame in frames:
        faces = face.detect(frame, max_faces=1)
        area = np.maximum(area, matte.estimate(frame, faces[0] if faces else None))
    reach = max(1, round(_MARGIN_SHARE * max(area.shape)))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate((area > 0.05).astype(np.float32), kernel), np.float32)


def measure_background(
    read: Callable[[], Iterable[Image]], num_frames: int, face: FacePerception, matte: PersonMatte, samples: int = 5
) -> Measurement:
    """Mean change of the background against the first frame, grey levels.

    Args:
        read: Starts the video anew.
        num_frames: Frames of the video.
        face: Finds the person.
        matte: Separates the person.
        samples: Frames from which the person's area is taken.
    """
    wanted = sorted(set(np.linspace(0, num_frames - 1, samples).round().astype(int).tolist()))
    picked = list(_at(read(), wanted))
    return background_change(islice(read(), 1, None), picked[0], person_area(picked, face, matte))


def _at(frames: Iterable[Image], wanted: Sequence[int]) -> Iterator[Image]:
    for index, frame in enumerate(frames):
        if index in wanted:
            yield frame
