"""The picture without an arm: the body painted on where it goes on behind the arm, the background elsewhere.

Where the body goes on is found by diffusion from what is seen on all sides and from the proportions of a trunk; its
colours are diffused too and take their grain and pattern from the mirror image of what is next to the arm.
Legend: H height, W width of the picture; h, w of the box of the arm or of its small copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from omnihuman.latents.motion.body.arm_matte import WORKING_SIDE_PX, ArmMatte, Box
from omnihuman.latents.motion.body.diffusion import diffuse, plain_weights
from omnihuman.latents.motion.body.torso import Torso
from omnihuman.latents.motion.ramps import smoothstep
from omnihuman.types import Float, Image

if TYPE_CHECKING:
    from omnihuman.perception.body import BodyLandmarks

_HIPS, _KNEES = (23, 24), (25, 26)
_MARGIN_SW, _REACH_SW = 0.035, 0.35
"""How far the paint goes beyond the arm, and how much of the surroundings it looks at."""
_TRUNK_PULL_SW = 0.15
"""Beyond this distance from what is seen, the proportions of a trunk decide where the body goes on."""
_SEEN = 0.9
_EDGE_PX = 1.5
_ROUNDING_SW = 0.03
_INSET_SW = 0.05


@dataclass(frozen=True)
class Beneath:
    """The picture and its matte with one arm taken out.

    Attributes:
        image: `H W 3`.
        matte: `H W` the person without the arm.
        body_share: 0..1 how much of what the arm hid is body.
        pattern: Strength of the detail of the body beside the arm, grey levels: what paint cannot continue.
    """

    image: Image
    matte: Float
    body_share: float
    pattern: float


def trunk_shape(body: BodyLandmarks, torso: Torso, height: int, width: int) -> Float:
    """`H W` 1 where a trunk and thighs of plain proportions lie."""
    span = torso.width_px
    mask = np.zeros((height, width), np.uint8)
    hips = body.points[list(_HIPS), :2]
    middle = hips.mean(0)
    # Guessed hips can lie anywhere; a trunk is at least as long as the shoulders are wide.
    shoulders = (torso.shoulder_l + torso.shoulder_r) / 2
    hips = np.stack([middle + 1.45 * (h - middle) for h in hips])
    if middle[1] - shoulders[1] < 0.8 * span:
        hips = np.stack([torso.shoulder_l, torso.shoulder_r]) * 0.9 + 0.1 * shoulders
        hips[:, 1] = shoulders[1] + 1.5 * span
    armpits = [s + 0.1 * (shoulders - s) + np.array([0, 0.22 * span]) for s in (torso.shoulder_l, torso.shoulder_r)]
    outline = [torso.shoulder_l, armpits[0], hips[0], hips[1], armpits[1], torso.shoulder_r]
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    for hip, knee in zip(_HIPS, _KNEES, strict=True):
        ends = np.round(body.points[[hip, knee], :2]).astype(int)
        thick = max(1, round(0.36 * span))
        cv2.line(mask, tuple(map(int, ends[0])), tuple(map(int, ends[1])), 1, thick)
    return mask.astype(np.float32)


def take_out(image: Image, matte: Float, background: Image, arm: ArmMatte, trunk: Float, span: float) -> Beneath:
    """Takes an arm out of a picture.

    Args:
        image: `H W 3`.
        matte: `H W` the person with the arm.
        background: `H W 3` the picture without the person.
        arm: The arm.
        trunk: `H W` from `trunk_shape`.
        span: Shoulder distance in pixels.
    """
    height, width = matte.shape
    box = arm.box.grown(_REACH_SW * span, height, width)
    alpha = np.zeros((box.bottom - box.top, box.right - box.left), np.float32)
    inner = Box(arm.box.left - box.left, arm.box.top - box.top, arm.box.right - box.left, arm.box.bottom - box.top)
    alpha[inner.window] = arm.alpha
    radius = max(1, round(_MARGIN_SW * span))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    hidden = cv2.dilate((alpha > 0.02).astype(np.uint8), kernel)
    picture, person = image[box.window].astype(np.float32), matte[box.window]
    behind = _body_behind(person, hidden > 0, trunk[box.window], span)
    skin = _painted_body(picture, (person > _SEEN) & (hidden == 0), (hidden > 0) & (behind > 0), span)
    scene = background[box.window].astype(np.float32)
    paint = behind[..., None] * skin + (1 - behind[..., None]) * scene
    share = np.maximum(cv2.blur(cv2.erode(hidden, np.ones((3, 3), np.uint8)).astype(np.float32), (3, 3)), alpha > 0.02)
    share = np.where(hidden > 0, share, 0.0)
    out_image, out_matte = image.copy(), matte.astype(np.float32).copy()
    mixed = share[..., None] * paint + (1 - share[..., None]) * picture
    out_image[box.window] = np.clip(mixed + 0.5, 0, 255).astype(np.uint8)
    out_matte[box.window] = share * behind + (1 - share) * person
    covered = alpha > 0.5
    body_share = float(behind[covered].mean()) if covered.any() else 0.0
    return Beneath(out_image, out_matte, body_share, _pattern(picture, (person > _SEEN) & (hidden == 0), hidden, span))


def _pattern(picture: Float, seen: NDArray[np.bool_], hidden: NDArray[np.uint8], span: float) -> float:
    """Typical strength of medium-sized detail of the body beside the arm, grey levels; single edges do not count."""
    grey = cv2.GaussianBlur(picture.mean(2), (0, 0), max(0.8, 0.01 * span))
    detail = grey - cv2.GaussianBlur(grey, (0, 0), 0.06 * span)
    reach = max(1, round(0.12 * span))
    ring = cv2.dilate(hidden, np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)) > 0
    # Not the rim of the body itself, where the background begins.
    inner = cv2.erode(seen.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    values = detail[ring & inner]
    return float(np.percentile(np.abs(values), 75)) if len(values) else 0.0


def _small(values: Float, size: tuple[int, int]) -> Float:
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float32)


def _body_behind(person: Float, hidden: NDArray[np.bool_], trunk: Float, span: float) -> Float:
    """Share of body `h w` behind the arm; the person's own matte where nothing is hidden."""
    height, width = person.shape
    shrink = min(1.0, WORKING_SIDE_PX / max(height, width))
    size = (max(4, round(width * shrink)), max(4, round(height * shrink)))
    unknown = _small(hidden.astype(np.float32), size) > 0.05
    pull = 1.0 / max(_TRUNK_PULL_SW * span * shrink, 1.0) ** 2
    level = diffuse(~unknown, _small(person, size), plain_weights(size[1], size[0]), pull, _small(trunk, size))
    full = cv2.resize(level, (width, height), interpolation=cv2.INTER_LINEAR)
    slope = np.hypot(cv2.Sobel(full, cv2.CV_32F, 1, 0), cv2.Sobel(full, cv2.CV_32F, 0, 1)) / 8
    edge = np.asarray(smoothstep((full - 0.5) / np.maximum(2 * _EDGE_PX * slope, 1e-3) + 0.5))
    return np.asarray(np.where(hidden, edge * _inset(person, hidden, span), person), np.float32)


