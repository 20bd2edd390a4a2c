"""Hands of the pictured person as 21 points each. Finding and judging only; moves nothing.

Legend: points in pixels of the picture, x right, y down, z towards the viewer; L and R are the person's own.
"""

from __future__ import annotations

from dataclasses import dataclass

from omnihuman.types import Float

WRIST = 0
FINGERS = {"thumb": (1, 2, 3, 4), "index": (5, 6, 7, 8), "middle": (9, 10, 11, 12), "ring": (13, 14, 15, 16),
           "little": (17, 18, 19, 20)}  # fmt: skip
"""Joints of each finger from its root to its tip."""


@dataclass(frozen=True)
class HandLandmarks:
    """One hand.

    Attributes:
        points: `21 3` float32, wrist first, then `FINGERS`.
        score: Confidence 0..1 that this is a hand.
        side: The person's own "l" or "r".
    """

    points: Float
    score: float
    side: str
