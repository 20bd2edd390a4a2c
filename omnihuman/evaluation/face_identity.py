"""A face -> a vector that is alike for pictures of one person: SFace (Zhong et al. 2021), run with ONNX Runtime.

For measuring only; the model is fetched when it is asked for. The crop is the one that such networks were trained on:
five points of the face laid onto fixed places of a 112 x 112 picture. Legend: T frames, E width of a vector.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from omnihuman.errors import InputError, ModelError
from omnihuman.perception.face import FaceLandmarks, FacePerception
from omnihuman.types import Float, Image

SIDE_PX = 112
_PLACES = np.array([[38.29, 51.70], [73.53, 51.50], [56.03, 71.74], [41.55, 92.37], [70.73, 92.20]], np.float64)
"""Eye, eye, nose tip, mouth corner, mouth corner, from the image left to the right (the layout of ArcFace)."""
_POINTS = ((33, 133), (362, 263), (4,), (61,), (291,))
"""The same places on the mesh; an eye is the middle of its corners."""


class FaceIdentity:
    """Recognises faces.

    Args:
        session: ONNX Runtime session: `1 3 112 112` RGB in 0..255 -> `1 E`.
    """

    def __init__(self, session: Any) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> FaceIdentity:
        """Opens the one ONNX file.

        Args:
            files: Holds one file that ends in `.onnx`.
            device: Ignored: the network is small and runs on the CPU.

        Raises:
            ModelError: identity_broken, it is not a network of that kind.
        """
        import onnxruntime

        (path,) = (path for name, path in files.items() if name.endswith(".onnx"))
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        fix = "Run: python -m omnihuman models verify"
        try:
            session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own untyped family of errors
            cause = f"the face network cannot be loaded ({type(error).__name__})"
            raise ModelError("identity_broken", cause, fix) from None
        shapes = [tuple(node.shape) for node in session.get_inputs()]
        if shapes != [(1, 3, SIDE_PX, SIDE_PX)] or len(session.get_outputs()) != 1:
            raise ModelError("identity_broken", f"the face network takes {shapes}, not one aligned face", fix)
        return cls(session)

    def embed(self, frame: Image, face: FaceLandmarks) -> Float:
        """The vector `E` of one face."""
        crop = aligned_crop(frame, face.points).astype(np.float32)
        vector = self._session.run(None, {self._input: np.ascontiguousarray(crop.transpose(2, 0, 1))[None]})[0]
        return np.asarray(vector, np.float32).reshape(-1)


def aligned_crop(frame: Image, points: Float) -> Image:
    """The face upright in a square of 112 pixels, five of its points laid onto their places by turning and scaling."""
    seen = np.array([points[list(numbers), :2].mean(0) for numbers in _POINTS], np.float64)
    centre, goal = seen.mean(0), _PLACES.mean(0)
    a, b = seen - centre, _PLACES - goal
    # The closest similarity of the plane, written with one complex number: scale and turn.
    factor = np.sum(np.conj(a @ [1, 1j]) * (b @ [1, 1j])) / np.sum(a**2)
    turn = np.array([[factor.real, -factor.imag], [factor.imag, factor.real]])
    matrix = np.column_stack([turn, goal - turn @ centre])
    shrink = abs(factor)
    if shrink < 0.5:
        # Warping samples single pixels: a large face is smoothed first, or it would flicker.
        frame = np.asarray(cv2.GaussianBlur(frame, (0, 0), 0.3 / shrink), np.uint8)
    return np.asarray(cv2.warpAffine(frame, matrix, (SIDE_PX, SIDE_PX), flags=cv2.INTER_LINEAR), np.uint8)


Lend = Callable[[], AbstractContextManager[Any]]


def embed_picture(picture: Image, perception: FacePerception, lend: Lend) -> Float:
    """The vector `E` of the largest face of a picture.

    Raises:
        InputError: face_missing.
    """
    faces = perception.detect(picture, max_faces=1)
    if not faces:
        raise InputError("face_missing", "the picture shows no face", "Give a picture of one person's face.")
    with lend() as network:
        return np.asarray(network.embed(picture, faces[0]), np.float32)


def embed_frames(frames: Iterable[Image], perception: FacePerception, lend: Lend, every: int) -> Float:
    """Vectors `T E` of every so many frames; a row of NaN where no face is found.

    Raises:
        InputError: face_missing, in all of them.
    """
    rows: list[Float | None] = []
    with lend() as network:
        for index, frame in enumerate(frames):
            if index % every == 0:
                faces = perception.detect(frame, max_faces=1)
                rows.append(network.embed(frame, faces[0]) if faces else None)
    found = [row for row in rows if row is not None]
    if not found:
        raise InputError("face_missing", "no frame of the video shows a face", "Give a video of one person's face.")
    nothing = np.full(len(found[0]), np.nan, np.float32)
    return np.stack([nothing if row is None else row for row in rows])
