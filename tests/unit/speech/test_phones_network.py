from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from omnihuman.speech.hama_container import Tensors
from omnihuman.speech.hama_network import PhoneNetwork

from .tiny_hama import tiny_tensors


@pytest.fixture(scope="module")
def network() -> PhoneNetwork:
    return PhoneNetwork.from_tensors(tiny_tensors())


def sound(num_samples: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(2, num_samples, generator=torch.Generator().manual_seed(seed)) * 0.1


def test_shape_is_read_from_the_tensors(network: PhoneNetwork) -> None:
    shape = network.shape
    assert (shape.window, shape.mels, shape.width, shape.hidden, shape.kernel, shape.blocks, shape.symbols) == (
        400,
        6,
        8,
        16,
        5,
        2,
        191,
    )


@pytest.mark.parametrize(("num_samples", "rows"), [(1600, 6), (3199, 10), (3200, 11), (3520, 12)])
def test_a_row_every_320_samples(network: PhoneNetwork, num_samples: int, rows: int) -> None:
    with torch.inference_mode():
        found = network(sound(num_samples))
    assert found.shape == (2, rows, 191)
    torch.testing.assert_close(found.exp().sum(-1), torch.ones(2, rows))


def test_every_weight_matters() -> None:
    network, samples = PhoneNetwork.from_tensors(tiny_tensors()), sound(3200)
    generator = torch.Generator().manual_seed(1)
    with torch.inference_mode():
        before = network(samples)
        for name, value in [*network.named_parameters(), *network.named_buffers()]:
            kept = value.clone()
            value.add_(torch.randn(value.shape, generator=generator))
            assert (network(samples) - before).abs().max() > 3e-5, name
            value.copy_(kept)
        torch.testing.assert_close(network(samples), before)


def test_sounds_of_a_batch_do_not_mix(network: PhoneNetwork) -> None:
    samples = sound(3200)
    with torch.inference_mode():
        together, alone = network(samples), network(samples[1:])
    torch.testing.assert_close(together[1:], alone, rtol=1e-4, atol=1e-4)


def drop(tensors: Tensors) -> None:
    del tensors["onnx::MatMul_100"]


def add(tensors: Tensors) -> None:
    tensors["acoustic_model.model.blocks.0.surprise"] = np.zeros(3, np.float32)


def reshape(tensors: Tensors) -> None:
    tensors["onnx::Conv_10"] = tensors["onnx::Conv_10"][:, :-1]


def flatten(tensors: Tensors) -> None:
    tensors["stft_real_kernel"] = np.zeros((), np.float32)


def behead(tensors: Tensors) -> None:
    del tensors["acoustic_model.model.proj.weight"]


@pytest.mark.parametrize("damage", [drop, add, reshape, flatten, behead])
def test_other_tensors_are_refused(damage: Callable[[Tensors], None]) -> None:
    tensors = tiny_tensors()
    damage(tensors)
    with pytest.raises(ValueError, match="tensor"):
        PhoneNetwork.from_tensors(tensors)
