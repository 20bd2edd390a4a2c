from dataclasses import replace

import pytest
import torch

from omnihuman.conditions.base import ConditionBatch
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.training.extend import extend_weights

OLD, NEW = ("a", "b", "c"), ("a", "x", "b", "c", "y")
PLACES = [0, 2, 3]


@pytest.fixture
def models(tmp_path):
    torch.manual_seed(0)
    old = MotionDiT(channels=3, width=16, layers=1, heads=2, audio_width=8, audio_layers=1)
    for parameter in old.parameters():
        torch.nn.init.normal_(parameter, std=0.1)
    old.save_file(tmp_path / "old.safetensors", {"date": "2026-01-01"})
    extend_weights(tmp_path / "old.safetensors", tmp_path / "new.safetensors", OLD, NEW)
    return old.eval(), MotionDiT.from_files({"w": tmp_path / "new.safetensors"}, "cpu")


def conditions(channels):
    generator = torch.Generator().manual_seed(1)
    shape = (1, channels, 6)
    return ConditionBatch(
        reference=torch.randn(1, 8, generator=generator),
        audio=torch.randn(1, 12, 43, generator=generator),
        observed=torch.zeros(shape),
        observed_mask=torch.zeros(shape),
        reference_present=torch.ones(1),
        audio_present=torch.ones(1),
    )


@torch.inference_mode()
def test_old_channels_behave_as_before_and_new_ones_rest(models):
    old, new = models
    latents, t = torch.randn(1, 5, 6), torch.tensor([0.5])
    before, after = conditions(3), conditions(5)
    observed = torch.randn(1, 3, 6)
    before = replace(before, observed=observed, observed_mask=torch.ones(1, 3, 6))
    after.observed[:, PLACES], after.observed_mask[:, PLACES] = observed, 1.0
    wanted, got = old(latents[:, PLACES], t, before), new(latents, t, after)
    torch.testing.assert_close(got[:, PLACES], wanted)
    data = latents - t * got
    assert data[:, [1, 4]].abs().max() < 1e-6


def test_losing_a_channel_or_miscounting_is_refused(tmp_path, models):
    for old, new in ((OLD, ("a", "b")), (("a", "b"), NEW)):
        with pytest.raises(ValueError, match="channels"):
            extend_weights(tmp_path / "old.safetensors", tmp_path / "bad.safetensors", old, new)
    assert not (tmp_path / "bad.safetensors").exists()
