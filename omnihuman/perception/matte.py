"""How much of each pixel belongs to the pictured person, 0..1. Segmentation and edges only; fills no background.

A small network looks at the whole picture and at the head; a guided filter (He, Sun, Tang 2010) then lets the edge
follow the picture, and only the piece that holds the face is kept.
Legend: H height, W width of the picture; h, w of the working copy.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from omnihuman.perception.body import BodyLandmarks
from omnihuman.perception.bones import strangeness
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.face_geometry import iod_px
from omnihuman.perception.mesh_topology import FACE_OVAL
from omnihuman.perception.roi import Silhouette, SquareROI
from omnihuman.perception.tflite import TFLiteModel, require_file
from omnihuman.types import Float, Handle, Image

FILE_NAME = "selfie_segmentation.tflite"

_HEAD_SCALE = 3.2
_WORKING_SIDE_PX = 1024
_RADIUS_IOD = 0.06
_RADIUS_WITHOUT_FACE = 0.01
_REGULARISATION = 1e-4
_CONTRAST = (0.1, 0.9)
_PURE = 0.06
_HEAD_SHARE = (0.5, 0.8)
_HEAD_SEEN_PX = (64.0, 24.0)
_HEAD_FADE = 0.3
_OUTLINE_SHARE, _OUTLINE_FADE = 0.55, 0.1
_LOGIT_LIMIT = 4.6


class SelfieSegmenter:
    """The segmentation network: a square picture -> probability of "person" per pixel.

    Args:
        path: Path of `selfie_segmentation.tflite`.
    """

    def __init__(self, path: Path) -> None:
        self._model = TFLiteModel.from_file(path)
        self.size = self._model.input_shape[1]
        """Side of the input and the output in pixels."""

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> SelfieSegmenter:
        """Loads from a registry entry's files; the network always runs on the CPU, whatever `device` says."""
        return cls(require_file(files, FILE_NAME))

    def person(self, crop: Image) -> Float:
        """Probability of "person" `S S` for an RGB picture `S S 3`: the mean over the picture and its mirror image."""
        pixels = crop.astype(np.float32) / np.float32(255)
        upright, mirrored = (next(iter(self._model(p[None]).values()))[0, :, :, 0] for p in (pixels, pixels[:, ::-1]))
        return np.asarray((upright + mirrored[:, ::-1]) / 2, np.float32)


class PersonMatte:
    """The matte of one person.

    Args:
        segmenter: Handle of a `SelfieSegmenter`.
    """

    def __init__(self, segmenter: Handle) -> None:
        self._segmenter = segmenter

    def estimate(self, image: Image, face: FaceLandmarks | None, body: BodyLandmarks | None = None) -> Float:
        """The person's share of each pixel.

        Args:
            image: `H W 3`.
            face: The face of the person meant; without it the largest piece is taken.
            body: The same person's body; its outline is a second opinion, and what lies far from its bones is left
                to the background.

        Returns:
            `H W` float32, exactly 0 and 1 away from the edge. All zero when nothing looks like a person.
        """
        height, width = image.shape[:2]
        scale = min(1.0, _WORKING_SIDE_PX / max(height, width))
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        points = face.points[:, :2] * scale if face is not None else None
        with self._segmenter() as segmenter:
            coarse = _whole_picture(segmenter, small)
            head = None if face is None else _head_roi(face, scale)
            if body is not None and body.silhouette is not None:
                coarse = _with_outline(coarse, body.silhouette, scale, head)
            if head is not None:
                coarse = _with_head(segmenter, small, coarse, head)
            cell_px = max(size) / segmenter.size
        if face is not None and body is not None:
            coarse = _within_reach(coarse, strangeness(body, face, *size, scale))
        radius = _RADIUS_WITHOUT_FACE * min(height, width) if face is None else _RADIUS_IOD * iod_px(face.points)
        # Windows as wide as what the network resolves, however small the head is.
        radius_small = max(2, round(radius * scale), round(cell_px))
        coarse = _one_piece(_decided(coarse), points, radius_small)
        matte = guided_filter(image, small, coarse, radius_small)
        return _pure_ends(matte, _spread(coarse, width, height))


