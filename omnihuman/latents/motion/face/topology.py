"""Names for the vertices of the 468-point face mesh: lips, lids, brows, chin, oval. Facts only, no geometry.

The mesh is the one of MediaPipe Face Mesh (Kartynnik et al. 2019). Sides are the pictured person's own; every row
runs from the image left to the image right of a face that looks at the viewer.
"""

from __future__ import annotations

from typing import Final

NUM_LANDMARKS: Final = 468
EYE_OUTER_R, EYE_OUTER_L = 33, 263
FOREHEAD, CHIN, NOSE_TIP = 10, 152, 1
EAR_R, EAR_L = 127, 356

UPPER_LIP_ROWS: Final = (
    (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291),
    (76, 184, 74, 73, 72, 11, 302, 303, 304, 408, 306),
    (62, 183, 42, 41, 38, 12, 268, 271, 272, 407, 292),
    (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308),
)
"""Outer edge first, inner edge last; first and last column are the corners."""
LOWER_LIP_ROWS: Final = (
    (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291),
    (76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306),
    (62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292),
    (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308),
)
UPPER_INNER: Final = UPPER_LIP_ROWS[3][1:-1]
"""Inner edge of the upper lip without the corners, 9 columns."""
LOWER_INNER: Final = LOWER_LIP_ROWS[3][1:-1]

UPPER_LID: Final = {"r": (246, 161, 160, 159, 158, 157, 173), "l": (398, 384, 385, 386, 387, 388, 466)}
LOWER_LID: Final = {"r": (7, 163, 144, 145, 153, 154, 155), "l": (382, 381, 380, 374, 373, 390, 249)}
LID_CORNERS: Final = {"r": (33, 133), "l": (362, 263)}
UPPER_LID_FOLD: Final = {"r": (247, 30, 29, 27, 28, 56, 190), "l": (414, 286, 258, 257, 259, 260, 467)}
"""Second row above the upper lid edge, column by column."""
LOWER_LID_FOLD: Final = {"r": (25, 110, 24, 23, 22, 26, 112), "l": (341, 256, 252, 253, 254, 339, 255)}
IRIS: Final = {"r": (468, 469, 470, 471, 472), "l": (473, 474, 475, 476, 477)}
"""Centre first; the detector gives these five beyond the 468."""

BROW_UPPER: Final = {"r": (70, 63, 105, 66, 107), "l": (336, 296, 334, 293, 300)}
BROW_LOWER: Final = {"r": (46, 53, 52, 65, 55), "l": (285, 295, 282, 283, 276)}

CHIN_LINE: Final = (18, 200, 199, 175, 152)
"""Middle line from below the lower lip to the chin."""
NOSE: Final = (1, 2, 4, 5, 6, 19, 94, 98, 327, 97, 326, 64, 294, 48, 278, 49, 279, 102, 331, 129, 358, 168, 195, 197)

OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""36 points of the face outline, clockwise in the image from the top of the forehead."""

STABLE: Final = (
    *(10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 19, 2, 94, 98, 327, 33, 133, 263, 362),
    *(127, 356, 234, 454, 162, 389, 21, 251, 54, 284, 103, 332, 67, 297, 109, 338),
)
"""Points that hardly move with expression: they carry the head pose of a driver."""
