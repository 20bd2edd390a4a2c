from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from omnihuman import weights_file
from omnihuman.errors import ModelError
from omnihuman.speech.hama_symbols import POSTERIOR_WIDTH
from omnihuman.speech.level import at_speech_level
from omnihuman.speech.mel_features import BANDS
from omnihuman.speech.mel_network import MelNetwork
from omnihuman.speech.mel_phones import MelPhoneRecognizer, row_features
from omnihuman.types import Sound

from .tiny_mel import tiny_network, write_tiny_mel


def features(rows: int) -> torch.Tensor:
    return torch.randn((1, 2 * rows - 1, BANDS), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("rows", [1, 2, 50])
def test_two_frames_make_a_row(rows: int) -> None:
    told = tiny_network()(features(rows))
    assert told.shape == (1, rows, POSTERIOR_WIDTH)
    torch.testing.assert_close(told.exp().sum(-1), torch.ones(1, rows))


def test_a_row_hears_as_far_as_it_says() -> None:
    network, given = tiny_network(), features(80)
    changed = given.clone()
    changed[:, 2 * 40] += 3.0
    with torch.inference_mode():
        moved = (network(changed) - network(given)).abs().amax(-1)[0] > 1e-6
    reach = network.reach_rows
    assert reach == 1 + 3 * (1 + 4)
    heard = moved.nonzero()[:, 0]
    assert heard.min() >= 40 - reach and heard.max() <= 40 + reach
    assert heard.max() - heard.min() >= 2 * (reach - 1)


def test_the_middle_frame_decides_a_row_most() -> None:
    """No lag is built in: the gradient of a row is symmetric in time about its own frame."""
    torch.manual_seed(0)
    pull = torch.zeros(159)
    for seed in range(20):
        given = features(80).requires_grad_()
        tiny_network(seed)(given)[0, 40].square().sum().backward()
        pull += given.grad.abs().sum(-1)[0]
    centre = float((pull * torch.arange(159)).sum() / pull.sum())
    assert abs(centre - 80.0) < 1.0


def test_half_precision_on_disk_is_near_enough(tmp_path: Path) -> None:
    network = tiny_network()
    network.save_file(tmp_path / "w.safetensors", {"date": "2026-01-01"})
    again = MelNetwork.read_file(tmp_path / "w.safetensors")
    header = weights_file.header(tmp_path / "w.safetensors")
    assert header["date"] == "2026-01-01" and json.loads(header["config"])["dilations"] == [1, 4]
    assert all(tensor.dtype == torch.float32 for tensor in again.state_dict().values())
    torch.testing.assert_close(again(features(60)), network(features(60)), atol=0.05, rtol=0.01)


def test_windows_of_a_long_sound_are_one_pass() -> None:
    network = tiny_network()
    samples = (np.random.default_rng(0).standard_normal(2100 * 320 + 1) * 0.05).astype(np.float32)
    told = MelPhoneRecognizer(network).log_posteriors(Sound(samples, 16000))
    with torch.inference_mode():
        whole = network(row_features(at_speech_level(samples), 2101, 0, 2101))[0].numpy()
    np.testing.assert_allclose(told, whole, atol=1e-4)


def test_a_cut_file_is_refused(tmp_path: Path) -> None:
    path = write_tiny_mel(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(ModelError) as caught:
        MelPhoneRecognizer.from_files({"mel.safetensors": path})
    assert caught.value.code == "weights_unreadable"


@pytest.mark.parametrize(
    "config",
    [
        {"bands": BANDS},
        {"bands": BANDS, "symbols": POSTERIOR_WIDTH, "width": "wide", "expansion": 2, "dilations": [1]},
        {"bands": BANDS, "symbols": POSTERIOR_WIDTH, "width": 8, "expansion": 2, "dilations": [1, 4], "layers": 3},
        {"bands": BANDS, "symbols": POSTERIOR_WIDTH, "width": 9, "expansion": 2, "dilations": [1, 4]},
        {"bands": 7, "symbols": POSTERIOR_WIDTH, "width": 8, "expansion": 2, "dilations": [1, 4]},
    ],
)
def test_weights_of_something_else_are_refused(tmp_path: Path, config: dict[str, object]) -> None:
    path = tmp_path / "w.safetensors"
    weights_file.write(path, tiny_network().state_dict(), config, {})
    with pytest.raises(ModelError) as caught:
        MelPhoneRecognizer.from_files({"w.safetensors": path})
    assert caught.value.code == "weights_unfit"


def test_a_network_of_other_columns_is_refused(tmp_path: Path) -> None:
    MelNetwork(BANDS, 12, 8, 2, (1,)).save_file(tmp_path / "w.safetensors", {})
    with pytest.raises(ModelError, match="weights_unfit.*12"):
        MelPhoneRecognizer.from_files({"w.safetensors": tmp_path / "w.safetensors"})