def _inset(person: Float, hidden: NDArray[np.bool_], span: float) -> Float:
    """Keeps what goes on behind the arm `h w` a little inside the arm's outline, or it would show beside a shrug."""
    inside = cv2.distanceTransform((person > 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    seen = ((person > _SEEN) & ~hidden).astype(np.uint8)
    margin = np.minimum(_INSET_SW * span, 0.35 * cv2.distanceTransform(1 - seen, cv2.DIST_L2, 5))
    return np.asarray(smoothstep((inside - margin) / 2 + 0.5), np.float32)


def _painted_body(picture: Float, seen: NDArray[np.bool_], wanted: NDArray[np.bool_], span: float) -> Float:
    """Colours `h w 3` of the body on `wanted`, spread from where it is `seen`."""
    if not wanted.any() or seen.sum() < 16:
        return picture
    height, width = seen.shape
    shrink = min(1.0, WORKING_SIDE_PX / max(height, width))
    size = (max(4, round(width * shrink)), max(4, round(height * shrink)))
    weight = _small(seen.astype(np.float32), size)
    colour = _small(picture * seen[..., None], size) / np.maximum(weight, 1e-3)[..., None]
    known, need = weight > 0.4, _small(wanted.astype(np.float32), size) > 0.01
    spread = diffuse(known, colour, plain_weights(size[1], size[0]))
    spread = np.where((known | need)[..., None], spread, colour)
    smooth = cv2.resize(spread.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return smooth + _mirrored_detail(picture, seen, span)


def _mirrored_detail(picture: Float, seen: NDArray[np.bool_], span: float) -> Float:
    """Detail `h w 3` of the seen body, folded over its rim into what is not seen; fades out deep inside."""
    height, width = seen.shape
    if not seen.any():
        return np.zeros_like(picture)
    distance = cv2.distanceTransform((~seen).astype(np.uint8), cv2.DIST_L2, 5)
    rounding = max(1.5, _ROUNDING_SW * span)
    # A smooth distance has smooth normals: folding over a ragged rim would tear lines to pieces.
    distance = np.where(seen, 0.0, cv2.GaussianBlur(distance, (0, 0), rounding)).astype(np.float32)
    normal = np.stack([cv2.Sobel(distance, cv2.CV_32F, 1, 0), cv2.Sobel(distance, cv2.CV_32F, 0, 1)], 2) / 8
    normal = cv2.GaussianBlur(normal, (0, 0), rounding)
    steep = np.linalg.norm(normal, axis=2)
    normal /= np.maximum(steep, 1e-3)[..., None]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    source = np.stack([x, y], 2) - 2 * distance[..., None] * normal
    weight = seen.astype(np.float32)
    sigma = max(1.5, 0.04 * span)
    low = cv2.GaussianBlur(picture * weight[..., None], (0, 0), sigma)
    low /= np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3)[..., None]
    detail = np.where(seen[..., None], picture - low, 0.0).astype(np.float32)
    folded = cv2.remap(detail, source[..., 0], source[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    # Half way between two rims, and round a tight bend, the normals meet and what they bring would be torn.
    fade = (1 - smoothstep((distance / max(span, 1.0) - 0.15) / 0.25)) * smoothstep((steep - 0.55) / 0.35)
    fade = fade * smoothstep((_evenness(source) - 0.3) / 0.4)
    return np.asarray(folded * fade[..., None], np.float32)


def _evenness(source: Float) -> Float:
    """1 where a map `h w 2` keeps areas, less where it stretches or squeezes them, `h w`."""
    across, down = np.gradient(source, axis=1), np.gradient(source, axis=0)
    area = np.abs(across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0])
    return np.asarray(np.minimum(area, 1 / np.maximum(area, 1e-3)), np.float32)
