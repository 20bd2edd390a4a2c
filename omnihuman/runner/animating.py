"""The work of a child: models are fetched, loaded once, and one item is rendered. The only part that loads torch."""

from __future__ import annotations

from collections.abc import Callable

from omnihuman.errors import ResourceError
from omnihuman.media.image import read_image
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.preset import load_preset, needed_models
from omnihuman.runner.events import Item
from omnihuman.runner.failure import SMALLER
from omnihuman.types import AnimationRequest, AnimationResult, ProgressCallback

SMALLEST_PX = 128
"""Longest side below which a second try is not worth its while; also the least that a request may ask for."""


def animate_item(item: Item, progress: ProgressCallback, transfer: Callable[[str, int, int], None]) -> AnimationResult:
    """Renders one item.

    Args:
        item: What to make.
        progress: Told of every frame and step; raises to stop.
        transfer: Told what is fetched.

    Raises:
        OmniHumanError: coded.
    """
    request, notes = item.request, item.notes
    preset = load_preset(request.preset)
    with ModelHub.open(device=item.device) as hub:
        hub.fetch(needed_models(preset, request), transfer, repair=False)
        if item.smaller:
            request, note = smaller(request, preset.limits.longest_side_px)
            notes = (*notes, note)
        from omnihuman.pipeline.generate import OmniHumanPipeline

        pipeline = OmniHumanPipeline.from_pretrained(request.preset, hub=hub)
        return pipeline.animate(request, item.output, progress, notes)


def smaller(request: AnimationRequest, limit_px: int) -> tuple[AnimationRequest, str]:
    """The request with half the longest side, a quarter of the memory, and what a person is told of it.

    Args:
        request: What ran out of memory.
        limit_px: Longest side that the preset gives to a request without a size.

    Raises:
        ResourceError: out_of_memory, where the frames are small already.
    """
    longest_px = request.size or min(limit_px, max(read_image(request.image).shape[:2]))
    size = max(SMALLEST_PX, longest_px // 2)
    if size >= longest_px:
        raise ResourceError("out_of_memory", f"memory ran out even at {longest_px} pixels", SMALLER)
    note = f"memory ran out at {longest_px} pixels, so the video was made at {size} pixels on its longest side"
    return request.model_copy(update={"size": size}), note
