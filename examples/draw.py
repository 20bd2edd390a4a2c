"""Draws the people of `examples/` from scratch: `python examples/draw.py` rewrites the pictures, bit for bit.

The drawings are ours (CC0); no photograph, model or third-party art goes into them. Parts live in `examples/studio`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from studio import clothes, features, hair, head, short_hair
from studio.canvas import Canvas, spot
from studio.look import ADA, OMAR, Look

HERE = Path(__file__).resolve().parent
PEOPLE = ("ada", "omar")


def draw(name: str) -> NDArray[np.uint8]:
    """One person of `PEOPLE` as an RGB picture `960 768 3`."""
    return {"ada": _draw_ada, "omar": _draw_omar}[name]()


def encode(picture: NDArray[np.uint8]) -> bytes:
    """The picture as a PNG file."""
    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_PNG_COMPRESSION, 9])
    assert done
    return data.tobytes()


def _draw_ada() -> NDArray[np.uint8]:
    canvas = _backdrop(ADA)
    hair.paint_bob_back(canvas, ADA)
    clothes.paint_collar_back(canvas, ADA)
    head.paint_neck(canvas, ADA)
    clothes.paint_sweater(canvas, ADA, neckline=316)
    head.paint_face(canvas, ADA)
    features.paint_nostrils(canvas, ADA)
    _paint_expression(canvas, ADA)
    hair.paint_bob(canvas, ADA, head.face_mask(ADA))
    return canvas.finish()


def _draw_omar() -> NDArray[np.uint8]:
    canvas = _backdrop(OMAR)
    clothes.paint_collar_back(canvas, OMAR)
    head.paint_neck(canvas, OMAR)
    clothes.paint_sweater(canvas, OMAR, neckline=322)
    clothes.paint_shirt_collar(canvas, OMAR)
    head.paint_ears(canvas, OMAR)
    head.paint_face(canvas, OMAR)
    features.paint_nostrils(canvas, OMAR)
    short_hair.paint_beard(canvas, OMAR)
    _paint_expression(canvas, OMAR)
    short_hair.paint_crop(canvas, OMAR, head.face_mask(OMAR))
    return canvas.finish()


def _backdrop(look: Look) -> Canvas:
    centre, edge = look.background
    canvas = Canvas()
    canvas.pixels[:] = edge
    canvas.paint(centre, spot(0, 0, 380, 420))
    return canvas


def _paint_expression(canvas: Canvas, look: Look) -> None:
    features.paint_eyes(canvas, look)
    features.paint_brows(canvas, look)
    features.paint_mouth(canvas, look)


def main() -> None:
    """Writes every picture into the folder given, by default beside this script."""
    parser = argparse.ArgumentParser(description="Draw the example portraits.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    folder = parser.parse_args().out
    for name in PEOPLE:
        (folder / f"portrait_{name}.png").write_bytes(encode(draw(name)))


if __name__ == "__main__":
    main()