def guided_filter(image: Image, small: Image, coarse: Float, radius_px: int) -> Float:
    """Lets a coarse map follow the edges of the picture.

    Args:
        image: `H W 3`, the guide at full size.
        small: `h w 3`, the same picture at working size.
        coarse: `h w`, the map.
        radius_px: Radius of the windows in pixels of `small`.

    Returns:
        `H W` float32; may overshoot 0..1 slightly.
    """
    guide = small.astype(np.float32) / 255.0
    window = (2 * radius_px + 1, 2 * radius_px + 1)

    def mean(values: Float) -> Float:
        return np.asarray(cv2.boxFilter(values, -1, window, borderType=cv2.BORDER_REFLECT), np.float32)

    mean_guide, mean_map = mean(guide), mean(coarse)
    covariance = mean(guide * coarse[..., None]) - mean_guide * mean_map[..., None]
    products = np.concatenate([guide[..., i : i + 1] * guide[..., i:] for i in range(3)], axis=-1)
    variance = np.dstack([mean(products[..., :4]), mean(products[..., 4:])])
    variance -= np.concatenate([mean_guide[..., i : i + 1] * mean_guide[..., i:] for i in range(3)], axis=-1)
    slope = _solve_symmetric(variance + np.array([1, 0, 0, 1, 0, 1], np.float32) * _REGULARISATION, covariance)
    offset = mean_map - (slope * mean_guide).sum(axis=-1)
    height, width = image.shape[:2]
    filtered = _spread(mean(offset), width, height)
    # Channel by channel: all of a large picture in float would be most of the memory of the whole run.
    for channel in range(3):
        filtered += _spread(mean(slope[..., channel] / np.float32(255)), width, height) * image[..., channel]
    return filtered


def _solve_symmetric(matrix: Float, vector: Float) -> Float:
    """Solves per pixel for `h w 3`; `matrix` `h w 6` holds xx, xy, xz, yy, yz, zz of a positive definite `3 3`."""
    xx, xy, xz, yy, yz, zz = np.moveaxis(matrix, -1, 0)
    cofactors = yy * zz - yz * yz, xz * yz - xy * zz, xy * yz - xz * yy
    determinant = xx * cofactors[0] + xy * cofactors[1] + xz * cofactors[2]
    a, b, c = np.moveaxis(vector, -1, 0)
    solution = (
        cofactors[0] * a + cofactors[1] * b + cofactors[2] * c,
        cofactors[1] * a + (xx * zz - xz * xz) * b + (xy * xz - xx * yz) * c,
        cofactors[2] * a + (xy * xz - xx * yz) * b + (xx * yy - xy * xy) * c,
    )
    return np.dstack(solution) / np.maximum(determinant, 1e-12)[..., None]


def _whole_picture(segmenter: SelfieSegmenter, image: Image) -> Float:
    """Probability `h w` from two looks: stretched to a square as in training, and in a square with its shape kept."""
    height, width = image.shape[:2]
    side = segmenter.size
    squeezed = np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), np.uint8)
    stretched = segmenter.person(squeezed)
    square = SquareROI(width / 2, height / 2, float(max(height, width)))
    kept_shape = segmenter.person(square.crop(image, side, cv2.BORDER_CONSTANT))
    return (_spread(stretched, width, height) + square.place(kept_shape, width, height)) / np.float32(2)


def _head_roi(face: FaceLandmarks, scale: float) -> SquareROI:
    x0, y0, x1, y1 = (v * scale for v in face.box)
    return SquareROI((x0 + x1) / 2, (y0 + y1) / 2, face.size_px * scale * _HEAD_SCALE)


