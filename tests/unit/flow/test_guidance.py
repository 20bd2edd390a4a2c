"""Guidance: its two forms, annealing, and which forwards it saves."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from omnihuman.conditions.base import ConditionBatch, ConditionWidths
from omnihuman.denoisers.base import Velocity
from omnihuman.flow.guidance import Guidance, annealed, guided, joint, separate

X = torch.zeros(1, 2, 4)
V = {"ta": 7.0, "a": 3.0, "t": 2.0, "": 1.0}
"""Velocity by what is present: text, audio."""


def batch(audio: float = 1.0, text: float = 1.0) -> ConditionBatch:
    given = ConditionBatch.absent(1, 2, 4, ConditionWidths(5, 3, 2))
    return replace(
        given,
        reference_present=torch.ones(1),
        audio_present=torch.full((1,), audio),
        text_present=torch.full((1, 4), text),
    )


class Recorder:
    """Velocities of the table, item by item; remembers which branches were asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def bound(self, conditions: ConditionBatch) -> Velocity:
        assert conditions.reference_present.all(), "reference must stay in every branch"
        flags = zip(conditions.text_present.amax(1), conditions.audio_present, strict=True)
        self.asked = ["t" * bool(text) + "a" * bool(audio) for text, audio in flags]
        velocities = torch.tensor([V[present] for present in self.asked])
        return lambda x, t: x + velocities[:, None, None]


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


def test_the_joint_field_extrapolates_from_neither_to_both_at_the_annealed_scale():
    denoise = Recorder()
    field = guided(denoise.bound, batch(), Guidance(audio=2.0, anneal=1.0, form="joint"))
    assert torch.equal(field(X, torch.tensor([0.5])), X + 1 + 1.5 * 6)
    assert denoise.asked == ["ta", ""]


def test_the_separate_field_weighs_each_signal_by_its_own_scale():
    denoise = Recorder()
    field = guided(denoise.bound, batch(), Guidance(audio=2.0, text=3.0, anneal=1.0, form="separate"))
    assert torch.equal(field(X, torch.tensor([0.5])), X + 7 + 1.0 * (7 - 3) + 0.5 * (7 - 2))
    assert denoise.asked == ["ta", "a", "t"]


def test_without_a_prompt_both_forms_are_audio_guidance():
    settings = [Guidance(2.0, 9.0, 1.0, form) for form in ("joint", "separate")]
    one, other = (guided(Recorder().bound, batch(text=0.0), s)(X, torch.tensor([0.5])) for s in settings)
    assert torch.equal(one, other) and torch.equal(one, X + 1 + 1.5 * 2)


@pytest.mark.parametrize(
    ("guidance", "given", "asked"),
    [
        (Guidance(1.0, 1.0, 0.0, "joint"), batch(), ["ta"]),
        (Guidance(2.0, 1.0, 0.0, "joint"), batch(audio=0.0), ["t", ""]),
        (Guidance(2.0, 2.0, 0.0, "joint"), batch(0.0, 0.0), [""]),
        (Guidance(1.0, 1.0, 0.0), batch(), ["ta"]),
        (Guidance(2.0, 1.0, 0.0), batch(), ["ta", "t"]),
        (Guidance(1.0, 2.0, 0.0), batch(), ["ta", "a"]),
        (Guidance(2.0, 2.0, 0.0), batch(text=0.0), ["a", ""]),
        (Guidance(2.0, 2.0, 0.0), batch(audio=0.0), ["t", ""]),
        (Guidance(2.0, 2.0, 0.0), batch(0.0, 0.0), [""]),
    ],
)
def test_a_branch_is_skipped_only_where_its_term_vanishes(guidance, given, asked):
    denoise = Recorder()
    guided(denoise.bound, given, guidance)(X, torch.tensor([0.5]))
    assert denoise.asked == asked
