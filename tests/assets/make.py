"""Makes the stored test assets again: `python -m tests.assets.make` (needs the embedded models in the cache)."""

from pathlib import Path

import numpy as np

from omnihuman.modelhub.hub import ModelHub
from omnihuman.perception.face import FacePerception
from tests.unit.perception.drawn_face import draw_face

POINTS = Path(__file__).with_name("drawn_face_points.npy")
"""Landmarks `478 3` of `draw_face()`, so that the motion space can be tested without model files."""


def main() -> None:
    """Finds the drawn face with the real models and stores its points."""
    with ModelHub.open() as hub:
        faces = FacePerception(hub.handle("face-detector"), hub.handle("face-mesh")).detect(draw_face())
    assert len(faces) == 1, f"one face expected, {len(faces)} found"
    np.save(POINTS, faces[0].points.astype(np.float32))


if __name__ == "__main__":
    main()
