"""Windows join without a jump: the look-ahead of one fades into the next."""

import torch
from torch import nn

from omnihuman.conditions.bundle import Tracks
from omnihuman.pipeline.preset import load_preset
from omnihuman.pipeline.sample import crossfade, sample_latents
from omnihuman.pipeline.windows import plan
from omnihuman.types import LatentSpec


def test_blend_starts_at_the_old_take_and_ends_at_the_new():
    old, new = torch.zeros(1, 2, 9), torch.ones(1, 2, 30)
    blended = crossfade(old, new)
    assert blended.shape == new.shape and torch.equal(blended[:, :, 9:], new[:, :, 9:])
    steps = torch.diff(torch.cat([old[:, :, :1], blended], dim=2), dim=2)
    assert (steps >= 0).all() and steps.max() < 0.2
    assert blended[0, 0, 0] < 0.05 and blended[0, 0, 8] > 0.95


def test_where_both_takes_agree_nothing_changes():
    take = torch.randn(1, 3, 12)
    assert torch.allclose(crossfade(take[:, :, :5], take), take, atol=1e-6)


def test_the_first_window_has_nothing_to_blend():
    take = torch.randn(1, 3, 12)
    assert torch.equal(crossfade(torch.zeros(1, 3, 0), take), take)


class Listening(nn.Module):
    """Notes what it is told of each window and turns noise into noise."""

    spec = LatentSpec("motion", 3, 25.0)

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.told = []

    def bound(self, conditions):
        self.told.append(conditions)
        return lambda latents, t: torch.zeros_like(latents)


def test_each_window_is_told_the_frames_that_the_one_before_ended_with():
    denoiser = Listening()
    sampler = load_preset("tiny").sampler.model_copy(update={"steps": 2, "guidance_audio": 1.0, "guidance_text": 1.0})
    windows = plan(50, 24, 6, 4)
    latents = sample_latents(
        denoiser, denoiser.spec, Tracks(None, None), windows, sampler, torch.Generator().manual_seed(3)
    )
    assert latents.shape == (1, 3, 50) and len(windows) == 4
    assert not denoiser.told[0].observed_mask.any()
    for window, told in zip(windows[1:], denoiser.told[1:], strict=True):
        num_known = window.keep_from - window.start
        assert num_known == 6
        assert told.observed_mask[:, :, :num_known].all() and not told.observed_mask[:, :, num_known:].any()
        assert torch.equal(told.observed[:, :, :num_known], latents[:, :, window.start : window.keep_from])
