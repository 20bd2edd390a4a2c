"""Everything that is computed once per picture: mesh, depth, basis, layers, drawing order, eyes, mouth, facts.

Plain frozen arrays, so a reference can be pickled, cached and sent to a worker. No networks here.
Legend: H height, W width, V vertices, F triangles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.body.arms import Arms, see_arms, take_arms
from omnihuman.latents.motion.body.torso import Torso, build_body_field, locate_torso
from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.basis import build_basis
from omnihuman.latents.motion.face.contours import widen_lids
from omnihuman.latents.motion.face.depth import HeadFrame, head_frame, vertex_depth
from omnihuman.latents.motion.face.eyes import Eye, build_eyes
from omnihuman.latents.motion.face.lid_skin import LidSkin, sample_lid_skin
from omnihuman.latents.motion.face.mesh import OUTSIDE, Index, PlanarMesh, build_mesh, split_lips
from omnihuman.latents.motion.face.mouth import MouthInterior, build_interior
from omnihuman.latents.motion.face.probes import Probes, place_probes
from omnihuman.latents.motion.face.seam import snap_to_lip_line
from omnihuman.latents.motion.posing import MIN_GAP_IOD, Rig, lip_gaps
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.latents.motion.scene.layers import Layers, split_layers
from omnihuman.latents.motion.scene.raster import triangle_map
from omnihuman.types import Expression, Float, Image, ReferenceFacts

if TYPE_CHECKING:
    from omnihuman.perception.body import BodyLandmarks
    from omnihuman.perception.hands import HandLandmarks

_NECK_IOD = 1.15
_HEAD_REACH_IOD = (1.6, 2.8)
_SMILE_LIFT_IOD = 0.088
_NEUTRAL_CORNER_IOD = 0.01


@dataclass(frozen=True)
class DrawingOrder:
    """Which triangles are drawn, and when.

    Attributes:
        outer: Triangles outside the face, furthest first; pure background is left out.
        face: Triangles of face, mouth and eyes, to be sorted by depth in every frame.
        mixed: `F` 1 where a triangle straddles the silhouette.
    """

    outer: Index
    face: Index
    mixed: NDArray[np.uint8]


@dataclass(frozen=True)
class MotionReference:
    """One prepared picture.

    Attributes:
        image: `H W 3` the picture.
        landmarks: `478 3` as detected.
        facts: What motion depends on.
        mesh: Planar mesh over the frame.
        rig: What answers to parameters.
        probes: Points that measure how skull, jaw and eyes moved.
        layers: Person without movable arms, and background.
        arms: Movable arms, their gates, and the picture without them.
        order: Drawing order.
        interior: What lies behind the lips.
        eyes: By side, "r" and "l".
        lids: Skin of the upper lids, by side.
    """

    image: Image
    landmarks: Float
    facts: ReferenceFacts
    mesh: PlanarMesh
    rig: Rig
    probes: Probes
    layers: Layers
    arms: Arms
    order: DrawingOrder
    interior: MouthInterior
    eyes: dict[str, Eye]
    lids: dict[str, LidSkin]


def build_reference(
    image: Image,
    landmarks: Float,
    matte: Float,
    body: BodyLandmarks | None,
    hands: Mapping[str, HandLandmarks] | None = None,
) -> MotionReference:
    """Prepares a picture.

    Args:
        image: `H W 3`.
        landmarks: `478 3`.
        matte: `H W` person in 0..1; all zero means that there is none, and the whole picture bends with the person.
        body: Body landmarks, or None.
        hands: Found hands by the person's own side, "l" and "r"; without one, wrist and fingers hardly move.
    """
    height, width = image.shape[:2]
    frame = head_frame(landmarks)
    fitted = widen_lids(image, landmarks, frame)
    fitted = snap_to_lip_line(image, fitted, frame)
    fitted = split_lips(fitted, frame.axes[:, 1], MIN_GAP_IOD * frame.iod_px)
    mesh = build_mesh(fitted, height, width)
    depth = vertex_depth(mesh.points, mesh.triangles, landmarks, frame)
    torso = locate_torso(body, frame, height, width)
    rig, probes = _build_rig(mesh, depth, frame, torso)
    sight = see_arms(image, matte, landmarks, torso, body, hands)
    alpha = sight.matte if matte.max() > 0.5 else np.ones_like(matte)
    arms = take_arms(sight, split_layers(image, alpha, frame.iod_px))
    return MotionReference(
        image=np.ascontiguousarray(image),
        landmarks=landmarks.astype(np.float32),
        facts=_facts(image, frame, rig, torso, arms),
        mesh=mesh,
        rig=rig,
        probes=probes,
        layers=arms.layers,
        arms=arms,
        order=_drawing_order(mesh, arms.layers, height, width),
        interior=build_interior(image, rig.points, frame),
        eyes=build_eyes(image, landmarks, rig.points, frame),
        lids=sample_lid_skin(image, rig.points, frame),
    )


def _build_rig(mesh: PlanarMesh, depth: Float, frame: HeadFrame, torso: Torso) -> tuple[Rig, Probes]:
    vertices = np.concatenate([mesh.points, depth[:, None]], 1)
    probes, probe_points = place_probes(vertices, frame)
    points = np.concatenate([vertices, probe_points]).astype(np.float32)
    head_weight = _head_weight(points[:, :2], mesh.points, frame)
    head_weight[len(vertices) :] = 1.0
    rig = Rig(
        points=points,
        head_weight=head_weight,
        basis=build_basis(mesh, depth, frame),
        body=build_body_field(points[:, :2], head_weight, torso),
        frame=frame,
        jaw_probes=probes.jaw,
        rest_gap=lip_gaps(points, frame),
        rest_smile=_rest_smile(points, frame),
    )
    return rig, probes


def _head_weight(points: Float, mesh_points: Float, frame: HeadFrame) -> Float:
    """Share of the head's motion `V`: face and hair fully, the neck ever less, what is far away not at all."""
    oval = mesh_points[list(topo.OVAL)]
    down = frame.axes[:2, 1] / np.linalg.norm(frame.axes[:2, 1])
    below = (points - mesh_points[topo.CHIN]) @ down / frame.iod_px
    aside = np.abs((points - mesh_points[topo.CHIN]) @ np.array([-down[1], down[0]])) / frame.iod_px
    # Shoulders are no neck: beside it the weight falls faster.
    neck = 1 - smoothstep((below * (1 + 1.2 * np.clip((aside - 0.6) / 0.6, 0, 1)) - 0.03) / _NECK_IOD)
    distance = np.sqrt(((points[:, None] - oval[None]) ** 2).sum(2).min(1)) / frame.iod_px
    # Hair and hats may tower: upwards the head reaches further than sideways.
    upward = np.clip((mesh_points[topo.FOREHEAD] - points) @ down / frame.iod_px, 0.0, 2.5)
    near, far = _HEAD_REACH_IOD
    reach = 1 - smoothstep((distance - near - upward) / (far - near))
    return np.asarray(neck * reach, np.float32)


