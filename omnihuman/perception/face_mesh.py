"""The face mesh network with attention on LiteRT: a square picture of a face -> 478 points. Finds no face itself.

The file holds custom operators that only its makers' runtime knows (look at lips and eyes again, in their own crops).
They are computed here, between two plain networks cut out of the same file. "Attention Mesh" (arXiv 2006.10962).

Legend: S 192 input pixels, F 48 cells of the feature map, G 16 cells of a region crop, N landmarks.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from omnihuman.perception.mesh_topology import EYE_LEFT, EYE_RIGHT, NUM_BASE_POINTS, NUM_POINTS
from omnihuman.perception.tflite import TFLiteModel, require_file
from omnihuman.types import Float, Image

FILE_NAME = "face_landmark_with_attention.tflite"
INPUT_SIZE = 192

_FEATURE_STRIDE = 4
_MATRIX_OP, _CROP_OP, _LANDMARK_OP = b"Landmarks2TransformMatrix", b"TransformTensorBilinear", b"TransformLandmarks"
_MESH_OUTPUT, _FLAG_OUTPUT = b"output_mesh_identity", b"conv_faceflag"


@dataclass(frozen=True)
class _Region:
    """What the file says about one region: which landmarks span it and which pair lies level."""

    landmarks: list[int]
    level_pair: tuple[int, int]
    scale: tuple[float, float]
    cells: int

    def affine(self, cells: Float) -> tuple[Float, Float]:
        """`2 2` and `2` of the map from region cells to feature-map cells, for landmarks `N 2` in feature cells."""
        first, second = (cells[i] for i in self.level_pair)
        roll = math.atan2(second[1] - first[1], second[0] - first[0])
        turn = np.array([[math.cos(roll), -math.sin(roll)], [math.sin(roll), math.cos(roll)]], np.float32)
        upright = cells[self.landmarks] @ turn
        low, high = upright.min(axis=0), upright.max(axis=0)
        linear = turn * (np.array(self.scale, np.float32) * (high - low) / self.cells)
        offset = turn @ ((low + high) / 2) - linear @ np.full(2, self.cells / 2, np.float32)
        return linear, offset


class AttentionFaceMesh:
    """Landmarks of the face in a square cut-out.

    Args:
        content: The flatbuffer of `face_landmark_with_attention.tflite`.
    """

    def __init__(self, content: bytes) -> None:
        from ai_edge_litert import schema_py_generated as schema

        graph = _Graph(schema.ModelT.InitFromPackedBuf(content, 0))
        self._regions = [_read_region(options) for options in graph.custom_options(_MATRIX_OP)]
        crops, landmarks = graph.custom(_CROP_OP), graph.custom(_LANDMARK_OP)
        features = int(crops[0].inputs[0])
        mesh, flag = graph.tensor(_MESH_OUTPUT), graph.tensor(_FLAG_OUTPUT)
        region_inputs = [int(op.outputs[0]) for op in crops]
        region_outputs = [int(op.inputs[0]) for op in landmarks]
        self._trunk = TFLiteModel(graph.cut(graph.inputs, [mesh, flag, features]), FILE_NAME)
        self._heads = TFLiteModel(graph.cut(region_inputs, region_outputs), FILE_NAME)
        self._trunk_names = graph.names([mesh, flag, features])
        self._head_names = graph.names(region_outputs)

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> AttentionFaceMesh:
        """Loads from a registry entry's files; the network always runs on the CPU, whatever `device` says."""
        return cls(require_file(files, FILE_NAME).read_bytes())

    def landmarks(self, crop: Image) -> tuple[Float, float]:
        """Finds the landmarks.

        Args:
            crop: `S S 3` RGB with the face upright and about two thirds of the side.

        Returns:
            `478 3` in pixels of the crop, z towards the viewer, and the confidence 0..1 that this is a face.
        """
        raw = self._trunk(crop[None].astype(np.float32) / 255.0)
        mesh, flag, features = (raw[name] for name in self._trunk_names)
        base = mesh.reshape(NUM_BASE_POINTS, 3)
        affines = [region.affine(base[:, :2] / np.float32(_FEATURE_STRIDE)) for region in self._regions]
        crops = [
            _sample(features[0], affine, region.cells) for affine, region in zip(affines, self._regions, strict=True)
        ]
        heads = self._heads(*crops)
        refined = [heads[name][0] for name in self._head_names]
        points = self._merge(base, refined, affines)
        points[:, 2] *= -1.0
        return points, 1.0 / (1.0 + math.exp(-float(flag.reshape(-1)[0])))

    def _merge(self, base: Float, refined: Sequence[Float], affines: Sequence[tuple[Float, Float]]) -> Float:
        """Puts lips, eyes and irises over the base mesh; depth stays the base's, an iris takes its eye's mean."""
        lips, eye_right, iris_right, eye_left, iris_left = (
            refined[k] @ affines[a][0].T + _FEATURE_STRIDE * affines[a][1] for k, a in enumerate((0, 1, 1, 2, 2))
        )
        points = np.zeros((NUM_POINTS, 3), np.float32)
        points[:NUM_BASE_POINTS] = base
        for region, values in zip(self._regions, (lips, eye_right, eye_left), strict=True):
            points[region.landmarks, :2] = values
        for start, values, ring in ((468, iris_right, EYE_RIGHT), (473, iris_left, EYE_LEFT)):
            points[start : start + 5, :2] = values
            points[start : start + 5, 2] = base[list(ring), 2].mean()
        return points