def _with_head(segmenter: SelfieSegmenter, image: Image, coarse: Float, roi: SquareROI) -> Float:
    """Mixes in a closer look at the head; the smaller the head in the first look, the more the closer one counts."""
    height, width = image.shape[:2]
    closer = roi.place(segmenter.person(roi.crop(image, segmenter.size)), width, height)
    seen_px = roi.side_px / _HEAD_SCALE / max(height, width) * segmenter.size
    share = np.interp(seen_px, _HEAD_SEEN_PX[::-1], _HEAD_SHARE[::-1])
    weight = roi.place(_faded(segmenter.size, _HEAD_FADE), width, height) * np.float32(share)
    mixed = _logit(coarse) * (1 - weight) + _logit(closer) * weight
    return _probability(mixed)


def _with_outline(coarse: Float, silhouette: Silhouette, scale: float, head: SquareROI | None) -> Float:
    """Mixes in how the body network sees the body: curtains and neighbours do not confuse it."""
    height, width = coarse.shape
    seen = silhouette.roi
    roi = SquareROI((seen.x + 0.5) * scale - 0.5, (seen.y + 0.5) * scale - 0.5, seen.side_px * scale, seen.roll_rad)
    weight = roi.place(_faded(len(silhouette.logits), _OUTLINE_FADE), width, height) * np.float32(_OUTLINE_SHARE)
    if head is not None:
        weight *= 1 - head.place(_faded(len(silhouette.logits), _HEAD_FADE), width, height)
    # Beyond these limits the network only says how sure it is, not how right.
    outline = roi.place(np.clip(silhouette.logits, -_LOGIT_LIMIT, _LOGIT_LIMIT), width, height)
    return _probability(_logit(coarse) * (1 - weight) + outline * weight)


def _faded(side: int, fade: float) -> Float:
    """A square `S S` of ones that falls to 0 at its border over a share of its half side."""
    distance = np.abs(np.linspace(-1, 1, side, dtype=np.float32))
    ramp = np.clip((1.0 - distance) / fade, 0.0, 1.0).astype(np.float32)
    return np.outer(ramp, ramp)


def _within_reach(coarse: Float, strange: Float) -> Float:
    return _probability(_logit(coarse) - np.float32(2 * _LOGIT_LIMIT) * strange)


def _probability(logit: Float) -> Float:
    return (1.0 / (1.0 + np.exp(-logit))).astype(np.float32)


def _decided(probability: Float) -> Float:
    """Pushes doubtful values apart, so that a dark robe does not turn into mist."""
    low, high = _CONTRAST
    t = np.clip((probability - low) / (high - low), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def _logit(probability: Float) -> Float:
    kept = np.clip(probability, 0.01, 0.99)
    return np.log(kept / (1.0 - kept))


def _spread(values: Float, width: int, height: int) -> Float:
    """A map of the whole picture at another size."""
    return np.asarray(cv2.resize(values, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def _one_piece(coarse: Float, points: Float | None, radius_px: int) -> Float:
    """Keeps the connected piece under the face (or the largest) and makes sure that the face itself is in it."""
    coarse = coarse.copy()
    face = np.zeros(coarse.shape, np.uint8)
    if points is not None:
        cv2.fillConvexPoly(face, cv2.convexHull(points[list(FACE_OVAL)].astype(np.int32)), 1)
        coarse[face > 0] = np.maximum(coarse[face > 0], 0.98)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((coarse > 0.5).astype(np.uint8))
    if count < 2:
        return np.zeros_like(coarse)
    areas = np.bincount(labels[face > 0], minlength=count) if face.any() else statistics[:, cv2.CC_STAT_AREA].copy()
    areas[0] = 0
    kept = (labels == int(areas.argmax())).astype(np.uint8)
    reach = 2 * radius_px + 1
    near = cv2.dilate(kept, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))
    other = (labels > 0) & (kept == 0)
    return np.where(other, 0.0, coarse * near).astype(np.float32)


def _pure_ends(matte: Float, coarse: Float) -> Float:
    """Clips to exact 0 and 1 near the ends, and wherever the coarse map is certain."""
    stretched = np.clip((matte - _PURE) / (1.0 - 2 * _PURE), 0.0, 1.0)
    stretched[coarse < _PURE / 2] = 0.0
    return stretched.astype(np.float32)
