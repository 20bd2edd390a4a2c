"""Whether a hand holds something: what its points enclose is not of the hand's own colour. Measures only.

On fifteen hands of photographs and drawings the foreign share was .24 to .39 with a bottle or a bag, at most .17
without; a fist round a thin handle is not told from an empty fist.
"""

from __future__ import annotations

import cv2
import numpy as np

from omnihuman.latents.motion.body.arm_bones import ArmBones, nearness
from omnihuman.types import Float, Image

_FOREIGN_SHARE, _FOREIGN_LAB, _LIGHTNESS = 0.2, 16.0, 0.25
_BONE = 0.5
_CURLED_PALM = 1.25


def holds_something(image: Image, matte: Float, arm: ArmBones) -> bool:
    """Judges the hand of an arm in a picture `H W 3` with the person's matte `H W`; False without a hand."""
    if arm.hand is None:
        return False
    height, width = matte.shape
    mask = np.zeros((height, width), np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(arm.hand).astype(np.int32)), 1)
    rows, columns = np.nonzero((mask > 0) & (matte > 0.5))
    if not len(rows):
        return False
    lab = cv2.cvtColor(image[rows, columns].astype(np.float32)[None] / np.float32(255), cv2.COLOR_RGB2LAB)[0]
    near = nearness(arm, np.stack([columns, rows], 1).astype(np.float32))[2]
    if not (near < _BONE).any():
        return False
    own = np.median(lab[near < _BONE], 0)
    apart = np.hypot(lab[:, 1] - own[1], lab[:, 2] - own[2]) + _LIGHTNESS * np.abs(lab[:, 0] - own[0])
    return bool((apart > _FOREIGN_LAB).mean() > _FOREIGN_SHARE)


def is_fist(arm: ArmBones) -> bool:
    """Whether all fingers are bent: none of their tips is much further from the wrist than the palm is long."""
    if arm.hand is None:
        return False
    tips = np.linalg.norm(arm.hand[[8, 12, 16, 20]] - arm.hand[0], axis=1)
    return bool(tips.max() < _CURLED_PALM * max(arm.palm_px, 1.0))
