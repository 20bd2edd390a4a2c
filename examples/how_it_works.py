"""Draws docs/how_it_works.png from a real run: what is seen, what is heard, noise, motion, frames.

    python examples/how_it_works.py

Needs the models of the default preset. Everything in the figure is measured or computed by the run itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from omnihuman import OmniHumanPipeline
from omnihuman.flow.solver import initial_noise
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.media.image import read_image
from omnihuman.speech.inventory import TimedPhone
from omnihuman.types import Float, Sound

HERE = Path(__file__).resolve().parent
PICTURE, TARGET = HERE / "portrait_ada.png", HERE.parent / "docs" / "how_it_works.png"
WORDS, SEED = "Maybe we should buy more apples.", 7
SIZE = (1240, 700)
INK, FAINT, WARM, COOL = (40, 44, 52), (222, 226, 232), (206, 92, 56), (42, 110, 168)
CURVES = {"jaw_open": "jaw", "seal": "lips closed", "blink_l": "eyelid", "head_yaw_deg": "head turn"}
Box = tuple[int, int, int, int]


def main() -> None:
    """Runs the pipeline once and draws."""
    pipe = OmniHumanPipeline.from_pretrained("motion")
    with pipe.parts.voice() as voice:
        speech = voice.speak(WORDS)
    image = read_image(PICTURE)
    result = pipe(image, speech.sound, seed=SEED, size=480)
    assert result.frames is not None and result.parameters is not None
    generator = torch.Generator().manual_seed(SEED)
    shape = (1, pipe.parts.space.spec.channels, len(result.parameters))
    noise = pipe.parts.space.parameters_of(initial_noise(shape, generator))
    assert noise is not None

    sheet = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(sheet)
    panels = {
        "1  the picture": (20, 50, 250, 338),
        "2  what is seen": (280, 50, 510, 338),
        "3  what is heard": (560, 50, 1220, 338),
        "4  noise": (20, 410, 330, 680),
        "5  motion, dreamt from the noise": (370, 410, 700, 680),
        "6  the picture, moved": (740, 410, 1240, 680),
    }
    for title, (left, top, _, _) in panels.items():
        draw.text((left, top - 28), title, INK, ImageFont.load_default(18))
    boxes = list(panels.values())
    paste(sheet, image, boxes[0])
    paste(sheet, seen(pipe, image), boxes[1])
    draw_sound(draw, speech.sound, speech.phones, boxes[2])
    draw_curves(draw, noise, boxes[3])
    draw_curves(draw, result.parameters, boxes[4])
    draw_frames(sheet, result.frames, result.parameters, boxes[5])
    sheet.quantize(192).save(TARGET, optimize=True)
    print(TARGET.relative_to(HERE.parent))


def paste(sheet: Image.Image, picture: np.ndarray, box: Box) -> int:
    """Scales the picture into the box, its aspect kept; returns where it ends below."""
    left, top, right, bottom = box
    scale = min((right - left) / picture.shape[1], (bottom - top) / picture.shape[0])
    size = (round(picture.shape[1] * scale), round(picture.shape[0] * scale))
    sheet.paste(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS), (left, top))
    return top + size[1]


def seen(pipe: OmniHumanPipeline, image: np.ndarray) -> np.ndarray:
    """The person tinted by the matte, with the points of the face mesh."""
    reference = pipe.parts.space.prepare(image)
    matte = np.clip(reference.layers.residual[..., 3:], 0, 1)
    tinted = image * (1 - 0.35 * matte) + np.array(COOL) * 0.35 * matte
    canvas = Image.fromarray(tinted.astype(np.uint8))
    draw = ImageDraw.Draw(canvas)
    for x, y in reference.rig.points[:468, :2]:
        draw.ellipse((x - 2, y - 2, x + 2, y + 2), fill=WARM)
    return np.asarray(canvas)


def draw_sound(draw: ImageDraw.ImageDraw, sound: Sound, phones: Sequence[TimedPhone], box: Box) -> None:
    """The waveform, with each speech sound under its time."""
    left, top, right, bottom = box
    middle, width = (top + bottom - 60) // 2, right - left
    columns = np.array_split(np.abs(sound.samples), width)
    peak = max(float(np.abs(sound.samples).max()), 1e-6)
    for x, column in enumerate(columns):
        half = int((middle - top) * float(column.max(initial=0.0)) / peak)
        draw.line((left + x, middle - half, left + x, middle + half), COOL)
    for number, phone in enumerate(phones):
        x, end = (left + round(width * s / sound.duration_s) for s in (phone.start_s, phone.end_s))
        draw.line((x, top, x, bottom - 56), FAINT)
        row = bottom - 50 + 20 * (number % 2)
        draw.text(((x + end) / 2, row), phone.symbol, INK, ImageFont.load_default(13), anchor="ma")


def draw_curves(draw: ImageDraw.ImageDraw, parameters: Float, box: Box) -> None:
    """Four of the motion parameters over time, each on its own scale."""
    left, top, right, bottom = box
    height = (bottom - top) // len(CURVES)
    for row, name in enumerate(CURVES):
        values = parameters[:, INDEX[name]]
        low, spread = float(values.min()), max(float(np.ptp(values)), 1e-6)
        floor = top + (row + 1) * height - 8
        x = np.linspace(left, right, len(values))
        y = floor - (values - low) / spread * (height - 28)
        draw.line((left, floor, right, floor), FAINT)
        draw.line(list(zip(x.tolist(), y.tolist(), strict=True)), WARM, 2)
        draw.text((left, floor - height + 8), CURVES[name], INK, ImageFont.load_default(13))


def draw_frames(sheet: Image.Image, frames: np.ndarray, parameters: Float, box: Box) -> None:
    """The face where the mouth is most open, half open and closed."""
    jaw = parameters[:, INDEX["jaw_open"]]
    order = np.argsort(jaw)
    picks = sorted(int(order[i]) for i in (0, len(order) // 2, len(order) - 1))
    left, top, right, bottom = box
    width = (right - left) // 3 - 6
    height, breadth = frames.shape[1:3]
    for place, number in enumerate(picks):
        face = frames[number][round(0.08 * height) : round(0.66 * height), round(0.2 * breadth) : round(0.8 * breadth)]
        x = left + place * (width + 8)
        floor = paste(sheet, np.ascontiguousarray(face), (x, top, x + width, bottom - 24))
        ImageDraw.Draw(sheet).text((x, floor + 6), f"{number / 25:.2f} s", INK, ImageFont.load_default(13))


if __name__ == "__main__":
    main()
