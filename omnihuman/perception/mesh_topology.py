"""The face mesh as a surface: triangles, its four holes' borders, and lists of landmarks by name. No coordinates.

L and R are the pictured person's own; "outer to inner" of an eye runs from the temple to the nose. Every list of a
left part mirrors its right part entry by entry.
"""

from __future__ import annotations

from collections import defaultdict, deque
from functools import cache

import numpy as np
from numpy.typing import NDArray

from omnihuman.perception.mesh_edges import EDGE_TABLE, MIRROR_TABLE

NUM_BASE_POINTS = 468
"""Points that have edges and triangles."""
NUM_POINTS = 478
"""With the five points of each iris."""

_NOT_FACES = {(49, 64, 129), (279, 294, 358)}
"""Three landmarks beside each nostril that are joined pairwise round another triangle, not by one of their own."""

FACE_OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
"""Border of the face, from the forehead's middle over the left temple to the chin and back."""

LIPS_INNER_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
"""Lower edge of the upper lip, right corner to left corner, both included."""
LIPS_INNER_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
"""Upper edge of the lower lip, paired entry by entry with the upper one."""
LIPS_OUTER_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
"""Upper border of the lips, right corner to left corner."""
LIPS_OUTER_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
"""Lower border of the lips."""
LIPS_INNER = LIPS_INNER_UPPER + LIPS_INNER_LOWER[-2:0:-1]
"""Closed ring of the mouth opening."""
"""Closed ring round the lips."""

EYE_RIGHT_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
"""Upper lid edge, outer to inner corner, both included."""
EYE_RIGHT_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
"""Lower lid edge, paired with the upper one."""
EYE_LEFT_UPPER = (263, 466, 388, 387, 386, 385, 384, 398, 362)
"""Upper lid edge, outer to inner corner."""
EYE_LEFT_LOWER = (263, 249, 390, 373, 374, 380, 381, 382, 362)
"""Lower lid edge, outer to inner corner."""
EYE_RIGHT = EYE_RIGHT_UPPER + EYE_RIGHT_LOWER[-2:0:-1]
"""Closed ring of the right eye."""
EYE_LEFT = EYE_LEFT_UPPER + EYE_LEFT_LOWER[-2:0:-1]
"""Closed ring of the left eye."""

IRIS_RIGHT = (468, 469, 470, 471, 472)
"""Centre, then the four ends of the right iris' axes."""
IRIS_LEFT = (473, 474, 475, 476, 477)
"""Centre, then the four ends of the left iris' axes."""

BROW_RIGHT_UPPER = (70, 63, 105, 66, 107)
"""Upper border of the brow, outer to inner."""
BROW_RIGHT_LOWER = (46, 53, 52, 65, 55)
"""Lower border of the brow, outer to inner."""
BROW_LEFT_UPPER = (300, 293, 334, 296, 336)
"""Upper border of the brow, outer to inner."""
BROW_LEFT_LOWER = (276, 283, 282, 295, 285)
"""Lower border of the brow, outer to inner."""

NOSE_RIDGE = (168, 6, 197, 195, 5, 4, 1)
"""From between the eyes to the tip."""
CHIN = (152, 175, 199, 200, 18)
"""Middle line of the chin, from the oval up to the lower lip."""

EYE_OUTER_RIGHT, EYE_INNER_RIGHT, EYE_INNER_LEFT, EYE_OUTER_LEFT = 33, 133, 362, 263
LIP_CORNER_RIGHT, LIP_CORNER_LEFT = 61, 291
NOSE_TIP, FOREHEAD_TOP, CHIN_TIP, TEMPLE_RIGHT, TEMPLE_LEFT = 1, 10, 152, 127, 356

HOLES = {"oval": FACE_OVAL, "mouth": LIPS_INNER, "eye_right": EYE_RIGHT, "eye_left": EYE_LEFT}
"""The borders of the surface by name; the first is the outside."""


@cache
def edges() -> NDArray[np.int32]:
    """All edges `E 2`, each once, lower landmark first."""
    pairs = [
        (int(first), int(second))
        for first, others in (row.split(":") for row in EDGE_TABLE.split())
        for second in others.split(",")
    ]
    return np.array(pairs, np.int32)


@cache
def triangles() -> NDArray[np.int32]:
    """Triangles `852 3`: every three landmarks joined pairwise, all turned the same way.

    In a frontal picture (x right, y down) the corners of each triangle run clockwise as seen.
    """
    after: dict[int, set[int]] = defaultdict(set)
    for first, second in edges().tolist():
        after[first].add(second)
    cliques = [
        (a, b, c) for a, b in edges().tolist() for c in sorted(after[a] & after[b]) if (a, b, c) not in _NOT_FACES
    ]
    return _oriented(cliques)


def _oriented(faces: list[tuple[int, int, int]]) -> NDArray[np.int32]:
    """Turns the faces alike by walking over shared edges: neighbours run along a shared edge in opposite ways."""
    owners: dict[frozenset[int], list[int]] = defaultdict(list)
    for number, (a, b, c) in enumerate(faces):
        for pair in ((a, b), (b, c), (c, a)):
            owners[frozenset(pair)].append(number)
    turned = list(faces)
    seed = next(i for i, face in enumerate(faces) if {FACE_OVAL[0], FACE_OVAL[1]} <= set(face))
    turned[seed] = _running_along(faces[seed], FACE_OVAL[0], FACE_OVAL[1])
    seen, queue = {seed}, deque([seed])
    while queue:
        a, b, c = turned[queue.popleft()]
        for first, second in ((a, b), (b, c), (c, a)):
            for neighbour in owners[frozenset((first, second))]:
                if neighbour not in seen:
                    turned[neighbour] = _running_along(faces[neighbour], second, first)
                    seen.add(neighbour)
                    queue.append(neighbour)
    assert len(seen) == len(faces), "the face mesh is one piece"
    return np.array(turned, np.int32)


def _running_along(face: tuple[int, int, int], first: int, second: int) -> tuple[int, int, int]:
    """The face with its corners ordered so that it runs from `first` to `second`."""
    third = next(corner for corner in face if corner not in (first, second))
    return first, second, third


@cache
def border_loops() -> tuple[tuple[int, ...], ...]:
    """Closed loops of landmarks along edges that belong to one triangle only, longest first."""
    count: dict[tuple[int, int], int] = defaultdict(int)
    for a, b, c in triangles().tolist():
        for first, second in ((a, b), (b, c), (c, a)):
            count[min(first, second), max(first, second)] += 1
    around: dict[int, list[int]] = defaultdict(list)
    for (first, second), uses in count.items():
        if uses == 1:
            around[first].append(second)
            around[second].append(first)
    loops = []
    while around:
        start = min(around)
        loop, step = [start], around.pop(start)[0]
        while step != start:
            loop.append(step)
            step = next(n for n in around.pop(step) if n in around or (n == start and len(loop) > 2))
        loops.append(tuple(loop))
    return tuple(sorted(loops, key=len, reverse=True))


@cache
def mirror() -> NDArray[np.int32]:
    """For each of the 478 points the number of its counterpart on the other side; middle points map to themselves."""
    twin = np.arange(NUM_POINTS, dtype=np.int32)
    pairs = [(int(a), int(b)) for a, b in (pair.split("-") for pair in MIRROR_TABLE.split())]
    # An iris counts its ends from the image side, so the two sideways ones change places.
    pairs += zip(IRIS_RIGHT, (IRIS_LEFT[k] for k in (0, 3, 2, 1, 4)), strict=True)
    for right, left in pairs:
        twin[right], twin[left] = left, right
    return twin
