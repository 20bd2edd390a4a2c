"""What every denoiser of the house must keep; each new one joins the list."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from omnihuman.conditions.base import ConditionBatch
from omnihuman.conditions.bundle import WIDTHS
from omnihuman.conditions.sentence import TEXT_WIDTH
from omnihuman.denoisers.base import Denoiser
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.flow.guidance import Guidance, guided
from omnihuman.flow.schedule import times
from omnihuman.flow.solver import initial_noise, integrate
from omnihuman.latents.motion.parameters import NUM_PARAMETERS
from omnihuman.types import LatentSpec


def _motion() -> tuple[Denoiser, ConditionBatch]:
    torch.manual_seed(0)
    model = MotionDiT(width=16, layers=1, heads=2, audio_width=8, audio_layers=1).eval()
    torch.nn.init.normal_(model.exit.weight, std=0.1)
    torch.nn.init.normal_(model.text_modulation.weight, std=0.1)
    given = replace(
        ConditionBatch.absent(2, NUM_PARAMETERS, 12, WIDTHS),
        text=torch.rand(2, 12, TEXT_WIDTH),
        text_present=torch.ones(2, 12),
        reference=torch.rand(2, 8),
        reference_present=torch.ones(2),
        audio=torch.rand(2, 24, 43),
        audio_present=torch.ones(2),
    )
    return model, given


DENOISERS = {"motion": _motion}
SPECS = {"motion": LatentSpec("motion", NUM_PARAMETERS, 25.0)}


@pytest.fixture(params=sorted(DENOISERS))
def subject(request: pytest.FixtureRequest) -> tuple[str, Denoiser, ConditionBatch]:
    return request.param, *DENOISERS[request.param]()


def test_it_carries_the_spec_of_its_space(subject):
    name, denoiser, _ = subject
    assert denoiser.spec == SPECS[name]


@torch.no_grad()
def test_the_velocity_has_the_shape_of_the_latents_and_is_finite_on_all_of_the_path(subject):
    _, denoiser, given = subject
    x = initial_noise(given.observed.shape, torch.Generator().manual_seed(1))
    for t in (0.0, 0.5, 1.0):
        v = denoiser(x, torch.full((2,), t), given)
        assert v.shape == x.shape
        assert torch.isfinite(v).all()


@torch.no_grad()
def test_sampling_twice_with_one_seed_gives_the_same_bytes(subject):
    _, denoiser, given = subject

    def sample(seed: int) -> torch.Tensor:
        noise = initial_noise(given.observed.shape, torch.Generator().manual_seed(seed))
        return integrate(guided(denoiser.bound, given, Guidance(1.5)), noise, times(3))

    assert torch.equal(sample(3), sample(3))
    assert not torch.equal(sample(3), sample(4))
