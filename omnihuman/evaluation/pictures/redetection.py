"""Random poses rendered, and found again by networks that know nothing of what was asked.

Every frame is searched from scratch. Lips, lids and brows are read by the attention mesh; angles, place and size by the
mesh without attention; gaze by the iris network.
Legend: N poses, P motion parameters.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from omnihuman.evaluation.pictures.quantities import QUANTITIES, angles_of, expression_of, gaze_of, place_of
from omnihuman.latents.motion.face.eyes import gaze_shift
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.latents.motion.posing import clip_parameters, pose
from omnihuman.latents.motion.reference import MotionReference
from omnihuman.latents.motion.renderer import FrameRenderer
from omnihuman.metrics.agreement import Agreement, agreement
from omnihuman.perception.face import FaceLandmarks, FacePerception
from omnihuman.types import Float, Handle, Image

_OPEN_SHARE = 0.6
"""Irises are judged where the lids leave at least this share of the eye's own gap."""


@dataclass(frozen=True)
class Readers:
    """The networks that read frames.

    Attributes:
        face: Finds faces; attention mesh.
        mesh: Handle of a `PlainFaceMesh`.
        iris: Handle of an `IrisModel`.
    """

    face: FacePerception
    mesh: Handle
    iris: Handle

    def read(self, frame: Image, near: Float, unit_px: float) -> dict[str, float] | None:
        """Quantities of the face nearest to `near` (`2`), or None where no face is found within three units."""
        found = self.face.detect(frame)
        if not found:
            return None
        face = min(found, key=lambda f: _distance(f, near))
        if _distance(face, near) > 3.0 * unit_px:
            return None
        with self.mesh() as mesh:
            first, _ = mesh.landmarks(frame, face.roi)
            plain, _ = mesh.landmarks(frame, FaceLandmarks.from_points(first, 1.0).roi)
        with self.iris() as iris:
            eyes = {side: iris.landmarks(frame, face.points, side).iris[0, :2] for side in "lr"}
        return expression_of(face.points) | angles_of(plain) | place_of(plain, unit_px) | gaze_of(face.points, eyes)


@dataclass(frozen=True)
class Redetection:
    """How well the poses of one picture were found again.

    Attributes:
        agreements: By quantity.
        found: Share of the frames in which the face was found.
    """

    agreements: dict[str, Agreement]
    found: float


def read_poses(
    reference: MotionReference, poses: Float, readers: Readers
) -> Iterator[tuple[dict[str, float], dict[str, float] | None]]:
    """What each pose `N P` asks for and what is read from its frame."""
    renderer = FrameRenderer(reference)
    for parameters in poses:
        wanted, centre = asked(reference, parameters)
        yield wanted, readers.read(renderer.draw(parameters), centre, reference.rig.frame.iod_px)


def asked(reference: MotionReference, parameters: Float) -> tuple[dict[str, float], Float]:
    """Quantities of the posed geometry, angles as asked, and where the face is (`2`)."""
    frame = reference.rig.frame
    value = clip_parameters(parameters, frame)
    points = pose(reference.rig, value)
    unit = frame.iod_px
    wanted = expression_of(points) | place_of(points, unit)
    for name in ("yaw", "pitch", "roll"):
        wanted[name] = float(value[INDEX[f"head_{name}_deg"]])
    shift = gaze_shift(float(value[INDEX["gaze_x"]]), float(value[INDEX["gaze_y"]]), frame, reference.eyes) / unit
    right, down = frame.axes[:2, 0], frame.axes[:2, 1]
    wanted["gaze_x"], wanted["gaze_y"] = (float(shift @ a / (a @ a)) for a in (right, down))
    rest = expression_of(reference.rig.points)
    if min(wanted[eye] / max(rest[eye], 1e-6) for eye in ("eye_l", "eye_r")) < _OPEN_SHARE:
        wanted["gaze_x"] = wanted["gaze_y"] = math.nan
    return wanted, points[[33, 263, 13], :2].mean(0)


def compare(pairs: list[tuple[dict[str, float], dict[str, float] | None]]) -> Redetection:
    """Correlations and slopes over all poses of a picture."""
    agreements = {}
    for name in QUANTITIES:
        wanted = np.array([pair[0][name] for pair in pairs])
        read = np.array([math.nan if pair[1] is None else pair[1][name] for pair in pairs])
        agreements[name] = agreement(wanted, read)
    return Redetection(agreements, float(np.mean([pair[1] is not None for pair in pairs])))


def _distance(face: FaceLandmarks, near: Float) -> float:
    return float(np.linalg.norm(face.points[[33, 263, 13], :2].mean(0) - near))