def _sample(features: Float, affine: tuple[Float, Float], cells: int) -> Float:
    """Bilinear samples `G G C` of features `F F C`; zero outside."""
    linear, offset = affine
    grid = np.stack(np.meshgrid(np.arange(cells), np.arange(cells)), axis=-1).astype(np.float32) + 0.5
    position = grid @ linear.T + offset - 0.5
    corner = np.floor(position).astype(int)
    share = position - corner
    padded = np.pad(features, ((1, 2), (1, 2), (0, 0)))
    x, y = (np.clip(corner[..., k] + 1, 0, features.shape[1 - k] + 1) for k in (0, 1))
    u, v = share[..., :1], share[..., 1:]
    top = padded[y, x] * (1 - u) + padded[y, x + 1] * u
    bottom = padded[y + 1, x] * (1 - u) + padded[y + 1, x + 1] * u
    return top * (1 - v) + bottom * v


def _read_region(options: Mapping[str, Any]) -> _Region:
    return _Region(
        landmarks=list(options["subset_idxs"]),
        level_pair=(options["left_rotation_idx"], options["right_rotation_idx"]),
        scale=(options["scale_x"], options["scale_y"]),
        cells=options["output_width"],
    )


class _Graph:
    """The operators of a flatbuffer, and plain networks cut out of them."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._main = model.subgraphs[0]
        self.inputs: list[int] = [int(i) for i in self._main.inputs]

    def _code(self, op: Any) -> bytes | None:
        return self._model.operatorCodes[op.opcodeIndex].customCode

    def custom(self, code: bytes) -> list[Any]:
        """Operators of a custom kind, in file order."""
        return [op for op in self._main.operators if self._code(op) == code]

    def custom_options(self, code: bytes) -> list[dict[str, Any]]:
        """Decoded options of the operators of a custom kind."""
        from flatbuffers import flexbuffers  # type: ignore[import-untyped]

        return [flexbuffers.Loads(bytes(op.customOptions)) for op in self.custom(code)]

    def tensor(self, name: bytes) -> int:
        """Number of the tensor called `name`."""
        return next(i for i, tensor in enumerate(self._main.tensors) if tensor.name == name)

    def names(self, tensors: Sequence[int]) -> list[str]:
        """Names of tensors."""
        return [self._main.tensors[i].name.decode() for i in tensors]

    def cut(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """The flatbuffer of just what leads from tensors `inputs` to tensors `outputs`."""
        import flatbuffers

        wanted, kept = set(outputs), []
        for op in reversed(self._main.operators):
            if wanted.intersection(int(i) for i in op.outputs):
                kept.append(op)
                wanted.update(int(i) for i in op.inputs if int(i) >= 0 and int(i) not in inputs)
        part, main = copy.copy(self._model), copy.copy(self._main)
        main.operators, main.inputs, main.outputs = kept[::-1], list(inputs), list(outputs)
        part.subgraphs, part.signatureDefs, part.metadata = [main], None, None
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(part.Pack(builder), b"TFL3")
        return bytes(builder.Output())