def _rest_smile(points: Float, frame: HeadFrame) -> Float:
    """How much of smile_l, smile_r the picture shows: lift of the corners against the middle of the lips."""
    down = frame.axes[:, 1]
    middle = points[[0, 13, 14, 17]].mean(0)
    lift = np.array([(middle - points[corner]) @ down for corner in (291, 61)]) / frame.iod_px
    return np.clip((lift - _NEUTRAL_CORNER_IOD) / _SMILE_LIFT_IOD, 0.0, 1.0).astype(np.float32)


def _facts(image: Image, frame: HeadFrame, rig: Rig, torso: Torso, arms: Arms) -> ReferenceFacts:
    height, width = image.shape[:2]
    return ReferenceFacts(
        yaw_deg=frame.yaw_deg,
        pitch_deg=frame.pitch_deg,
        roll_deg=frame.roll_deg,
        iod_px=frame.iod_px,
        height_px=height,
        width_px=width,
        torso_visible=torso.visible,
        arm_l_visible=arms.gates["l"].freedom,
        arm_r_visible=arms.gates["r"].freedom,
        mouth_gap_iod=float(rig.rest_gap.mean()) / frame.iod_px,
    )


def _drawing_order(mesh: PlanarMesh, layers: Layers, height: int, width: int) -> DrawingOrder:
    """Sorts the triangles into empty, solid and straddling by what they cover at rest."""
    kernel = np.ones((3, 3), np.uint8)
    active = cv2.dilate(layers.active.astype(np.uint8), kernel)
    alpha = layers.residual[..., 3]
    owner = triangle_map(mesh.points, mesh.triangles, height, width)
    count = len(mesh.triangles)
    some, least = _at_corners(mesh, active, alpha)
    inside = owner >= 0
    np.maximum.at(some, owner[inside], active[inside])
    np.minimum.at(least, owner[inside], alpha[inside])
    mixed = (least < 0.98).astype(np.uint8)
    in_face = mesh.labels != OUTSIDE
    mixed[in_face] = 0
    numbers = np.arange(count, dtype=np.int32)
    drawn = ~in_face & (some > 0)
    outer = np.concatenate([numbers[drawn & (mixed == 0)], numbers[drawn & (mixed == 1)]])
    return DrawingOrder(outer, numbers[in_face], mixed)


def _at_corners(mesh: PlanarMesh, active: NDArray[np.uint8], alpha: Float) -> tuple[NDArray[np.uint8], Float]:
    """Activity and least alpha at the corners of each triangle; beyond the frame its mirror image counts."""
    height, width = alpha.shape
    last = np.array([width - 1, height - 1])
    folded = np.abs(mesh.points)
    folded = np.where(folded > last, 2 * last - folded, folded)
    columns, rows = np.clip(np.round(folded), 0, last).astype(int).T
    corners = mesh.triangles
    return active[rows, columns][corners].max(1), alpha[rows, columns][corners].min(1)


def with_expression(reference: MotionReference, expression: Expression) -> MotionReference:
    """The same reference with another answer to what becomes of the pictured mouth; see `yielding.py`."""
    return replace(reference, rig=replace(reference.rig, expression=expression))
