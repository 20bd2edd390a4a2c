"""Windows join without a jump: the look-ahead of one fades into the next."""

import torch

from omnihuman.pipeline.sample import crossfade


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
