"""Landmarks of a face given by hand: the JSON file, its checks, and the 478 points that follow from it.

A file holds a whole mesh, a few named points, or both: then the mesh is bent to the points, so that correcting a file
means moving a few names. Version 1 is described in docs/landmarks.md. Legend: pixels of the upright picture.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from omnihuman.config import StrictModel, nearest, parse
from omnihuman.errors import ConfigError, InputError
from omnihuman.media.files import LONGEST_NAME, is_readable_file
from omnihuman.perception.face_template import bend_to, lay_template, with_depth
from omnihuman.perception.landmark_names import CORNERS, NAMES, PLACES, PUPILS
from omnihuman.perception.mesh_topology import NUM_BASE_POINTS, NUM_POINTS, triangles
from omnihuman.types import Float

SCHEMA = "omnihuman.landmarks"
ESSENTIAL = ("right_eye", "left_eye", "nose_tip", "right_mouth", "left_mouth", "chin")
"""With these six a template lies well on most faces."""
WAY_OUT = "See docs/landmarks.md; 'python -m omnihuman landmarks PICTURE --out FILE.json' writes one to start from."

_MAX_BYTES = 4_000_000
_MAX_PX = 100_000
"""Of a side, and of a coordinate either way: a larger one is a mistake."""
_MAX_ASPECT_MISS = 0.02
_MIN_EYES_PX = 4.0
_MIN_MOUTH_DROP = 0.2
_MAX_TURNED_SHARE = 0.2
_MIN_INSIDE = 0.7

Place = tuple[float, float]


class LandmarkFile(StrictModel):
    """The JSON file, version 1."""

    schema_: Literal["omnihuman.landmarks"] = Field(alias="schema")
    version: Literal[1]
    width: int = Field(gt=0, le=_MAX_PX, description="Of the picture that the pixels belong to.")
    height: int = Field(gt=0, le=_MAX_PX, description="Of the same picture.")
    points: dict[str, Place] = Field(default_factory=dict, description="Name -> x, y.")
    mesh: list[list[float]] | None = Field(None, description="468 or 478 rows of x, y or x, y, z.")


def read_landmarks(path: Path, width: int, height: int) -> Float:
    """Landmarks `478 3` in pixels of an upright picture of this size; z towards the viewer.

    Args:
        path: The JSON file.
        width: Of the picture as it was read.
        height: The same.

    Raises:
        InputError: landmarks_missing, or landmarks_invalid with the first thing that is wrong.
    """
    file = _parsed(_json(path), path.name)
    for name in file.points:
        if name not in NAMES:
            raise _invalid(f"{path.name}: there is no point '{name}'", nearest(name, list(NAMES)))
    _require_inside(file)
    _require_same_aspect(file, width, height)
    points = rescaled(_points(file), (file.width, file.height), (width, height))
    _require_face(points, width, height)
    return points


def rescaled(points: Float, old_size: tuple[int, int], new_size: tuple[int, int]) -> Float:
    """Landmarks `478 3` of a picture after it was resized; sizes are (width, height)."""
    across, down = (new / old for new, old in zip(new_size, old_size, strict=True))
    grown = points * np.array([across, down, (across + down) / 2], np.float32)
    # Pixel indices name centres: the edge of the picture, not the centre of its first pixel, stays in place.
    grown[:, :2] += np.array([across - 1, down - 1], np.float32) / 2
    return grown


def landmark_record(points: Float, width: int, height: int, seen: bool = True) -> dict[str, Any]:
    """Landmarks of a picture as the content of a file.

    Args:
        points: `478 3`.
        width: Of the picture.
        height: Of the picture.
        seen: The mesh and all names, each of which may be moved; else only those few names that have to be.
    """
    numbers = {**{name: iris[0] for name, (iris, _) in PUPILS.items()}, **PLACES}
    names = NAMES if seen else ESSENTIAL
    record = {
        "schema": SCHEMA,
        "version": 1,
        "width": width,
        "height": height,
        "points": {name: _rounded(points[numbers[name], :2]) for name in names},
    }
    return {**record, "mesh": [_rounded(point) for point in points]} if seen else record


def record_text(record: Mapping[str, Any]) -> str:
    """The content of a file as JSON with one point per line, so that a person can find and change it."""
    return re.sub(r"\[\s+([-\d.,\s]+?)\s+\]", lambda row: f"[{' '.join(row[1].split())}]", json.dumps(record, indent=1))


def _rounded(values: Float) -> list[float]:
    return [round(float(value), 2) for value in values]


def _invalid(cause: str, way_out: str = WAY_OUT) -> InputError:
    return InputError("landmarks_invalid", cause, way_out)


def _json(path: Path) -> dict[str, Any]:
    # A device or a pipe has no end.
    if not is_readable_file(path):
        cause = f"there is no landmark file {path.name[:LONGEST_NAME]!r}"
        raise InputError("landmarks_missing", cause, "Check the path.")
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise _invalid(f"{path.name} is too large to hold landmarks")
        data = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        cause = f"{path.name!r} cannot be read: {error.strerror or error}"
        raise InputError("landmarks_missing", cause, "Check the path.") from None
    except (ValueError, RecursionError) as error:
        raise _invalid(f"{path.name} is not JSON: {str(error)[:120]}") from None
    if not isinstance(data, dict):
        raise _invalid(f"{path.name} holds no JSON object")
    return data


def _parsed(data: Mapping[str, Any], name: str) -> LandmarkFile:
    try:
        file = parse(LandmarkFile, dict(data), name)
    except ConfigError as error:
        raise _invalid(error.cause, error.way_out if error.code == "setting_unknown" else WAY_OUT) from None
    rows = file.mesh or []
    if file.mesh is not None and len(rows) not in (NUM_BASE_POINTS, NUM_POINTS):
        raise _invalid(f"{name}: mesh has {len(rows)} rows, {NUM_BASE_POINTS} or {NUM_POINTS} are needed")
    if {len(row) for row in rows} not in (set(), {2}, {3}):
        raise _invalid(f"{name}: every row of mesh holds x, y or every row holds x, y, z")
    places = [*rows, *file.points.values()]
    if not all(abs(value) <= _MAX_PX for place in places for value in place):
        raise _invalid(f"{name}: a coordinate is no number, or lies beyond every picture")
    for group in (rows, list(file.points.values())):
        # A single name may be moved on a mesh; otherwise what lies in one place is no face.
        if len(group) > 1 and max(float(np.ptp([place[axis] for place in group])) for axis in (0, 1)) < _MIN_EYES_PX:
            raise _invalid(f"{name}: the points lie in one place", "Move the points to their places.")
    if not rows:
        _require_enough(file.points, name)
    return file


def _require_enough(points: Mapping[str, Place], name: str) -> None:
    for eye, corners in CORNERS.items():
        if eye not in points and not all(corner in points for corner in corners):
            cause = f"{name}: '{eye}' is missing"
            raise _invalid(cause, f"Give '{eye}', or both '{corners[0]}' and '{corners[1]}'.")
    for corner in ("right_mouth", "left_mouth"):
        if corner not in points:
            raise _invalid(f"{name}: '{corner}' is missing", "Eyes and both corners of the mouth are needed.")


def _require_inside(file: LandmarkFile) -> None:
    for name, (x, y) in file.points.items():
        if not (0 <= x < file.width and 0 <= y < file.height):
            cause = f"'{name}' at {x:g}, {y:g} lies outside the picture of {file.width} x {file.height}"
            raise _invalid(cause, "Give pixels of the whole upright picture, x to the right and y down.")


def _require_same_aspect(file: LandmarkFile, width: int, height: int) -> None:
    """The same picture may have been saved at another size, but not cropped or turned."""
    if abs(width * file.height / (height * file.width) - 1) > _MAX_ASPECT_MISS:
        cause = f"the landmarks are of a picture of {file.width} x {file.height}, this one has {width} x {height}"
        raise _invalid(cause, "Give the landmarks of this picture: cropping and turning changes them.")


def _points(file: LandmarkFile) -> Float:
    names = [name for name in file.points if name in PLACES]
    places: list[tuple[int, ...]] = [(PLACES[name],) for name in names]
    known = [file.points[name] for name in names]
    loose = []
    for eye, (_, ring) in PUPILS.items():
        if eye not in file.points:
            continue
        if file.mesh is not None or all(corner in file.points for corner in CORNERS[eye]):
            loose.append(eye)  # the eye is known: looking aside moves its pupil and nothing else
        else:
            places.append(ring)
            known.append(file.points[eye])
    at = np.array(known, np.float64).reshape(-1, 2)
    if file.mesh is None:
        points = lay_template(places, at)
    else:
        points = bend_to(with_depth(np.array(file.mesh, np.float64)), places, at)
    for eye in loose:
        iris = list(PUPILS[eye][0])
        points[iris, :2] += np.array(file.points[eye], np.float32) - points[iris[0], :2]
    return points


def _require_face(points: Float, width: int, height: int) -> None:
    """Refuses what no face can look like."""
    right, left = (points[list(ring), :2].mean(axis=0) for _, ring in PUPILS.values())
    eyes, mouth = left - right, points[[61, 291], :2].mean(axis=0) - (left + right) / 2
    length = float(np.hypot(*eyes))
    if length < _MIN_EYES_PX:
        raise _invalid(f"the eyes are {length:.1f} pixels apart", "Move the two eyes to their places.")
    drop = float(eyes[0] * mouth[1] - eyes[1] * mouth[0]) / length**2
    if drop < -_MIN_MOUTH_DROP:
        way_out = "Left and right are the person's own: seen from the front, the left eye is on the right."
        raise _invalid("the face is mirrored: left and right are exchanged", way_out)
    if drop < _MIN_MOUTH_DROP:
        raise _invalid("eyes and mouth lie on one line", "Move the points to their places.")
    inside = (points[:, :2] >= 0).all(axis=1) & (points[:, :2] < [width, height]).all(axis=1)
    if inside.mean() < _MIN_INSIDE:
        cause = f"{100 * (1 - inside.mean()):.0f} % of the face lies outside the picture of {width} x {height}"
        raise _invalid(cause, "Give pixels of the whole upright picture, x to the right and y down.")
    a, b, c = (points[triangles()[:, k], :2] for k in range(3))
    turned = ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]) < 0
    if turned.mean() > _MAX_TURNED_SHARE:
        cause = "the points contradict each other: the face folds over itself"
        raise _invalid(cause, "Look for exchanged names, inner and outer, top and bottom, left and right.")
