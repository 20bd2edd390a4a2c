"""One arm as a layer of its own: its pixels, its mesh, and how that hangs on bones, fingers and torso. Prepared once.

The layer is premultiplied colour A and alpha a. What A + (1 - a) I0 lacks of the picture I, where I0 is the picture
without the arm, is kept as a rest: true background in a soft rim, errors of the cut. It stays where it is and fades as
the arm leaves. So a resting arm gives the picture back bit for bit, whatever the cut and the paint are, and a
moving one drags no rim of background along.
Legend: H height, W width of the picture; h, w of the layer; V vertices, F triangles.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.body.arm_bones import FORE, HAND, UPPER, ArmBones, nearness
from omnihuman.latents.motion.body.arm_gate import CONTINUED_SW, ArmGate
from omnihuman.latents.motion.body.arm_matte import ArmMatte, Box, joint_shares, shoulder_line
from omnihuman.latents.motion.body.hand import FingerRig, build_fingers
from omnihuman.latents.motion.body.torso import BodyField, Torso, build_body_field
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float, Image

Index = NDArray[np.int32]
_CELL_SW, _HAND_CELL_PALM = 0.055, 0.16
_MIN_CELL_PX = 3.0
_SOLID, _SURE = 0.98, 0.9


@dataclass(frozen=True)
class ArmLayer:
    """A movable arm.

    Attributes:
        side: "l" or "r".
        gate: How far it may move.
        pixels: `h w 4` premultiplied colour in 0..255 units, and alpha in 0..1.
        rest: `h w 3` what the picture shows beyond the layer and the picture without it, signed.
        origin: `2` x and y in the picture of the layer's first pixel; negative where the arm goes on beyond the frame.
        points: `V 2` vertices at rest, pixels of the picture.
        triangles: `F 3` in drawing order: upper arm, forearm, hand.
        mixed: `F` 1 where a triangle is not all arm.
        shares: `3 V` share of the turn at shoulder, elbow and wrist.
        pivots: `3 2` shoulder, elbow, wrist.
        lift_sign: +1 where lifting is clockwise in the image.
        fingers: How fingers move, or None.
        body: Torso fields on the vertices, and last on the shoulder joint.
    """

    side: str
    gate: ArmGate
    pixels: Float
    rest: Float
    origin: tuple[int, int]
    points: Float
    triangles: Index
    mixed: NDArray[np.uint8]
    shares: Float
    pivots: Float
    lift_sign: float
    fingers: FingerRig | None
    body: BodyField


def build_layer(image: Image, without: Image, arm: ArmBones, matte: ArmMatte, gate: ArmGate, torso: Torso) -> ArmLayer:
    """Makes the layer of an arm.

    Args:
        image: `H W 3` the picture with the arm.
        without: `H W 3` the picture without it.
        arm: Its bones.
        matte: The arm cut out.
        gate: Its limits.
        torso: What it hangs on.
    """
    pixels, rest, origin = _pixels(image, without, arm, matte, torso.width_px)
    cell = _CELL_SW * torso.width_px
    if arm.hand is not None and gate.limits["finger_curl"][1] > 0:
        cell = min(cell, _HAND_CELL_PALM * arm.palm_px)
    points, triangles = _grid((pixels[..., 3] > 0) | (rest != 0).any(2), origin, max(_MIN_CELL_PX, cell))
    shares = _shares(arm, points)
    centres = points[triangles].mean(1)
    order = np.argsort(shares[1:].sum(0)[triangles].mean(1), kind="stable")
    solid = cv2.erode((pixels[..., 3] > _SOLID).astype(np.uint8), np.ones((3, 3)), iterations=max(1, round(cell)))
    places = np.clip(np.round(centres - origin).astype(int), 0, np.array(solid.shape[::-1]) - 1)
    hooked = np.concatenate([points, arm.joints[:1]])
    return ArmLayer(
        side=arm.side,
        gate=gate,
        pixels=pixels,
        rest=rest,
        origin=origin,
        points=points,
        triangles=triangles[order],
        mixed=(1 - solid[places[:, 1], places[:, 0]])[order].astype(np.uint8),
        shares=shares,
        pivots=arm.joints[:3],
        lift_sign=arm.lift_sign,
        fingers=build_fingers(arm.hand, points),
        body=build_body_field(hooked, np.zeros(len(hooked), np.float32), torso),
    )


def _shares(arm: ArmBones, points: Float) -> Float:
    """Share of the turn at shoulder, elbow and wrist `3 V`; what hangs on a joint hangs fully on those before it."""
    elbow, wrist = joint_shares(arm, points)
    shoulder = np.maximum(np.asarray(smoothstep((shoulder_line(arm, points) + 0.3) / 1.5)), elbow)
    return np.stack([shoulder, elbow, wrist]).astype(np.float32)


def _pixels(
    image: Image, without: Image, arm: ArmBones, matte: ArmMatte, span: float
) -> tuple[Float, Float, tuple[int, int]]:
    """Pixels and rest of the layer, with a margin beyond the frame where the frame cuts it, and its place."""
    height, width = image.shape[:2]
    changed = (image != without).any(2)
    changed[matte.box.window] |= matte.alpha > 0
    rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
    if not len(rows):
        rows, columns = np.array([matte.box.top]), np.array([matte.box.left])
    box = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1).grown(2, height, width)
    whole = np.zeros((height, width), np.float32)
    whole[matte.box.window] = matte.alpha
    alpha = whole[box.window][..., None]
    shown = image[box.window].astype(np.float32)
    colour = alpha * _own_colour(shown, alpha[..., 0])
    rest = shown - colour - (1 - alpha) * without[box.window].astype(np.float32)
    layer = np.concatenate([colour, alpha, np.where(changed[box.window][..., None], rest, 0.0)], 2)
    beyond = max(2, round(CONTINUED_SW * span))
    margin = [beyond if touches else 0 for touches in (
        box.left == 0, box.top == 0, box.right == width, box.bottom == height)]  # fmt: skip
    layer = _continued(layer.astype(np.float32), box, margin, arm, (width, height))
    pixels, kept = np.ascontiguousarray(layer[..., :4]), np.ascontiguousarray(layer[..., 4:])
    return pixels, kept, (box.left - margin[0], box.top - margin[1])


def _own_colour(shown: Float, alpha: Float) -> Float:
    """Colour `h w 3` of the arm itself: in its soft rim, where background shines through, that of the arm beside it."""
    solid = (alpha > _SURE).astype(np.float32)
    if not solid.any():
        return shown
    colour = shown
    for sigma in (8.0, 4.0, 2.0):
        weight = cv2.GaussianBlur(solid, (0, 0), sigma)
        near = cv2.GaussianBlur(shown * solid[..., None], (0, 0), sigma) / np.maximum(weight, 1e-4)[..., None]
        colour = np.where((weight > 0.02)[..., None], near, colour)
    share = np.asarray(smoothstep((alpha - 0.5) / (_SURE - 0.5)), np.float32)[..., None]
    return share * shown + (1 - share) * colour


def _continued(layer: Float, box: Box, margin: list[int], arm: ArmBones, frame: tuple[int, int]) -> Float:
    """The layer with margins beyond the frame, into which each bone goes on: its mirror image, laid along the bone."""
    if not any(margin):
        return np.ascontiguousarray(layer)
    left, top, right, bottom = margin
    x, y = np.meshgrid(
        np.arange(box.left - left, box.right + right, dtype=np.float32),
        np.arange(box.top - top, box.bottom + bottom, dtype=np.float32),
    )
    points = np.stack([x.ravel(), y.ravel()], 1)
    last = np.array(frame, np.float32) - 1
    outside = np.where(points < 0, points, np.where(points > last, points - last, 0.0))
    bones = np.stack([arm.bone(k) for k in (UPPER, FORE, HAND)])
    nearest = nearness(arm, points).argmin(0)
    along = bones[nearest]
    # How far back along the bone the border is crossed; a bone along the border is mirrored straight.
    back = np.zeros_like(points)
    for axis in (0, 1):
        steep = np.abs(along[:, axis]) > 0.5
        step = outside[:, axis] / np.where(steep, along[:, axis], 1.0)
        sloped = np.where(steep[:, None], step[:, None] * along, 0.0)
        sloped[~steep, axis] = outside[~steep, axis]
        back += np.where((outside[:, axis] != 0)[:, None], 2 * sloped, 0.0)
    source = (points - back - [box.left, box.top]).astype(np.float32).reshape(*x.shape, 2)
    inside = (outside == 0).all(1).reshape(x.shape)
    moved = cv2.remap(layer, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    moved[inside] = layer.reshape(-1, layer.shape[2])
    moved[~inside, 4:] = 0.0
    # A sleeve goes on as it was; fingers soon end.
    far = np.linalg.norm(outside, axis=1) / max(float(arm.radii[HAND + 1]), 1.0)
    fade = np.where(nearest == HAND, 1 - smoothstep(far - 0.3), 1.0).astype(np.float32)
    moved[~inside] *= fade.reshape(x.shape)[~inside][:, None]
    return np.ascontiguousarray(moved)


def _grid(used: NDArray[np.bool_], origin: tuple[int, int], cell: float) -> tuple[Float, Index]:
    """A grid over what of the layer is not empty: vertices in pixels of the picture, and triangles."""
    height, width = used.shape
    columns, rows = max(2, int(np.ceil(width / cell)) + 1), max(2, int(np.ceil(height / cell)) + 1)
    x, y = np.meshgrid(np.linspace(-1, width, columns), np.linspace(-1, height, rows))
    points = np.stack([x.ravel(), y.ravel()], 1).astype(np.float32)
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = number[:-1, :-1], number[:-1, 1:], number[1:, 1:], number[1:, :-1]
    count = cv2.integral(cv2.dilate(used.astype(np.uint8), np.ones((3, 3), np.uint8)))
    edges_x = np.clip(np.round(x[0]).astype(int), 0, width), np.clip(np.round(y[:, 0]).astype(int), 0, height)
    total = count[np.ix_(edges_x[1], edges_x[0])]
    filled = (total[1:, 1:] - total[:-1, 1:] - total[1:, :-1] + total[:-1, :-1]) > 0
    pairs = [np.stack([a, b, c], 2)[filled], np.stack([a, c, d], 2)[filled]]
    triangles = np.concatenate(pairs).astype(np.int32)
    kept, renumbered = np.unique(triangles, return_inverse=True)
    return points[kept] + np.array(origin, np.float32), renumbered.reshape(-1, 3).astype(np.int32)
