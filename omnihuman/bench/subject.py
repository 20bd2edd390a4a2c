"""What is measured on: the drawn half-body picture of `examples/` and motion in which everything moves at once.

Drawn by us, so that the benchmark runs wherever the checkout is, and on the same pixels.
"""

from __future__ import annotations

import cv2
import numpy as np

from omnihuman.config import ROOT
from omnihuman.latents.motion.parameters import vector
from omnihuman.media.image import read_image
from omnihuman.types import Float, Image, Sound

PICTURE = ROOT / "examples" / "portrait_ada.png"
_TOP = 0.1
"""Share of the height above the square that is cut out: the space over the head."""
_CLOSE = (0.17, 0.06, 0.82, 0.58)
"""Left, top, right, bottom of the head, as shares of the width and the height."""


def half_body(side_px: int) -> Image:
    """Head and shoulders, `side_px side_px 3`."""
    picture = read_image(PICTURE)
    width = picture.shape[1]
    top = round(_TOP * picture.shape[0])
    return _square(picture[top : top + width], side_px)


def close_up(side_px: int) -> Image:
    """The head of the same picture, filling the frame, `side_px side_px 3`."""
    picture = read_image(PICTURE)
    height, width = picture.shape[:2]
    left, top, right, bottom = (round(s * n) for s, n in zip(_CLOSE, (width, height) * 2, strict=True))
    return _square(picture[top:bottom, left:right], side_px)


def _square(picture: Image, side_px: int) -> Image:
    method = cv2.INTER_AREA if side_px < picture.shape[0] else cv2.INTER_CUBIC
    return np.ascontiguousarray(cv2.resize(picture, (side_px, side_px), interpolation=method), dtype=np.uint8)


def restless(num_frames: int, fps: float) -> Float:
    """Parameters `T P` of somebody who talks, blinks, turns and sways; none of these is at rest in any frame."""
    t = np.arange(num_frames) / fps

    def wave(middle: float, swing: float, rate_hz: float) -> Float:
        return np.asarray(middle + swing * np.sin(2 * np.pi * rate_hz * t + 0.3))

    moves = {
        "head_yaw_deg": wave(6, 5, 0.4), "head_pitch_deg": wave(-3, 2, 0.7), "head_roll_deg": wave(2, 1.5, 0.5),
        "head_x": wave(0.04, 0.03, 0.3), "jaw_open": wave(0.35, 0.3, 4), "pucker": wave(0.2, 0.15, 2),
        "blink_l": wave(0.5, 0.45, 1), "blink_r": wave(0.5, 0.45, 1), "gaze_x": wave(0.3, 0.2, 0.5),
        "sway_x": wave(0.02, 0.015, 0.3), "lean_deg": wave(1.5, 1, 0.25), "breathe": wave(0.5, 0.4, 0.3),
    }  # fmt: skip
    return np.stack([vector(**{name: float(values[i]) for name, values in moves.items()}) for i in range(num_frames)])


def cut_to(sound: Sound, duration_s: float) -> Sound:
    """The sound repeated and cut to a length."""
    wanted = round(duration_s * sound.rate_hz)
    return Sound(np.resize(sound.samples, wanted).astype(np.float32), sound.rate_hz)
