"""Every shipped configuration of the transformer runs, on a tiny network and made-up windows: stages, loss, optimiser.

Those of the small networks do so in `unit/training/test_mel_train.py` and `test_voice_gate_train.py`.
"""

import pytest
import torch

from omnihuman.config import configs_dir, read_yaml
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.training.files import Files
from omnihuman.training.loop import Run, train
from omnihuman.training.settings import read_settings
from omnihuman.training.synthetic import SyntheticDataset

CONFIGS = sorted(p for p in configs_dir().glob("training/*.yaml") if "stages" in read_yaml(p))
TINY = read_settings(configs_dir() / "training" / "tiny.yaml")


def shrunk(path):
    settings = read_settings(path)
    stages = tuple(stage.model_copy(update={"steps": 2}) for stage in settings.stages)
    small = {"model": TINY.model, "data": TINY.data, "batch_size": 2, "stages": stages, "start_from": None}
    return settings.model_copy(update=small)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_it_runs_and_exports_weights_that_load(path, tmp_path):
    settings = shrunk(path)
    data = SyntheticDataset(settings.data.frames, settings.seed)
    run = Run(settings, data, data.data_hash, Files(tmp_path / "w.safetensors", tmp_path / "c.safetensors"))
    outcome = train(run, "2026-01-01")
    assert outcome.finished and outcome.step == 2 * len(settings.stages)
    model = MotionDiT.from_files({"w.safetensors": tmp_path / "w.safetensors"}, "cpu")
    latents, conditions, _ = data.batch(0, 2)
    with torch.inference_mode():
        velocity = model(torch.randn(latents.shape), torch.tensor([0.5, 0.9]), conditions)
    assert velocity.shape == latents.shape and velocity.isfinite().all()
