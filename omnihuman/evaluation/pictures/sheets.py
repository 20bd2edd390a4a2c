"""Contact sheets of one picture: every named pose, the head close and the body whole. For the eye, not for numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from omnihuman.evaluation.contact_sheet import lay_out
from omnihuman.evaluation.pictures.poses import NamedPose
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.types import Image

_HEAD_HALF_IOD, _HEAD_RISE_IOD = 1.45, 0.10
_COLUMNS, _TILE_PX = 6, 380


def head_sheet(reference: MotionReference, poses: Sequence[NamedPose]) -> Image:
    """The poses cut to where the head rests, so that its motion shows."""
    frame = reference.rig.frame
    middle = frame.centre[:2] - frame.axes[:2, 1] * _HEAD_RISE_IOD * frame.iod_px
    half = _HEAD_HALF_IOD * frame.iod_px
    height, width = reference.image.shape[:2]
    left, right = (int(np.clip(middle[0] + side * half, 0, width)) for side in (-1, 1))
    top, bottom = (int(np.clip(middle[1] + side * half, 0, height)) for side in (-1, 1))
    return _sheet(reference, poses, (slice(top, bottom), slice(left, right)))


def body_sheet(reference: MotionReference, poses: Sequence[NamedPose]) -> Image:
    """The poses in the whole picture."""
    return _sheet(reference, poses, (slice(None), slice(None)))


def _sheet(reference: MotionReference, poses: Sequence[NamedPose], window: tuple[slice, slice]) -> Image:
    renderer = FrameRenderer(reference)
    frames = [renderer.draw(named.parameters)[window] for named in poses]
    return lay_out(frames, [named.label for named in poses], _COLUMNS, _TILE_PX)
