"""Reads the light and the sharpness of a picture off its skin, lips and eye whites. Measures only.

Everything drawn anew (teeth, tongue, lids) takes its colours from here, so that it sits in the picture's light.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from omnihuman.latents.motion.face import topology as topo
from omnihuman.latents.motion.face.depth import HeadFrame
from omnihuman.types import Float, Image

_SKIN_POINTS = (50, 280, 205, 425, 151, 9, 101, 330)
_LIP_POINTS = (15, 16, 85, 315, 86, 316)
_FAIR_SKIN = np.array([196.0, 142.0, 118.0])
"""Skin under full light; the picture's skin over it is a first guess of the light."""
_ENAMEL = np.array([214.0, 202.0, 182.0])
_LUMA = np.array([0.299, 0.587, 0.114])


@dataclass(frozen=True)
class Light:
    """Colours for what is drawn anew, RGB 0..255.

    Attributes:
        level: Strength of the light, about 1 in a bright picture.
        tint: `3` colour of the light, mean 1.
        teeth: `3` enamel in this light.
        gum: `3` gum in this light.
        tongue: `3` tongue in this light.
        skin: `3` median skin.
        lips: `3` median lower lip.
    """

    level: float
    tint: Float
    teeth: Float
    gum: Float
    tongue: Float
    skin: Float
    lips: Float


def measure_light(image: Image, points: Float, frame: HeadFrame) -> Light:
    """Light of a face.

    Args:
        image: `H W 3`.
        points: `V 3` vertices at rest, landmarks first.
        frame: Frame of the pictured head.
    """
    skin = _median_colour(image, points, _SKIN_POINTS, 0.04 * frame.iod_px)
    lips = _median_colour(image, points, _LIP_POINTS, 0.012 * frame.iod_px)
    white = measure_eye_white(image, points)
    by_skin = float(skin @ _LUMA) / float(_FAIR_SKIN @ _LUMA)
    by_eye = float(white @ _LUMA) / 190.0
    # Dark skin is not weak light: the eye whites tell the two apart.
    level = float(np.clip(max(0.5 * by_skin + 0.5 * by_eye, 0.9 * by_eye), 0.15, 1.12))
    tint = 0.5 * skin / _FAIR_SKIN / max(by_skin, 1e-3) + 0.5 * white / max(float(white @ _LUMA), 1.0)
    tint = np.clip(tint / tint.mean(), 0.75, 1.25)
    # Teeth are white: skin says little about the colour of light on them.
    pale = np.clip(white / max(float(white.mean()), 1.0), 0.85, 1.15)
    red = np.array([0.80, 0.40, 0.40]) * 190.0 * level * tint
    return Light(
        level=level,
        tint=tint.astype(np.float32),
        teeth=np.clip(_ENAMEL * (0.5 + 0.5 * pale) * level, 0, 238).astype(np.float32),
        gum=(0.45 * lips + 0.45 * red).astype(np.float32),
        tongue=(0.35 * lips + 0.6 * red).astype(np.float32),
        skin=skin.astype(np.float32),
        lips=lips.astype(np.float32),
    )


def _median_colour(image: Image, points: Float, numbers: tuple[int, ...], radius_px: float) -> Float:
    reach = max(1, round(radius_px))
    samples = []
    for x, y in points[list(numbers), :2].round().astype(int):
        window = image[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1]
        if window.size:
            samples.append(window.reshape(-1, 3))
    return np.median(np.concatenate(samples), 0) if samples else np.full(3, 128.0)


def measure_eye_white(image: Image, points: Float) -> Float:
    """Brightest fifth of what lies between the lids, `3`."""
    samples = []
    for side in "rl":
        ring = points[[topo.LID_CORNERS[side][0], *topo.UPPER_LID[side], topo.LID_CORNERS[side][1],
                       *topo.LOWER_LID[side][::-1]], :2]  # fmt: skip
        mask = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(ring * 16).astype(np.int32)], 1, shift=4)
        samples.append(image[mask > 0])
    pixels = np.concatenate(samples).astype(np.float64)
    if len(pixels) < 8:
        return np.full(3, 170.0)
    luma = pixels @ _LUMA
    return np.asarray(pixels[luma >= np.percentile(luma, 80)].mean(0))


def softness_px(image: Image, points: Float, frame: HeadFrame) -> float:
    """How blurred the picture is: width in pixels (sigma) of the sharpest edges of eyes and brows, 0.3 or more."""
    x, y = points[[33, 263, 133, 362], 0], points[[33, 263, 133, 362], 1]
    margin = 0.15 * frame.iod_px
    top, bottom = int(max(0, y.min() - margin)), int(y.max() + margin)
    left, right = int(max(0, x.min() - margin)), int(x.max() + margin)
    region = image[top:bottom, left:right]
    if min(region.shape[:2]) < 8:
        return 0.6
    grey = cv2.cvtColor(region, cv2.COLOR_RGB2GRAY).astype(np.float32)
    reach = max(3, round(0.06 * frame.iod_px))
    kernel = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    contrast = cv2.dilate(grey, kernel) - cv2.erode(grey, kernel)
    gradient = np.hypot(cv2.Sobel(grey, cv2.CV_32F, 1, 0), cv2.Sobel(grey, cv2.CV_32F, 0, 1)) / 8.0
    steep = cv2.dilate(gradient, kernel)
    strong = contrast > np.percentile(contrast, 60)
    if not strong.any():  # one flat colour: a covered face
        return 0.6
    width = contrast[strong] / np.maximum(steep[strong], 1e-3)
    # An ideal step blurred by sigma has contrast / steepest gradient = sqrt(2 pi) sigma.
    return float(np.clip(np.percentile(width, 10) / np.sqrt(2 * np.pi), 0.3, 6.0))
