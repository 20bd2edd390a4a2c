"""Every quantity reacts to the fault it is there for, and the teacher itself passes."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from omnihuman.evaluation.ablation import quantities
from omnihuman.evaluation.ablation.held_out import shown_channels
from omnihuman.evaluation.ablation.judge import DRIVEN, Judge
from omnihuman.evaluation.ablation.quantities import BODY, HEAD, NOT_MOUTH
from omnihuman.evaluation.ablation.roll_out import with_pose
from omnihuman.latents.motion.parameters import GROUPS, INDEX, NAMES, group_indices
from omnihuman.metrics.sync import ClosureRule
from tests.unit.evaluation.ablation.small import judging, spoken_clips

RULE = ClosureRule(0.02, 0.03, 0.04)


@pytest.fixture(scope="module")
def held():
    return spoken_clips()


def changed(latents, groups, factor=1.0, offset=0.0):
    other = latents.clone()
    rows = [i for group in groups for i in group_indices(group)]
    other[:, rows] = other[:, rows] * factor + offset
    return other


def noise_like(latents, size):
    return size * torch.randn(latents.shape, generator=torch.Generator().manual_seed(1))


def test_the_teacher_is_its_own_student(held):
    found = {name: measured.value for name, measured in Judge(held, judging()).measure_teacher().items()}
    assert found["lip_correlation"] > 0.85
    assert found["closure_f1"] > 0.95
    assert found["head_spread"] == pytest.approx(1.0, abs=0.2)
    assert found["body_spread"] == pytest.approx(1.0, abs=0.3)
    assert found["head_roughness"] == pytest.approx(1.0, abs=0.15)
    assert found["diversity"] == pytest.approx(1.0)
    assert found["distance"] < 0.6
    assert found["unseen_motion"] == 0.0


def test_late_or_shut_lips_are_noticed(held):
    good = quantities.lips(held.takes, held, RULE)
    late = quantities.lips(held.takes.roll(6, dims=-1), held, RULE)
    open_ = quantities.lips(changed(held.takes, ["mouth"], 0.0, 1.0), held, RULE)
    assert late["lip_correlation"].value < good["lip_correlation"].value - 0.4
    assert late["closure_f1"].value < good["closure_f1"].value - 0.2
    sealed_never = held.takes.clone()
    sealed_never[:, INDEX["seal"]] = 0.0
    sealed_never[:, INDEX["jaw_open"]] += 1.0
    assert quantities.lips(sealed_never, held, RULE)["closure_f1"].value == 0.0
    assert abs(open_["lip_correlation"].value) < 0.1


def test_frozen_and_wild_heads_are_told_from_taught_ones(held):
    for factor in (0.5, 2.0):
        taught = quantities.spread(held.takes, held, HEAD).value
        assert quantities.spread(changed(held.takes, HEAD, factor), held, HEAD).value == pytest.approx(factor * taught)
    assert quantities.spread(torch.zeros_like(held.takes), held, BODY).value < 1e-3


def test_a_spread_counts_only_what_the_picture_shows(held):
    """The mean over the clips that show an arm must not change with what the others do with theirs."""
    moved = torch.where(held.shown[..., None], held.takes, noise_like(held.takes, 5.0))
    assert quantities.spread(moved, held, BODY).value == quantities.spread(held.takes, held, BODY).value
    assert quantities.distance(moved, held, BODY).value == quantities.distance(held.takes, held, BODY).value


def test_trembling_is_rough(held):
    trembling = held.takes + noise_like(held.takes, 0.1)
    assert quantities.roughness(trembling, held, HEAD).value > 1.3
    smooth = torch.nn.functional.avg_pool1d(held.takes, 9, 1, 4)
    assert quantities.roughness(smooth, held, HEAD).value < 0.8


@pytest.mark.parametrize("fault", ["frozen", "shifted", "trembling"])
def test_wrong_statistics_are_far(held, fault):
    faulty = {
        "frozen": changed(held.takes, NOT_MOUTH, 0.1),
        "shifted": changed(held.takes, NOT_MOUTH, 1.0, 1.5),
        "trembling": held.takes + noise_like(held.takes, 0.3),
    }[fault]
    right = quantities.distance(held.takes, held, NOT_MOUTH).value
    assert quantities.distance(faulty, held, NOT_MOUTH).value > right + 0.3


def test_arms_that_the_picture_lacks_must_not_move(held):
    hidden = ~held.shown[..., None] & torch.ones_like(held.takes, dtype=torch.bool)
    leaking = torch.where(hidden, noise_like(held.takes, 1.0), held.takes)
    assert quantities.unseen_motion(held.takes, held).value == 0.0
    assert quantities.unseen_motion(leaking, held).value > 0.3


def test_motion_that_grows_over_a_clip_drifts(held):
    growing = held.takes * torch.linspace(0.5, 3.0, held.takes.shape[-1])
    assert quantities.drift(growing, held).value > 1.5 * quantities.drift(held.takes, held).value


def test_two_equal_samples_are_not_diverse(held):
    assert quantities.diversity(held.takes, held.takes, held).value == 0.0
    assert quantities.diversity(held.takes, held.lessons[: len(held.takes)], held).value == pytest.approx(1.0)


def test_blinks_are_counted(held):
    assert 5.0 < quantities.blinks(held.takes).value < 40.0
    assert quantities.blinks(torch.zeros_like(held.takes)).value == 0.0


def test_the_torso_agrees_with_itself_and_with_no_other(held):
    assert quantities.torso_agreement(held.takes, held).value == pytest.approx(1.0)
    assert abs(quantities.torso_agreement(held.lessons[: len(held.takes)], held).value) < 0.4


def test_a_picture_shows_what_its_reference_says():
    references = np.zeros((3, 8), np.float32)
    references[0, [4, 5, 6]] = 1.0
    references[2, 6] = 0.7
    shown = shown_channels(references)
    hidden = [{name for name, seen in zip(NAMES, row, strict=True) if not seen} for row in shown]
    assert hidden[0] == set()
    assert {INDEX[name] for name in hidden[1]} == {i for group in BODY for i in group_indices(group)}
    assert {"arm_elbow_deg_l", "finger_curl_l", "lean_deg"} <= hidden[2]
    assert not {"arm_elbow_deg_r", "finger_curl_r"} & hidden[2]


def test_a_pose_track_gives_whole_groups_and_nothing_else(held):
    driven = with_pose(held.conditions, held.takes, DRIVEN)
    given = driven.observed_mask.amax(dim=(0, 2)) > 0
    assert {i for i in range(len(NAMES)) if given[i]} == {i for g in DRIVEN for i in group_indices(g)}
    assert torch.equal(driven.observed, held.takes * driven.observed_mask)
    assert {"mouth", *BODY} | set(DRIVEN) == set(GROUPS)


def test_the_beginning_of_clips_is_cut_everywhere(held):
    first = held.first(50)
    assert first.takes.shape[-1] == first.mean_gap.shape[-1] == first.conditions.observed.shape[-1] == 50
    assert first.conditions.audio.shape[1] == 2 * first.conditions.text.shape[1] == 100
    assert torch.equal(first.conditions.audio, held.conditions.audio[:, :100])
    assert replace(first, phones=()).shown is held.shown
