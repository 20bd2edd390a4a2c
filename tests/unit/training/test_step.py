"""One training step: what counts, what does not, what is mixed in."""

from __future__ import annotations

import pytest
import torch

from omnihuman.conditions.base import ConditionBatch
from omnihuman.latents.motion.parameters import NUM_PARAMETERS, group_indices
from omnihuman.training.settings import LossSettings, Ratios, Stage
from omnihuman.training.stages import Mixing, mix, stage_at
from omnihuman.training.step import step, stratified_times
from omnihuman.training.synthetic import SyntheticDataset

BATCH, FRAMES = 64, 24
ALL = Ratios(reference=1.0, audio=1.0, pose=0.0, motion_frames=0.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def windows() -> tuple[torch.Tensor, ConditionBatch, torch.Tensor]:
    return SyntheticDataset(FRAMES, seed=3).batch(0, BATCH)


def mixed(windows, seed: int = 0, **ratios: float) -> ConditionBatch:
    return mix(windows[0], windows[1], Mixing(ALL.model_copy(update=ratios), (4, 9)), generator(seed))


class Oracle:
    """Knows the data; adds an error to what it is told to."""

    def __init__(self, data: torch.Tensor, error: torch.Tensor) -> None:
        self.data, self.error = data, error

    def velocity_and_regression(self, latents, t, conditions):
        wrong = self.data + self.error
        return (latents - wrong) / t[:, None, None], self.data.clone()


def parts_of(windows, error: torch.Tensor, conditions: ConditionBatch, weight: torch.Tensor | None = None):
    weight = windows[2] if weight is None else weight
    return step(Oracle(windows[0], error), windows[0], conditions, weight, LossSettings(), generator(1))


def test_a_perfect_prediction_costs_nothing(windows):
    loss, parts = parts_of(windows, torch.zeros_like(windows[0]), mixed(windows))
    assert loss < 1e-6
    assert set(parts) == {"data", "velocity", "regression"}


def test_a_constant_error_costs_its_square_and_no_velocity(windows):
    _, parts = parts_of(windows, torch.full_like(windows[0], 0.5), mixed(windows))
    assert parts["data"] == pytest.approx(0.25, rel=1e-3)
    assert parts["velocity"] < 1e-6


def test_errors_on_observed_entries_cost_nothing_but_the_seam_counts(windows):
    conditions = mixed(windows, motion_frames=1.0)
    error = 0.5 * conditions.observed_mask
    loss, _ = parts_of(windows, error, conditions)
    assert loss < 1e-6
    _, parts = parts_of(windows, 0.5 * (1 - conditions.observed_mask), conditions)
    assert parts["velocity"] > 0, "a jump right after the motion frames"


def test_weightless_entries_cost_nothing(windows):
    weight = windows[2].clone()
    weight[:, 20:] = 0
    error = torch.zeros_like(windows[0])
    error[:, 20:] = 3.0
    assert parts_of(windows, error, mixed(windows), weight)[0] < 1e-6


def test_the_regression_is_judged_only_where_there_is_sound(windows):
    class Deaf(Oracle):
        def velocity_and_regression(self, latents, t, conditions):
            return super().velocity_and_regression(latents, t, conditions)[0], self.data + 1.0

    def regression(audio: float) -> float:
        model = Deaf(windows[0], torch.zeros_like(windows[0]))
        conditions = mixed(windows, audio=audio)
        return step(model, windows[0], conditions, windows[2], LossSettings(), generator())[1]["regression"].item()

    assert regression(1.0) == pytest.approx(1.0)
    assert regression(0.0) == 0.0


def test_a_regression_sees_nothing_of_the_data_but_what_is_observed(windows):
    class Witness(Oracle):
        def velocity_and_regression(self, latents, t, conditions):
            self.seen, self.times = latents, t
            return super().velocity_and_regression(latents, t, conditions)

    settings = LossSettings(objective="regression")
    conditions = mixed(windows, motion_frames=1.0, pose=0.5)
    losses = []
    for seed in (1, 2):
        model = Witness(windows[0], torch.full_like(windows[0], 0.5))
        losses.append(step(model, windows[0], conditions, windows[2], settings, generator(seed))[0])
        assert torch.equal(model.seen, conditions.observed)
        assert torch.equal(model.times, torch.ones(BATCH))
    assert losses[0] == losses[1] > 0, "there is no chance in it"


def test_times_are_uniform_and_stratified():
    t = stratified_times(1000, generator())
    assert ((t >= 0) & (t < 1)).all()
    counts = torch.histc(t, 10, 0, 1)
    assert (counts - 100).abs().max() <= 1
    assert not torch.equal(t, t.sort().values)


def test_ratios_are_shares_of_the_windows(windows):
    seen = {"text": 0.0, "reference": 0.0, "audio": 0.0, "pose": 0.0}
    for seed in range(20):
        conditions = mixed(windows, seed, text=0.7, reference=0.9, audio=0.5, pose=0.25)
        seen["text"] += conditions.text_present.mean().item() / 20
        seen["reference"] += conditions.reference_present.mean().item() / 20
        seen["audio"] += conditions.audio_present.mean().item() / 20
        seen["pose"] += conditions.observed_mask.amax(dim=(1, 2)).mean().item() / 20
    assert seen["text"] == pytest.approx(0.7, abs=0.05)
    assert seen["reference"] == pytest.approx(0.9, abs=0.03)
    assert seen["audio"] == pytest.approx(0.5, abs=0.05)
    assert 0.18 < seen["pose"] <= 0.28


def test_motion_frames_are_a_clean_prefix_of_allowed_length(windows):
    conditions = mixed(windows, motion_frames=1.0)
    lengths = conditions.observed_mask[:, 0].sum(dim=1)
    assert lengths.min() >= 4
    assert lengths.max() <= 9
    assert torch.equal(conditions.observed, windows[0] * conditions.observed_mask)
    assert (conditions.observed_mask.diff(dim=-1) <= 0).all(), "nothing observed after a gap"


def test_a_pose_track_holds_whole_groups(windows):
    mask = mixed(windows, pose=1.0).observed_mask
    for group in ("head", "torso", "eyes", "mouth"):
        columns = mask[:, group_indices(group)]
        assert torch.equal(columns, columns[:, :1].expand_as(columns)), group
    assert mask[:, group_indices("mouth")].mean() < 0.5 * mask[:, group_indices("head")].mean()


def test_mixing_depends_on_the_generator_alone(windows):
    same = [mixed(windows, 5, audio=0.5, pose=0.5, motion_frames=0.5) for _ in range(2)]
    other = mixed(windows, 6, audio=0.5, pose=0.5, motion_frames=0.5)
    assert torch.equal(same[0].observed_mask, same[1].observed_mask)
    assert torch.equal(same[0].audio_present, same[1].audio_present)
    assert not torch.equal(same[0].observed_mask, other.observed_mask)


def test_stages_follow_each_other_and_the_last_one_stays():
    stages = (Stage(name="reference", steps=2), Stage(name="audio", steps=3))
    assert [stage_at(stages, n).name for n in (0, 1, 2, 4, 5, 99)] == ["reference"] * 2 + ["audio"] * 4


def test_the_synthetic_mouth_follows_its_sound():
    latents, conditions, weight = SyntheticDataset(FRAMES, seed=3).batch(0, 4)
    assert latents.shape == weight.shape == (4, NUM_PARAMETERS, FRAMES)
    assert conditions.audio.shape == (4, 2 * FRAMES, 43)
    phones = conditions.audio[:, ::2].argmax(-1)
    same = (phones[:, 1:] == phones[:, :-1]).unsqueeze(1)
    still = latents[:, group_indices("mouth")].diff(dim=-1).abs().amax(dim=1, keepdim=True)
    assert still[same].max() == 0
    assert still[~same].min() > 0
