"""Windows are chained as training taught it: clean motion frames, a pose that stays, no noise for a regression."""

import pytest
import torch
from torch import nn

from omnihuman.evaluation.ablation.judge import Judge
from omnihuman.evaluation.ablation.roll_out import roll_out, with_pose
from omnihuman.evaluation.ablation.settings import planned_runs
from omnihuman.training.loop import build_model
from tests.unit.evaluation.ablation.small import judging, small, spoken_clips


@pytest.fixture(scope="module")
def held():
    return spoken_clips(clips=3, seconds=3.0, short_seconds=2.0)


@pytest.fixture(scope="module")
def model():
    made = build_model(small().base, 43).eval()
    for number, parameter in enumerate(made.parameters()):
        nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(number))
    return made


def noise(seed=0):
    return torch.Generator().manual_seed(seed)


class Spy:
    """A network that copies its motion frames' last value and remembers what it was given."""

    def __init__(self):
        self.seen = []

    def bound(self, conditions):
        self.seen.append(conditions)

        def velocity(x, t):
            known = conditions.observed_mask.amin(dim=1, keepdim=True).cumprod(dim=2)
            last = int(known[0, 0].sum()) - 1
            data = conditions.observed[:, :, last : last + 1] if last >= 0 else torch.full_like(x, 0.25)
            return (x - data) / t[:, None, None]

        return velocity


def test_each_window_begins_with_the_end_of_the_last_one(held):
    spy = Spy()
    made = roll_out(spy, held.conditions, 20, 5, 3, noise())
    assert made.shape == held.takes.shape
    assert torch.allclose(made, torch.full_like(made, 0.25), atol=1e-5), "carried over from window to window"
    assert [int(part.observed_mask[0, 0].sum()) for part in spy.seen] == [0] + [5] * (len(spy.seen) - 1)
    assert torch.equal(
        torch.cat([spy.seen[0].audio, *(p.audio[:, 10:] for p in spy.seen[1:])], 1), held.conditions.audio
    )


def test_a_pose_stays_as_given(held, model):
    given = with_pose(held.conditions, held.takes, ["head", "torso"])
    made = roll_out(model, given, 16, 4, 2, noise())
    assert torch.equal(made * given.observed_mask, given.observed)


def test_the_same_noise_gives_the_same_motion_and_zeros_need_none(held, model):
    one, same, other = (roll_out(model, held.conditions, 16, 4, 2, noise(seed)) for seed in (0, 0, 1))
    assert torch.equal(one, same) and not torch.equal(one, other)
    assert torch.equal(*(roll_out(model, held.conditions, 16, 4, 1, None) for _ in range(2)))


def test_guidance_leads_away_from_the_network_without_sound(held, model):
    plain, guided = (roll_out(model, held.conditions, 16, 4, 2, noise(), guidance) for guidance in (1.0, 2.0))
    assert not torch.allclose(plain, guided, atol=1e-4)


def test_the_judge_names_every_quantity_and_repeats_itself(held, model):
    judge = Judge(held, judging(clips=3, seconds=3.0, short_seconds=2.0))
    training = planned_runs(small())[0].training
    first, again = (judge.measure(model, training) for _ in range(2))
    assert {name: m.value for name, m in first.items()} == {name: m.value for name, m in again.items()}
    assert {"lip_correlation", "posed_closure_f1", "guided_closure_f1", "idle_distance", "pose_torso_agreement"} <= set(
        first
    )
    assert set(judge.measure_teacher()) <= set(first)
