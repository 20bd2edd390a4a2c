"""What must hold for every picture, measured on its geometry and its frames. No networks.

Legend: H height, W width.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from omnihuman.evaluation.pictures.settings import PictureSettings
from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.mesh import EYE_L, EYE_R
from omnihuman.latents.motion.parameters import HIGH, LOW, vector
from omnihuman.latents.motion.posing import clip_parameters, lip_gaps, pose
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.types import Float

_JAW_STEPS = 21
_HEAD_POSES = (
    {"head_yaw_deg": 20.0, "jaw_open": 0.6}, {"head_yaw_deg": -20.0, "blink_l": 1.0}, {"head_pitch_deg": 15.0},
    {"head_roll_deg": 20.0, "head_x": 0.3}, {"head_scale": 0.08, "head_y": -0.2},
)  # fmt: skip
_SEALED: tuple[dict[str, float], ...] = (
    {},
    {"jaw_open": 0.6},
    {"jaw_open": 1.0, "upper_lip_raise": 1.0, "funnel": 1.0},
)


@dataclass(frozen=True)
class Check:
    """One invariant of one picture.

    Attributes:
        name: What is held.
        value: Measured; NaN where the picture has nothing to measure it on.
        unit: Of the value.
        bound: What the value is held against.
        at_most: Whether the bound is the largest allowed value, or the smallest.
        binding: Whether missing it counts.
    """

    name: str
    value: float
    unit: str
    bound: float
    at_most: bool = True
    binding: bool = True

    @property
    def met(self) -> bool:
        """Whether it holds; what cannot be measured does."""
        if math.isnan(self.value):
            return True
        return self.value <= self.bound if self.at_most else self.value >= self.bound


def check_invariants(
    reference: MotionReference, settings: PictureSettings, rng: np.random.Generator, drawn: bool
) -> list[Check]:
    """All invariants of one picture.

    Args:
        reference: The prepared picture.
        settings: Bounds.
        rng: Source of the fuzzed frames.
        drawn: A drawn character: its eyes may be larger than a person's, so a blink is reported only.
    """
    fuzzed = rng.uniform(LOW, HIGH, (settings.fuzz_frames, len(LOW))).astype(np.float32)
    blink = blink_left(reference)
    return [
        Check("zero_difference", zero_difference(reference), "levels", 0),
        Check("uncovered_pixels", float(uncovered_pixels(reference, fuzzed)), "px", 0),
        Check("jaw_step", jaw_step(reference), "IOD", settings.least_jaw_step_iod, at_most=False),
        Check("sealed_gap", sealed_gap(reference), "IOD", settings.largest_sealed_gap_iod),
        Check("blink_left", blink, "share", settings.largest_blink_share, binding=not drawn),
        Check("far_background", far_background(reference, settings.far_iod), "levels", 0),
        Check("unrepeated_frames", float(unrepeated_frames(reference, fuzzed[:3])), "frames", 0),
    ]


def zero_difference(reference: MotionReference) -> float:
    """Largest difference between the picture and the frame of all-zero parameters."""
    frame = FrameRenderer(reference).draw(vector())
    return float(np.abs(frame.astype(int) - reference.image).max())


def uncovered_pixels(reference: MotionReference, frames: Float) -> int:
    """Pixels within the posed outline of the face that no triangle covers, over frames `N P`."""
    renderer = FrameRenderer(reference)
    missing = 0
    for parameters in frames:
        renderer.draw(parameters)
        oval = pose(reference.rig, clip_parameters(parameters, reference.rig.frame))[list(topo.OVAL), :2]
        inside = np.zeros(renderer.covered.shape, np.uint8)
        cv2.fillPoly(inside, [np.round(oval * 16).astype(np.int32)], 1, shift=4)
        # The polygon is filled up to and including its border; the border's outer half is not face.
        inside = cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=1)
        missing += int(((inside > 0) & (renderer.covered == 0)).sum())
    return missing


def jaw_step(reference: MotionReference) -> float:
    """Smallest growth of the mean lip gap, IOD, over even steps of the jaw."""
    gaps = [_gaps(reference, jaw_open=float(v)).mean() for v in np.linspace(0, 1, _JAW_STEPS)]
    return float(np.diff(gaps).min())


def sealed_gap(reference: MotionReference) -> float:
    """Largest lip gap, IOD, that a full seal leaves whatever else is asked."""
    return max(float(_gaps(reference, seal=1.0, **others).max()) for others in _SEALED)


def blink_left(reference: MotionReference) -> float:
    """Share of the pixels between the lids that a full blink leaves, of the eye that closes less."""
    renderer = FrameRenderer(reference)
    shown = []
    for shut in (0.0, 1.0):
        renderer.draw(vector(blink_l=shut, blink_r=shut))
        shown.append([max(1, int((renderer.covered == label).sum())) for label in (EYE_L, EYE_R)])
    return max(after / before for before, after in zip(*shown, strict=True))


def far_background(reference: MotionReference, far_iod: float) -> float:
    """Largest change of the background away from the person when only the head moves; NaN without such background."""
    reach = max(1, round(far_iod * reference.rig.frame.iod_px))
    near = cv2.distanceTransform((~reference.layers.active).astype(np.uint8), cv2.DIST_L2, 5) <= reach
    if near.all():
        return math.nan
    renderer = FrameRenderer(reference)
    frames = [renderer.draw(vector(**values)) for values in _HEAD_POSES]
    return float(max(np.abs(f.astype(int) - reference.image)[~near].max() for f in frames))


def unrepeated_frames(reference: MotionReference, frames: Float) -> int:
    """How many frames differ when they are drawn again in another order."""
    first, second = FrameRenderer(reference), FrameRenderer(reference)
    drawn = [first.draw(parameters) for parameters in frames]
    again = [second.draw(parameters) for parameters in frames[::-1]][::-1]
    return sum(not np.array_equal(a, b) for a, b in zip(drawn, again, strict=True))


def _gaps(reference: MotionReference, **values: float) -> Float:
    frame = reference.rig.frame
    return lip_gaps(pose(reference.rig, clip_parameters(vector(**values), frame)), frame) / frame.iod_px
