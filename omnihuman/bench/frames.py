"""A decoded frame against what any player of warped pictures pays: one `cv2.remap` of it and its H.264 encoding.

The encoder is the product's own writer, opened, fed and finished; the remap takes float maps, linear, over all pixels.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from omnihuman.bench.clock import Clock, interleaved
from omnihuman.bench.record import Row
from omnihuman.bench.subject import half_body, restless
from omnihuman.latents.motion.space import SPEC, MotionSpace
from omnihuman.media.video import ENCODER_THREADS, USUAL, VideoWriter
from omnihuman.types import Image

BAR = 2.0
BARRED_SIDES_PX = (512, 1024)
ENCODER = f"libx264 {USUAL.speed}, crf {USUAL.crf}, {ENCODER_THREADS} threads"


@dataclass(frozen=True)
class FrameCosts:
    """CPU-seconds of one frame of a square picture.

    Attributes:
        side_px: Side of the picture.
        frame_s: Drawing it.
        remap_s: One full remap of it.
        encode_s: Its share of the finished mp4.
    """

    side_px: int
    frame_s: float
    remap_s: float
    encode_s: float

    def rows(self) -> list[Row]:
        """The two ratios and the costs behind them."""
        place = f"{self.side_px}x{self.side_px}"
        bar = BAR if self.side_px in BARRED_SIDES_PX else None
        base_s = self.remap_s + self.encode_s
        costs = f"frame {1e3 * self.frame_s:.1f}, remap {1e3 * self.remap_s:.1f}, encode {1e3 * self.encode_s:.1f} ms"
        return [
            Row(f"frame / (remap + encode), {place}", self.frame_s / base_s, "x", bar, costs),
            Row(f"(frame + encode) / (remap + encode), {place}", (self.frame_s + self.encode_s) / base_s, "x", bar),
            Row(f"frame, {place}", 1e3 * self.frame_s, "CPU-ms"),
        ]


def measure_frames(
    space: MotionSpace, side_px: int, num_frames: int, rounds: int, folder: Path, clock: Clock = time.process_time
) -> FrameCosts:
    """Draws, remaps and encodes the same clip in turns.

    Args:
        space: Prepares and draws.
        side_px: Side of the picture.
        num_frames: Length of the clip; the encoder's start is part of the price, as it is in use.
        rounds: Turns.
        folder: Where the mp4 is written.
        clock: CPU seconds.
    """
    reference = space.prepare(half_body(side_px))
    motion = restless(num_frames, SPEC.fps)
    frames: list[Image] = []
    column, row = _gentle_map(side_px)

    def draw() -> None:
        frames[:] = space.render(motion, reference)

    def remap() -> None:
        for frame in frames:
            cv2.remap(frame, column, row, cv2.INTER_LINEAR)

    def encode() -> None:
        with VideoWriter(folder / f"{side_px}.mp4", SPEC.fps, None, {}) as writer:
            for frame in frames:
                writer.write(frame)

    spent_s = interleaved({"draw": draw, "remap": remap, "encode": encode}, rounds, clock)
    draw_s, remap_s, encode_s = (spent_s[name] / num_frames for name in ("draw", "remap", "encode"))
    return FrameCosts(side_px, draw_s, remap_s, encode_s)


def _gentle_map(side_px: int) -> tuple[np.ndarray, np.ndarray]:
    """Source columns and rows `S S` float32 of a smooth warp of a few pixels."""
    y, x = np.mgrid[:side_px, :side_px].astype(np.float32)
    swing = np.float32(0.01 * side_px)
    return x + swing * np.sin(y * np.float32(6.3 / side_px)), y + swing * np.cos(x * np.float32(6.3 / side_px))
