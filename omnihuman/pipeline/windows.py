"""Long clips as overlapping windows: the last frames of one are the motion-frame prefix of the next.

OmniHuman-1 section 3.3 (motion frames). Only the plan; sampling is in `sample.py`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """One pass of the denoiser, in latent frames of the whole clip.

    Attributes:
        start: First frame the denoiser sees.
        keep_from: First frame that is new; `start .. keep_from - 1` is the prefix.
        keep_to: End (exclusive) of the new frames.
        stop: End (exclusive) of what the denoiser sees; `keep_to .. stop - 1` is look-ahead, which is faded
            into what the next window makes of the same frames.
    """

    start: int
    keep_from: int
    keep_to: int
    stop: int


def plan(num_latents: int, window: int, prefix: int, lookahead: int) -> list[Window]:
    """Cuts a clip into windows of nearly equal length, none longer than `window`.

    Args:
        num_latents: Latent frames of the clip, at least 1.
        window: Most frames that one pass may see.
        prefix: Motion frames carried over; fewer only where fewer exist.
        lookahead: Frames generated past the kept ones, for the cross-fade at the seam.

    Raises:
        ValueError: the window leaves no room for new frames.
    """
    room = window - prefix - lookahead
    if room < 1:
        raise ValueError(f"window {window} leaves no room beside prefix {prefix} and lookahead {lookahead}")
    if num_latents <= window:
        return [Window(0, 0, num_latents, num_latents)]
    count = math.ceil(num_latents / room)
    edges = [round(i * num_latents / count) for i in range(count + 1)]
    return [
        Window(max(0, begin - prefix), begin, end, min(num_latents, end + lookahead))
        for begin, end in zip(edges[:-1], edges[1:], strict=True)
    ]
