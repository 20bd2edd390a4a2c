"""Cuts one arm out of the picture: how much of each pixel is arm. Segmentation only; fills nothing, moves nothing.

Bones say where the arm must be, colours near them and edges of the picture say where it ends, and the person's matte
ends it against the background. Worked out on a small copy, then led back to the picture's edges by a guided filter (He,
Sun, Tang 2010). Legend: H height, W width of the picture; h, w of the crop or of its small copy.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.body.arm_bones import FORE, HAND, UPPER, ArmBones, nearness
from omnihuman.latents.motion.body.diffusion import diffuse, edge_weights
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float, Image

WORKING_SIDE_PX = 256
_CORE, _RIM, _BAND = 0.5, 1.0, 1.9
"""In units of `nearness`: surely arm, skin of a plain arm, as far as the widest sleeve goes."""
_PULL = 0.012
_EDGE_CONTRAST = 14.0
_COLOUR_BINS = 12
_BACKGROUND = 0.08
_CRUMB = 0.3
_GUIDE_RADII = 0.18
_THREAD_RADII = 0.1
_HAND_REACH, _THING_REACH, _THING_BOX_PALM = 1.2, 2.2, 1.5
"""What is this near to a hand, or to a hand with a thing in it, goes with the hand."""
_SURELY_SEEN, _MISSED, _PLAIN_ARM = 0.8, 0.85, 1.3


@dataclass(frozen=True)
class Box:
    """A rectangle of the picture, `left..right` and `top..bottom` without the last."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def window(self) -> tuple[slice, slice]:
        """Rows and columns, to index a picture."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, pixels: float, height: int, width: int) -> Box:
        """The box with a margin, kept inside the picture."""
        by = int(np.ceil(pixels))
        return Box(
            max(0, self.left - by), max(0, self.top - by), min(width, self.right + by), min(height, self.bottom + by)
        )


@dataclass(frozen=True)
class ArmMatte:
    """An arm cut out.

    Attributes:
        box: Where it lies.
        alpha: `h w` share of the arm in each pixel of the box.
        certainty: 0..1, how far from undecided the cut was along the arm.
        covered: `3` share of upper arm, forearm and hand (along the bone) that the matte takes for the person.
    """

    box: Box
    alpha: Float
    certainty: float
    covered: Float


def arm_box(arm: ArmBones, height: int, width: int) -> Box | None:
    """The part of the picture that can hold the arm, or None where that is next to nothing."""
    points = arm.joints if arm.hand is None else np.concatenate([arm.joints, arm.hand])
    reach = _BAND * float(arm.radii.max()) + 2
    low, high = points.min(0) - reach, points.max(0) + reach
    if arm.holds and arm.hand is not None:
        thing = _THING_BOX_PALM * arm.palm_px
        low, high = np.minimum(low, arm.hand.min(0) - thing), np.maximum(high, arm.hand.max(0) + thing)
    left, top = np.clip(np.floor(low), 0, [width, height]).astype(int)
    right, bottom = np.clip(np.ceil(high), 0, [width, height]).astype(int)
    return Box(int(left), int(top), int(right), int(bottom)) if min(right - left, bottom - top) >= 8 else None


def segment_arm(image: Image, matte: Float, arm: ArmBones, others: Float, box: Box) -> ArmMatte:
    """Cuts an arm out.

    Args:
        image: `H W 3`.
        matte: `H W` the person.
        arm: Bones of the arm.
        others: `H W` 1 where something that is not this arm is sure: core of the torso, face, the other arm.
        box: From `arm_box`.
    """
    crop, person = image[box.window], matte[box.window]
    height, width = person.shape
    shrink = min(1.0, WORKING_SIDE_PX / max(height, width))
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = cv2.resize(crop, size, interpolation=cv2.INTER_AREA)
    small_person = cv2.resize(person, size, interpolation=cv2.INTER_AREA)
    small_others = cv2.resize(others[box.window], size, interpolation=cv2.INTER_AREA)
    places = _places(size, (width, height), box)
    near = nearness(arm, places).reshape(3, size[1], size[0])
    lab = cv2.cvtColor(small.astype(np.float32) / np.float32(255), cv2.COLOR_RGB2LAB)
    inside = _walk(lab, small_person, small_others > 0.5, near)
    core = (near.min(0) < 0.8) & (small_person > 0.5)
    certainty = float(np.abs(2 * inside - 1)[core].mean()) if core.any() else 0.0
    sharp = np.asarray(smoothstep((inside - 0.28) / 0.44), np.float32)
    alpha = _to_full(crop, sharp, _GUIDE_RADII * float(arm.radii[0])) * person
    attached = arm_seam(arm, places).reshape(size[1], size[0])
    attached = cv2.resize(attached, (width, height), interpolation=cv2.INTER_LINEAR)
    whole = _with_crumbs(matte, alpha * attached, box)
    if arm.holds:
        about = cv2.resize(
            (near[HAND] < _THING_REACH).astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
        )
        whole = _with_thing(matte, whole, box, about > 0, max(1, round(_THREAD_RADII * float(arm.radii[0]))))
    return ArmMatte(box, whole.astype(np.float32), certainty, covered_share(matte, arm))


def completed_matte(image: Image, matte: Float, arm: ArmBones, others: Float, box: Box) -> Float:
    """The person's matte `H W` with an arm that it missed in part, where bones and colours agree on one.

    Args:
        image: `H W 3`.
        matte: `H W` the person; not changed.
        arm: Bones of the arm.
        others: As for `segment_arm`.
        box: From `arm_box`.
    """
    if arm.seen.min() < _SURELY_SEEN or covered_share(matte, arm).min() > _MISSED:
        return matte
    height, width = box.bottom - box.top, box.right - box.left
    near = nearness(arm, _places((width, height), (width, height), box)).min(0).reshape(height, width)
    allowed = matte.copy()
    allowed[box.window] = np.maximum(matte[box.window], (near < _PLAIN_ARM).astype(np.float32))
    cut = segment_arm(image, allowed, arm, others, box)
    completed = matte.copy()
    completed[box.window] = np.maximum(matte[box.window], cut.alpha)
    return completed


def _with_crumbs(matte: Float, alpha: Float, box: Box) -> Float:
    """Adds what of the person would hang in the air without the arm: a sleeve's rim, the end of a thing in the hand."""
    rest = matte.astype(np.float32).copy()
    rest[box.window] *= 1 - alpha
    count, labels, statistics, _ = cv2.connectedComponentsWithStats((rest > _CRUMB).astype(np.uint8))
    if count < 3:
        return alpha
    main = 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())
    crumbs = (labels != main).astype(np.uint8)[box.window]
    crumbs = cv2.dilate(crumbs * (labels[box.window] > 0), np.ones((5, 5), np.uint8)) * (labels[box.window] != main)
    return np.asarray(np.where(crumbs > 0, np.maximum(alpha, matte[box.window]), alpha), np.float32)


