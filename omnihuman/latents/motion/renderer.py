"""Draws one frame: pose, rasterise, composite, then what lies behind lips and lids, then arms. Holds the work buffers.

One renderer serves one picture and one thread; what it draws depends on the parameters alone, never on earlier frames.
Legend: H height, W width, P parameters.
"""

from __future__ import annotations

import numpy as np

from omnihuman.latents.motion.body.arm_draw import draw_arm, pose_arm
from omnihuman.latents.motion.face.eyes import gaze_shift, paint_eyes, turn_eyes
from omnihuman.latents.motion.face.lid_skin import paint_lids
from omnihuman.latents.motion.face.lids import keep_lashes
from omnihuman.latents.motion.face.mouth_draw import draw_mouth
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.latents.motion.posing import clip_parameters, pose
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.latents.motion.scene.composite import composite
from omnihuman.latents.motion.scene.raster import rasterise
from omnihuman.types import Float, Image


class FrameRenderer:
    """Renders frames of one prepared picture.

    Args:
        reference: The picture.
    """

    def __init__(self, reference: MotionReference) -> None:
        self._reference = reference
        height, width = reference.image.shape[:2]
        self._field = np.zeros((height, width, 2), np.float32)
        self.covered = np.zeros((height, width), np.uint8)
        """What each pixel of the last frame shows, `H W`: a label of `mesh.py`, 0 = background."""

    def draw(self, parameters: Float) -> Image:
        """Frame `H W 3` for one vector `P` in the table's units."""
        ref = self._reference
        value = clip_parameters(parameters, ref.rig.frame, ref.rig.face_gain)
        points = pose(ref.rig, value)
        plane = np.ascontiguousarray(points[: len(ref.mesh.points), :2])
        shift = np.asarray(ref.mesh.points - plane, np.float32)
        corners = ref.mesh.triangles[ref.order.face]
        depth = points[corners, 2].sum(1)
        order = np.concatenate([ref.order.outer, ref.order.face[np.argsort(depth, kind="stable")]])
        rasterise(
            plane, shift, ref.mesh.triangles, order, ref.mesh.labels, ref.order.mixed,
            ref.layers.residual, self._field, self.covered,
        )  # fmt: skip
        rest, frame = ref.rig.points, ref.rig.frame
        gaze = gaze_shift(float(value[INDEX["gaze_x"]]), float(value[INDEX["gaze_y"]]), frame, ref.eyes)
        keep_lashes(self._field, self.covered, points, rest)
        turn_eyes(self._field, self.covered, points, rest, ref.probes)
        out = np.empty_like(ref.image)
        composite(ref.arms.base, ref.layers.residual, ref.layers.background, self._field, self.covered, out)
        paint_lids(out, self.covered, points, rest, ref.lids)
        paint_eyes(out, self._field, self.covered, points, ref.eyes, gaze)
        draw_mouth(out, self.covered, ref.interior, points, rest, ref.probes, float(value[INDEX["tongue"]]))
        named = {name: float(value[i]) for name, i in INDEX.items()}
        for arm in ref.arms.movable:
            draw_arm(out, arm, pose_arm(arm, named))
        return out
