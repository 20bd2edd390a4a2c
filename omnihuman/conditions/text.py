"""The text condition: what the person is asked to do, and when. The weakest of the signals (OmniHuman-1 section 3.2).

A prompt is a sentence for the whole clip, or a schedule of shots with times in seconds, as OmniHuman-1.5's planner
writes it (section 5.1 there: expression and action, shot after shot).
Legend: N rows, E width of an embedding, T latents.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.conditions.sentence import TEXT_WIDTH
from omnihuman.types import ConditionTrack, Float, Handle


@dataclass(frozen=True)
class Prompt:
    """What holds from one moment to another.

    Attributes:
        text: The sentence.
        start_s: First moment, seconds.
        end_s: Last moment; infinite = until the clip ends.
    """

    text: str
    start_s: float = 0.0
    end_s: float = float("inf")


class TextConditioner:
    """Turns prompts into the text track.

    Args:
        encoder: Handle that lends a `SentenceEncoder`.
    """

    def __init__(self, encoder: Handle) -> None:
        self._encoder = encoder

    def encode(self, prompts: Sequence[Prompt]) -> ConditionTrack:
        """The text track of a clip.

        Args:
            prompts: At least one, in order of their starts. Where two overlap the later one holds; when it ends
                first, the earlier one goes on.

        Returns:
            Kind `text`, values ``N E``. Row i holds from `times_s[i]` until the next row begins; its mask is 0 where
            nothing is asked.
        """
        with self._encoder() as encoder:
            embeddings = encoder.embed([prompt.text for prompt in prompts])
        changes_s = {0.0} | {prompt.start_s for prompt in prompts} | {prompt.end_s for prompt in prompts}
        times_s = sorted(time_s for time_s in changes_s if np.isfinite(time_s))
        values = np.zeros((len(times_s), TEXT_WIDTH), np.float32)
        mask = np.zeros((len(times_s), TEXT_WIDTH), np.float32)
        for row, time_s in enumerate(times_s):
            holding = [number for number, prompt in enumerate(prompts) if prompt.start_s <= time_s < prompt.end_s]
            if holding:
                values[row], mask[row] = embeddings[holding[-1]], 1.0
        return ConditionTrack("text", values, np.array(times_s, np.float32), mask)


def text_rows(track: ConditionTrack, times_s: Float) -> tuple[Float, Float]:
    """The prompt that holds at each moment.

    Args:
        track: Of a `TextConditioner`.
        times_s: ``T`` seconds.

    Returns:
        Embeddings ``T E``, 0 where nothing is asked, and presence ``T``, 0 or 1.
    """
    assert track.mask is not None
    # The latest row that has begun.
    row = np.clip(np.searchsorted(track.times_s, times_s, side="right") - 1, 0, len(track.times_s) - 1)
    present = track.mask[row, 0]
    return track.values[row] * present[:, None], present