def _with_thing(matte: Float, alpha: Float, box: Box, about: NDArray[np.bool_], thread_px: int) -> Float:
    """Adds what near a hand (`about` `h w`) hangs on the rest of the person by a thread: the end of a held thing."""
    rest = matte.astype(np.float32).copy()
    rest[box.window] *= 1 - alpha
    kernel = np.ones((2 * thread_px + 1, 2 * thread_px + 1), np.uint8)
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(cv2.erode((rest > _CRUMB).astype(np.uint8), kernel))
    if count < 3:
        return alpha
    main = 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())
    ends = ((labels > 0) & (labels != main)).astype(np.uint8)[box.window] * about
    grown = cv2.dilate(ends.astype(np.uint8), np.ones((2 * thread_px + 5, 2 * thread_px + 5), np.uint8))
    return np.asarray(np.where((grown > 0) & about, np.maximum(alpha, matte[box.window]), alpha), np.float32)


def _places(size: tuple[int, int], full: tuple[int, int], box: Box) -> Float:
    """Positions `N 2` in the picture of the pixels of a copy of the box, `size` and `full` = width, height."""
    x = (np.arange(size[0]) + 0.5) * full[0] / size[0] - 0.5 + box.left
    y = (np.arange(size[1]) + 0.5) * full[1] / size[1] - 0.5 + box.top
    grid = np.meshgrid(x, y)
    return np.stack([grid[0].ravel(), grid[1].ravel()], 1).astype(np.float32)


def _walk(lab: Float, person: Float, others: NDArray[np.bool_], near: Float) -> Float:
    """Probability `h w` that a pixel is arm."""
    nearest = near.min(0)
    arm = (nearest < _CORE) & (person > 0.3)
    out = (nearest > _BAND) | (person < _BACKGROUND) | (others & (nearest > 0.75))
    out &= ~arm
    colour = _by_colour(lab, near, arm, out & ((person > 0.5) | (nearest < _BAND)))
    logit = 2.2 * (_RIM - nearest) / 0.5 + np.log(colour / (1 - colour))
    prior = 1 / (1 + np.exp(-np.clip(logit, -8, 8)))
    return diffuse(arm | out, arm.astype(np.float32), edge_weights(lab, _EDGE_CONTRAST), _PULL, prior)


def _by_colour(lab: Float, near: Float, arm: NDArray[np.bool_], out: NDArray[np.bool_]) -> Float:
    """Probability `h w` by colour: each pixel is judged by the bone nearest to it, a sleeve and a hand differ."""
    codes = _codes(lab)
    rest = _histogram(codes[out])
    bone = near.argmin(0)
    chance: Float = np.full(bone.shape, 0.5)
    for number in (UPPER, FORE, HAND):
        mine = bone == number
        if not (mine & arm).any():
            continue
        own = _histogram(codes[mine & arm])
        ratio = own[tuple(codes[mine].T)] / (own[tuple(codes[mine].T)] + rest[tuple(codes[mine].T)])
        chance[mine] = np.clip(ratio, 0.1, 0.9)
    return chance


