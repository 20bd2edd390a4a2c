"""A picture -> a landmark file that a person can correct, and a drawing of what it says. Animates nothing."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from omnihuman.errors import InputError
from omnihuman.media.files import written_aside
from omnihuman.media.image import read_image, write_image
from omnihuman.perception.face_template import mean_mesh
from omnihuman.perception.landmark_file import landmark_record, record_text
from omnihuman.perception.mesh_topology import edges
from omnihuman.perception.pictured import PersonFinder
from omnihuman.pipeline.check import check_places
from omnihuman.types import Float, Image, PersonChoice

_TEMPLATE_SIDE = 0.5
_DRAWN_SIDE_PX = 1400
_LINE, _POINT = (0, 200, 120), (255, 60, 40)


@dataclass(frozen=True)
class Located:
    """Where a face is.

    Attributes:
        points: `478 3` landmarks, pixels of the upright picture.
        seen: Whether a face was found; else a template was placed, and its points have to be moved.
        num_faces: Faces that were found.
    """

    points: Float
    seen: bool
    num_faces: int


def locate(image: Image, finder: PersonFinder, face: int) -> Located:
    """The landmarks of face number `face` in a picture `H W 3`, or a template to be moved.

    Raises:
        InputError: face_number_invalid.
    """
    try:
        person = finder.find(image, PersonChoice(face))
    except InputError as error:
        if error.code != "face_not_found":
            raise
        return Located(_centred(image), seen=False, num_faces=0)
    return Located(person.face.points, person.face_seen, person.num_faces)


def write_landmarks(picture: Path, out: Path, sheet: Path | None, finder: PersonFinder, face: int) -> Located:
    """Finds a face and writes its landmark file, and a drawing of it (PNG) where `sheet` is given.

    Raises:
        InputError: what reading raises, output_invalid, face_number_invalid.
        ResourceError: output_unwritable or disk_full.
    """
    check_places([out], ".json", [picture])
    check_places([] if sheet is None else [sheet], ".png", [picture, out])
    image = read_image(picture)
    located = locate(image, finder, face)
    height, width = image.shape[:2]
    text = record_text(landmark_record(located.points, width, height, located.seen))
    with written_aside(out) as part:
        part.write_text(text + "\n", encoding="utf-8")
    if sheet is not None:
        with written_aside(sheet) as part:
            write_image(part, drawn(image, located))
    return located


def drawn(image: Image, located: Located) -> Image:
    """The part of the picture round the face, large, with mesh and the names that its file holds."""
    points = located.points
    middle, reach = points[:, :2].mean(axis=0), 0.75 * float(np.ptp(points[:, :2], axis=0).max())
    height, width = image.shape[:2]
    x0, y0 = (int(max(0, c - reach)) for c in middle)
    x1, y1 = int(min(width, middle[0] + reach)) + 1, int(min(height, middle[1] + reach)) + 1
    if x1 - x0 < 2 or y1 - y0 < 2:
        x0, y0, x1, y1 = 0, 0, width, height
    scale = _DRAWN_SIDE_PX / max(x1 - x0, y1 - y0)
    canvas = cv2.resize(image[y0:y1, x0:x1], None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    placed = ((points[:, :2] - [x0, y0]) * scale).round().astype(int)
    for a, b in edges():
        cv2.line(canvas, tuple(placed[a].tolist()), tuple(placed[b].tolist()), _LINE, 1, cv2.LINE_AA)
    for name, (x, y) in landmark_record(points, width, height, located.seen)["points"].items():
        place = (round((x - x0) * scale), round((y - y0) * scale))
        cv2.circle(canvas, place, 5, _POINT, -1, cv2.LINE_AA)
        text = (place[0] + 7, place[1] - 5)
        for colour, thickness in (((0, 0, 0), 3), ((255, 255, 255), 1)):
            cv2.putText(canvas, name, text, cv2.FONT_HERSHEY_SIMPLEX, 0.45, colour, thickness, cv2.LINE_AA)
    return np.asarray(canvas, np.uint8)


def _centred(image: Image) -> Float:
    """The mean face in the middle of the picture."""
    height, width = image.shape[:2]
    mesh = mean_mesh()
    placed = (mesh - (mesh.min(axis=0) + mesh.max(axis=0)) / 2) * _TEMPLATE_SIDE * min(height, width)
    placed /= float(np.ptp(mesh[:, 1]))
    placed[:, :2] += [width / 2, height / 2]
    return np.asarray(placed, np.float32)
