"""Does the motion do what a sentence asks? With and without the sentence, same sound, same chance. Nothing is drawn.

Who performs is handed in. Legend: T frames, P parameters.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.conditions.text import Prompt
from omnihuman.evaluation.expected import parameter_gap
from omnihuman.evaluation.phone_times import intervals_of, speech_of
from omnihuman.evaluation.prompts import PromptSettings, TimedSettings
from omnihuman.evaluation.suite import SyncSettings
from omnihuman.latents.motion.parameters import INDEX
from omnihuman.metrics.sync import ClosureCounts, count_closures
from omnihuman.speech.inventory import BILABIALS, TimedPhone
from omnihuman.training.teacher.mouth import FRAME_HZ, frame_times_s
from omnihuman.training.teacher.styles import Statistic, StyleTable
from omnihuman.types import Float

Act = Callable[[int, Sequence[Prompt]], Float]
"""Number of a sound and prompts (none = no text) -> parameters `T P`; the same call gives the same take."""


@dataclass(frozen=True)
class StyleResponse:
    """What the sentences of one style did.

    Attributes:
        name: Of the style.
        statistic: Measure and direction, for people.
        share: Of sentences that moved the statistic the right way.
        before: Mean of the statistic without text.
        after: Mean with it.
        bystander: Mean change under sentences that ask for nothing, over the mean change under the style's own.
        onset_s: Seconds from a prompt's start to half of its effect; NaN where nothing moved.
        closures: Of the lips with text.
        closures_before: Without.
        missed: Sentences that did not move it.
    """

    name: str
    statistic: str
    share: float
    before: float
    after: float
    bystander: float
    onset_s: float
    closures: ClosureCounts
    closures_before: ClosureCounts
    missed: tuple[str, ...]

    @property
    def closure_loss(self) -> float:
        """F1 without text minus F1 with it."""
        return self.closures_before.f1 - self.closures.f1


class TextJudge:
    """Judges styles one by one.

    Args:
        act: Performs.
        phones: What each sound says.
        settings: Sentences and bars.
        table: The styles with their statistics.
        sync: What closed lips are; of it the thresholds for gaps that are computed from parameters.
    """

    def __init__(
        self,
        act: Act,
        phones: Sequence[Sequence[TimedPhone]],
        settings: PromptSettings,
        table: StyleTable,
        sync: SyncSettings,
    ) -> None:
        self._act = act
        self._phones = phones
        self._settings = settings
        self._table = table
        self._rule = sync.fast().rule
        self._usual = [act(number, ()) for number in range(len(phones))]
        self._neutral = [self._told(i, Prompt(line)) for i, line in enumerate(settings.neutral)]

    def judge(self, names: Iterable[str]) -> Iterable[StyleResponse]:
        """The responses, one after the other."""
        prompts = self._settings.by_style()
        for name in names:
            yield self._judge(name, prompts[name])

    def _judge(self, name: str, prompts: Sequence[str]) -> StyleResponse:
        statistic = self._table.styles[name].statistic
        told = [self._told(i, Prompt(line)) for i, line in enumerate(prompts)]
        usual = [self._usual_of(i) for i in range(len(told))]
        before, after = np.array([statistic.of(t) for t in usual]), np.array([statistic.of(t) for t in told])
        moved = [statistic.moved(b, a) for b, a in zip(before, after, strict=True)]
        neutral = [statistic.of(take) - statistic.of(self._usual_of(i)) for i, take in enumerate(self._neutral)]
        change = abs(float(np.mean(after - before)))
        return StyleResponse(
            name=name,
            statistic=f"{statistic.measure} of {', '.join(statistic.parameters)} {statistic.direction}",
            share=float(np.mean(moved)),
            before=float(before.mean()),
            after=float(after.mean()),
            bystander=abs(float(np.mean(neutral))) / change if change > 0.0 else math.inf,
            onset_s=self._onset(statistic, prompts),
            closures=self._closures(told),
            closures_before=self._closures(usual),
            missed=tuple(line for line, hit in zip(prompts, moved, strict=True) if not hit),
        )

    def _sound(self, index: int) -> int:
        """Sentences take turns on the sounds."""
        return index % len(self._phones)

    def _usual_of(self, index: int) -> Float:
        return self._usual[self._sound(index)]

    def _told(self, index: int, prompt: Prompt) -> Float:
        return self._act(self._sound(index), [prompt])

    def _onset(self, statistic: Statistic, prompts: Sequence[str]) -> float:
        timed = self._settings.timed
        chosen = list(enumerate(prompts))[: timed.prompts]
        takes = [self._told(i, Prompt(line, start_s=timed.start_s)) for i, line in chosen]
        return onset_s(takes, [self._usual_of(i) for i, _ in chosen], statistic, timed)

    def _closures(self, takes: Sequence[Float]) -> ClosureCounts:
        total = ClosureCounts()
        for index, take in enumerate(takes):
            phones = self._phones[self._sound(index)]
            speech = speech_of(phones, len(take) / FRAME_HZ)
            times_s = frame_times_s(len(take))
            total += count_closures(parameter_gap(take), times_s, intervals_of(phones, BILABIALS), speech, self._rule)
        return total


def onset_s(told: Sequence[Float], usual: Sequence[Float], statistic: Statistic, timed: TimedSettings) -> float:
    """When takes that are told something from a moment on begin to differ from those that are not.

    The distance of the two in the statistic's own parameters, averaged over the takes, crosses half of what it
    reaches; an early effect counts as well, with a negative time. Only an effect of the style's own direction counts:
    of a level each frame is asked, of the other statistics, which no single frame has, all that comes after the moment.

    Args:
        told: Takes `T P`.
        usual: The same without the prompt.
        statistic: Which parameters.
        timed: When it was told.

    Returns:
        Seconds after the moment; NaN where nothing ever differs, or only the wrong way.
    """
    length = min(len(take) for take in told)
    pairs = [(a[:length], b[:length]) for a, b in zip(told, usual, strict=True)]
    apart = np.maximum(np.mean([_apart(a, b, statistic) for a, b in pairs], axis=0), 0.0)
    # A movement that repeats is judged by its envelope, so that its way through the rest is no end.
    envelope = np.maximum.accumulate(apart)
    times_s = frame_times_s(length) - timed.start_s
    within = (times_s > 0.0) & (times_s <= timed.reach_s)
    if not within.any() or apart[within].max() <= 1e-6:
        return math.nan
    after = times_s > 0.0
    if not statistic.moved(0.0, float(np.mean([statistic.of(a[after]) - statistic.of(b[after]) for a, b in pairs]))):
        return math.nan
    half = 0.5 * float(np.quantile(apart[within], 0.9))
    return float(times_s[int(np.argmax(envelope >= half))])


def _apart(told: Float, usual: Float, statistic: Statistic) -> Float:
    """How far apart two takes `T P` are at each moment, `T`; a level that goes the wrong way is below nothing."""
    columns, weights = [INDEX[name] for name in statistic.parameters], np.array([*statistic.parameters.values()])
    difference = told[:, columns] - usual[:, columns]
    if statistic.measure == "level":
        return np.asarray(difference @ weights * (1.0 if statistic.direction == "up" else -1.0))
    return np.asarray(np.abs(difference) @ np.abs(weights))


def pooled_closure_loss(responses: Sequence[StyleResponse]) -> float:
    """F1 without text minus F1 with it, over all styles."""
    told, usual = ClosureCounts(), ClosureCounts()
    for response in responses:
        told += response.closures
        usual += response.closures_before
    return usual.f1 - told.f1