def _codes(lab: Float) -> NDArray[np.int64]:
    span = np.array([100.0, 120.0, 120.0])
    scaled = (lab + np.array([0.0, 60.0, 60.0])) / span * _COLOUR_BINS
    return np.asarray(np.clip(scaled, 0, _COLOUR_BINS - 1), np.int64)


def _histogram(codes: NDArray[np.int64]) -> Float:
    """Smoothed share of each colour cell; flat where nothing was seen."""
    counts = np.zeros((_COLOUR_BINS,) * 3)
    np.add.at(counts, tuple(codes.T), 1.0)
    for axis in range(3):
        padded = np.pad(counts, [(1, 1) if a == axis else (0, 0) for a in range(3)], mode="edge")
        low, mid, high = (np.take(padded, np.arange(k, k + _COLOUR_BINS), axis) for k in range(3))
        counts = 0.25 * low + 0.5 * mid + 0.25 * high
    return np.asarray((counts + 0.02) / (counts.sum() + 0.02 * counts.size))


def _to_full(crop: Image, small: Float, radius_px: float) -> Float:
    """The small mask at the size of the crop, its edge led to the crop's own edges."""
    height, width = crop.shape[:2]
    mask = np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1)
    radius = max(2, round(radius_px))
    side = (2 * radius + 1, 2 * radius + 1)
    guide = crop.astype(np.float32).mean(2) / np.float32(255)
    mean, mean_mask = cv2.blur(guide, side), cv2.blur(mask, side)
    slope = (cv2.blur(guide * mask, side) - mean * mean_mask) / (cv2.blur(guide * guide, side) - mean * mean + 4e-4)
    offset = mean_mask - slope * mean
    led = cv2.blur(slope, side) * guide + cv2.blur(offset, side)
    return np.asarray(np.clip((led - 0.12) / 0.76, 0, 1), np.float32)


def shoulder_line(arm: ArmBones, points: Float) -> Float:
    """Where points `N 2` lie across the seam of the sleeve, in shoulder radii: below 0 torso, above 0 arm.

    A sleeve is sewn on from the top of the shoulder to the armpit: half way between across the bone and upright.
    """
    normal = arm.bone(UPPER) + arm.lateral
    normal = normal / max(float(np.linalg.norm(normal)), 1e-3)
    return np.asarray((points - arm.joints[0]) @ normal / arm.radii[0], np.float32)


def joint_shares(arm: ArmBones, points: Float) -> tuple[Float, Float]:
    """Shares `N` of points in the turns at elbow and wrist: 0 before the joint, 1 behind it, smooth between."""
    # In a folded arm the hand comes back beside the upper arm, on the wrong side of the elbow's plane.
    reach = _THING_REACH if arm.holds else _HAND_REACH
    hand = 1 - np.asarray(smoothstep((nearness(arm, points)[HAND] - reach) / 0.8))
    elbow = np.maximum(_joint_side(arm, points, 1), hand)
    return np.asarray(elbow, np.float32), np.asarray(_joint_side(arm, points, 2) * elbow, np.float32)


def _joint_side(arm: ArmBones, points: Float, joint: int) -> Float:
    """0 before the plane that halves the angle of a joint (1 elbow, 2 wrist), 1 behind it, for points `N 2`."""
    before, behind = arm.bone(joint - 1), arm.bone(joint)
    normal = before + behind
    normal = normal / max(float(np.linalg.norm(normal)), 1e-3)
    straight = max(0.45, float(np.sqrt(np.clip((1 + float(before @ behind)) / 2, 0.0, 1.0))))
    width = 1.7 * straight * arm.radii[joint]
    return np.asarray(smoothstep((points - arm.joints[joint]) @ normal / width + 0.5), np.float32)


def arm_seam(arm: ArmBones, points: Float) -> Float:
    """Share `N` of the arm's layer at its seam with the torso: 0 on the torso's side, 1 from the seam on."""
    across = np.asarray(smoothstep((shoulder_line(arm, points) + 0.75) / 0.5))
    return np.asarray(np.maximum(across, joint_shares(arm, points)[0]), np.float32)


def covered_share(matte: Float, arm: ArmBones) -> Float:
    """Share of each bone that the matte holds, sampled along it; parts beyond the frame do not count."""
    height, width = matte.shape
    shares = []
    for number in (UPPER, FORE, HAND):
        steps = np.linspace(0.1, 0.9, 17)[:, None]
        places = np.round(arm.joints[number] + steps * (arm.joints[number + 1] - arm.joints[number])).astype(int)
        inside = (places >= 0).all(1) & (places < [width, height]).all(1)
        seen = matte[places[inside, 1], places[inside, 0]]
        shares.append(float((seen > 0.5).mean()) if len(seen) else 0.0)
    return np.array(shares, np.float32)
