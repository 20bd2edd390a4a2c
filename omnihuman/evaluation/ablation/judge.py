"""One trained network -> all quantities of the ablation. What each means stands in quantities.py.

Ways to ask: sound and picture, plain and guided; head without sound; head and sound; the picture alone. Guidance is
off elsewhere: it needs a network that was trained without sound, which some variants were not.
"""

from __future__ import annotations

import torch
from torch import Tensor

from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.mixing import without
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.evaluation.ablation import quantities
from omnihuman.evaluation.ablation.held_out import HeldOut
from omnihuman.evaluation.ablation.quantities import BODY, HEAD, NOT_MOUTH
from omnihuman.evaluation.ablation.roll_out import roll_out, with_pose
from omnihuman.evaluation.ablation.settings import JudgingSettings
from omnihuman.latents.motion.parameters import GROUPS
from omnihuman.metrics.measurement import Measurement
from omnihuman.metrics.sync import ClosureRule
from omnihuman.training.settings import TrainingSettings
from omnihuman.training.teacher.mouth import FRAME_HZ

DRIVEN = ("head", "brows", "eyes", "gaze")
"""What a driving face gives; mouth, torso, arms and hands stay free."""


class Judge:
    """Samples and measures one network after another on the same clips, with the same noise.

    Args:
        held: The clips.
        judging: Steps, lengths, thresholds.
    """

    def __init__(self, held: HeldOut, judging: JudgingSettings) -> None:
        self._held, self._judging = held, judging
        self._short = held.first(round(judging.short_seconds * FRAME_HZ))
        self._rule = ClosureRule(judging.close_below, judging.open_above, judging.tolerance_s)

    def measure(self, model: MotionDiT, training: TrainingSettings) -> dict[str, Measurement]:
        """All quantities by name.

        Args:
            model: In eval mode.
            training: How it was trained; tells the objective and the length of a window.
        """
        held, short = self._held, self._short

        def sample(given: ConditionBatch, salt: int, guidance: float = 1.0) -> Tensor:
            return self._sample(model, training, given, salt, guidance)

        driven = with_pose(short.conditions, short.takes, DRIVEN)
        long = sample(held.conditions, 1)
        again = sample(short.conditions, 2)
        mute = sample(without(driven, ("audio",)), 3)
        both = sample(driven, 4)
        idle = sample(without(short.conditions, ("audio",)), 5)
        guided = sample(short.conditions, 6, self._judging.guidance)
        return {
            **self._of_sound(long, again),
            **{f"guided_{name}": value for name, value in quantities.lips(guided, short, self._rule).items()},
            **{f"posed_{name}": value for name, value in quantities.lips(both, short, self._rule).items()},
            "pose_torso_agreement": quantities.torso_agreement(mute, short),
            "pose_distance": quantities.distance(mute, short, ("mouth", *BODY)),
            "idle_distance": quantities.distance(idle, short, GROUPS),
        }

    def measure_teacher(self) -> dict[str, Measurement]:
        """The same of a take of the teacher in place of a network, where that means something: the ceiling."""
        takes, other = self._held.takes, self._held.lessons[: len(self._held.takes)]
        frames = self._short.takes.shape[-1]
        found = self._of_sound(takes, other[..., :frames])
        return {**found, "idle_distance": quantities.distance(takes[..., :frames], self._short, GROUPS)}

    def _of_sound(self, latents: Tensor, again: Tensor) -> dict[str, Measurement]:
        """What sound and picture alone bring about; `again` is a second, shorter sample."""
        held = self._held
        return {
            **quantities.lips(latents, held, self._rule),
            "head_spread": quantities.spread(latents, held, HEAD),
            "body_spread": quantities.spread(latents, held, BODY),
            "head_roughness": quantities.roughness(latents, held, HEAD),
            "diversity": quantities.diversity(latents[..., : again.shape[-1]], again, self._short),
            "blinks": quantities.blinks(latents),
            "distance": quantities.distance(latents, held, NOT_MOUTH),
            "unseen_motion": quantities.unseen_motion(latents, held),
            "drift": quantities.drift(latents, held),
        }

    def _sample(
        self, model: MotionDiT, training: TrainingSettings, given: ConditionBatch, salt: int, guidance: float
    ) -> Tensor:
        judging = self._judging
        regresses = training.loss.objective == "regression"
        generator = None if regresses else torch.Generator().manual_seed(judging.seed * 101 + salt)
        steps = 1 if regresses else judging.steps
        return roll_out(model, given, training.data.frames, judging.prefix_frames, steps, generator, guidance)
