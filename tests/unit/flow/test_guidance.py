"""Guidance: its two forms, annealing, and which forwards it saves."""

from __future__ import annotations

import pytest
import torch

from omnihuman.conditions.base import ConditionBatch
from omnihuman.flow.guidance import AudioGuidance, annealed, guided, joint, separate

X = torch.zeros(1, 2, 4)


def batch(audio_present: float = 1.0) -> ConditionBatch:
    return ConditionBatch(torch.zeros(1, 3), torch.zeros(1, 8, 2), X, X, torch.ones(1), torch.full((1,), audio_present))


class Recorder:
    """Velocity 3 with sound and 1 without; remembers what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[float, float]] = []

    def __call__(self, x: torch.Tensor, t: torch.Tensor, conditions: ConditionBatch) -> torch.Tensor:
        self.asked.append((float(conditions.audio_present), float(conditions.reference_present)))
        return x + (3.0 if conditions.audio_present > 0 else 1.0)


def test_joint_form_extrapolates_from_null_through_all():
    v_null, v_all = torch.tensor(1.0), torch.tensor(3.0)
    assert joint(v_null, v_all, 0.0) == 1.0
    assert joint(v_null, v_all, 1.0) == 3.0
    assert joint(v_null, v_all, 2.0) == 5.0


def test_separate_form_weighs_each_signal_by_its_own_scale():
    v_all, v_audio, v_text = torch.tensor(3.0), torch.tensor(2.0), torch.tensor(0.5)
    assert separate(v_all, v_audio, v_text, 1.0, 1.0) == 3.0
    assert separate(v_all, v_audio, v_text, 2.0, 1.0) == 4.0
    assert separate(v_all, v_audio, v_text, 1.0, 2.0) == 5.5
    assert separate(v_all, v_audio, v_text, 2.0, 2.0) == 6.5


def test_annealing_falls_towards_one():
    scales = [annealed(2.0, t, 1.0) for t in (1.0, 0.75, 0.5, 0.0)]
    assert scales == [2.0, 1.75, 1.5, 1.0]
    assert annealed(2.0, 0.25, 0.0) == 2.0


def test_guided_field_is_the_joint_form_at_the_annealed_scale():
    denoise = Recorder()
    field = guided(denoise, batch(), AudioGuidance(2.0, 1.0))
    assert torch.equal(field(X, torch.tensor([0.5])), X + 1 + 1.5 * 2)
    assert denoise.asked == [(1.0, 1.0), (0.0, 1.0)], "reference must stay in the null branch"


@pytest.mark.parametrize(
    ("guidance", "audio_present"), [(AudioGuidance(1.0, 0.0), 1.0), (AudioGuidance(2.0, 1.0), 0.0)]
)
def test_the_null_forward_is_skipped_only_where_its_term_vanishes(guidance, audio_present):
    denoise = Recorder()
    guided(denoise, batch(audio_present), guidance)(X, torch.tensor([0.5]))
    assert len(denoise.asked) == 1
