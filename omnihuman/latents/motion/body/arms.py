"""Takes the movable arms of a picture apart from the rest: gates, layers, and what is left when they are gone.

Legend: H height, W width of the picture; L and R are the person's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from omnihuman.latents.motion.body.arm_bones import FORE, HAND, UPPER, ArmBones, locate_arm
from omnihuman.latents.motion.body.arm_gate import ArmGate, ArmScene, closed, judge
from omnihuman.latents.motion.body.arm_layer import ArmLayer, build_layer
from omnihuman.latents.motion.body.arm_matte import ArmMatte, arm_box, completed_matte, segment_arm
from omnihuman.latents.motion.body.beneath import Beneath, take_out, trunk_shape
from omnihuman.latents.motion.body.grip import holds_something
from omnihuman.latents.motion.body.torso import Torso
from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.scene.layers import Layers
from omnihuman.types import Float, Image

if TYPE_CHECKING:
    from omnihuman.perception.body import BodyLandmarks
    from omnihuman.perception.hands import HandLandmarks

_MIN_SPAN_PX = 24.0
_SEEN = 0.5
_CORE_SW = 0.14
_OTHER = {"l": "r", "r": "l"}


@dataclass(frozen=True)
class Arms:
    """The movable arms of a picture.

    Attributes:
        gates: By side, "l" and "r": how far each arm may move, and why not further.
        movable: Layers of the arms that may move, in drawing order.
        base: `H W 3` the picture without them.
        layers: Person and background of `base`.
    """

    gates: dict[str, ArmGate]
    movable: tuple[ArmLayer, ...]
    base: Image
    layers: Layers


@dataclass(frozen=True)
class Sight:
    """What is known of the arms before they are taken apart.

    Attributes:
        image: `H W 3`.
        matte: `H W` person in 0..1, arms that it had missed included.
        landmarks: `478 3` of the face.
        torso: Where the torso is.
        trunk: `H W` 1 where a plain trunk lies.
        bones: Bones of the arms by side; none where no arm can be looked for.
        reason: Why there are none.
    """

    image: Image
    matte: Float
    landmarks: Float
    torso: Torso
    trunk: Float
    bones: dict[str, ArmBones]
    reason: str = ""


def see_arms(
    image: Image,
    matte: Float,
    landmarks: Float,
    torso: Torso,
    body: BodyLandmarks | None,
    hands: Mapping[str, HandLandmarks] | None,
) -> Sight:
    """Finds the arms' bones, and adds to the matte what it missed of them.

    Args:
        image: `H W 3`.
        matte: `H W` person in 0..1.
        landmarks: `478 3` of the face.
        torso: Where the torso is.
        body: Body landmarks, or None: no arm moves.
        hands: Found hands by side, or None.
    """
    blind = "no body found" if body is None else "too small" if torso.width_px < _MIN_SPAN_PX else ""
    if matte.max() <= _SEEN:
        blind = "no person's matte"
    if blind or body is None:
        return Sight(image, matte, landmarks, torso, np.zeros_like(matte), {}, blind)
    found = {side: locate_arm(body, (hands or {}).get(side), side, torso) for side in "lr"}
    trunk = trunk_shape(body, torso, *matte.shape)
    sight = Sight(image, matte, landmarks, torso, trunk, found)
    for side, arm in found.items():
        box = arm_box(arm, *matte.shape)
        if box is not None:
            matte = completed_matte(image, matte, arm, _not_this_arm(sight, found[_OTHER[side]]), box)
    bones = {s: replace(arm, holds=holds_something(image, matte, arm)) for s, arm in found.items()}
    return Sight(image, matte, landmarks, torso, trunk, bones)


def take_arms(sight: Sight, whole: Layers) -> Arms:
    """Takes out every arm that can move.

    Args:
        sight: The picture.
        whole: Person and background of the whole picture.
    """
    if not sight.bones:
        return Arms({side: closed(sight.reason) for side in "lr"}, (), sight.image, whole)
    gates: dict[str, ArmGate] = {}
    movable: list[ArmLayer] = []
    image, matte = sight.image, sight.matte
    for side in "lr":
        arm, other = sight.bones[side], sight.bones[_OTHER[side]]
        box = arm_box(arm, *matte.shape)
        if box is None or min(arm.seen[:2]) < _SEEN:
            gates[side] = closed("shoulder or elbow not seen")
            continue
        cut = segment_arm(image, matte, arm, _not_this_arm(sight, other), box)
        beneath = take_out(image, matte, whole.background, cut, sight.trunk, sight.torso.width_px)
        gates[side] = judge(_scene(sight, arm, other, cut, beneath))
        if not gates[side].open:
            continue
        movable.append(build_layer(image, beneath.image, arm, cut, gates[side], sight.torso))
        image, matte = beneath.image, beneath.matte
    # The arm that was taken out last lies lowest.
    movable.reverse()
    layers = whole if not movable else _without_arms(image, matte, whole)
    return Arms(gates, tuple(movable), np.ascontiguousarray(image), layers)


def _scene(sight: Sight, arm: ArmBones, other: ArmBones, cut: ArmMatte, beneath: Beneath) -> ArmScene:
    oval = sight.landmarks[list(topo.OVAL), :2]
    return ArmScene(
        image=sight.image,
        arm=arm,
        matte=cut,
        other=other if min(other.seen[:2]) >= _SEEN else None,
        face=oval,
        span=sight.torso.width_px,
        body_behind=beneath.body_share,
        pattern=beneath.pattern,
    )


def _not_this_arm(sight: Sight, other: ArmBones) -> Float:
    """`H W` 1 where face, trunk or the other arm surely are."""
    height, width = sight.matte.shape
    # An erosion by a disc; by way of distances its cost does not grow with the disc.
    depth_px = cv2.distanceTransform(sight.trunk.astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    mask = (depth_px > max(1, round(_CORE_SW * sight.torso.width_px))).astype(np.float32)
    cv2.fillPoly(mask, [np.round(sight.landmarks[list(topo.OVAL), :2]).astype(np.int32)], 1.0)
    seen = [UPPER] if other.seen[1] >= _SEEN else []
    seen += [FORE, HAND] if min(other.seen[1:]) >= _SEEN else []
    for number in seen:
        ends = [tuple(map(int, np.round(p))) for p in other.joints[number : number + 2]]
        cv2.line(mask, ends[0], ends[1], 1.0, max(1, round(float(other.radii[number]))))
    return np.asarray(mask[:height, :width], np.float32)


def _without_arms(image: Image, matte: Float, layers: Layers) -> Layers:
    """The layers of the picture without arms, on the background that is known already."""
    alpha = np.where(matte < 0.02, 0.0, np.clip(matte, 0.0, 1.0)).astype(np.float32)
    person = image.astype(np.float32) - (1.0 - alpha)[..., None] * layers.background.astype(np.float32)
    residual = np.ascontiguousarray(np.concatenate([person, alpha[..., None]], 2))
    return Layers(residual, layers.background)
