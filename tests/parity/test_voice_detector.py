"""The torch network against the original of the silero-vad package: its own weights, step by step, in torch script.

The wheel's tensors (safetensors) are an older training than its other formats, so the original lends its weights too.
"""

from __future__ import annotations

from importlib import resources
from typing import Any

import numpy as np
import pytest
import torch

from omnihuman.speech.voice_activity import SpeechDetector
from omnihuman.speech.voice_activity_network import CONTEXT_SAMPLES, PIECE_SAMPLES, SileroNetwork

pytest.importorskip("silero_vad", reason="the silero-vad package (development dependency) is not installed")

RATE_HZ = 16000
RENAMED = {
    "stft.forward_basis_buffer": "stft_conv.weight",
    "decoder.decoder.2": "final_conv",
    "decoder.rnn": "lstm_cell",
    **{f"encoder.{index}.reparam_conv": f"conv{index + 1}" for index in range(4)},
}


@pytest.fixture(scope="module")
def original() -> Any:
    return torch.jit.load(str(resources.files("silero_vad.data").joinpath("silero_vad.jit"))).eval()


@pytest.fixture(scope="module")
def network(original: Any) -> SileroNetwork:
    tensors = {}
    for name, tensor in original.state_dict().items():
        if name.startswith("_model."):
            short = name.removeprefix("_model.")
            old = next(old for old in RENAMED if short.startswith(old))
            tensors[RENAMED[old] + short.removeprefix(old)] = tensor
    return SileroNetwork.from_tensors(tensors)


def sound(duration_s: float) -> np.ndarray:
    """Gliding pulses, noise and pauses: the answers go up and down."""
    rng = np.random.default_rng(3)
    t = np.arange(int(duration_s * RATE_HZ)) / RATE_HZ
    phase = 2 * np.pi * np.cumsum(130 + 40 * np.sin(2 * np.pi * 0.7 * t)) / RATE_HZ
    voiced = sum(np.sin(k * phase) / k for k in range(1, 25)) * np.clip(np.sin(2 * np.pi * 3 * t), 0, 1)
    return (0.2 * voiced * (t % 3 < 2) + rng.standard_normal(len(t)) * 0.003).astype(np.float32)


def test_same_answers_piece_by_piece(original: Any, network: SileroNetwork) -> None:
    samples = sound(12.0)
    count = len(samples) // PIECE_SAMPLES
    with torch.inference_mode():
        pieces = torch.from_numpy(samples[: count * PIECE_SAMPLES]).view(count, 1, PIECE_SAMPLES)
        expected = torch.cat([original(piece, RATE_HZ) for piece in pieces])[:, 0]
        padded = torch.nn.functional.pad(pieces.flatten(), (CONTEXT_SAMPLES, 0))
        found, _ = network(padded)
    assert float(expected.max() - expected.min()) > 0.2, "the sound must move the answers"
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


def test_long_sounds_read_in_passes_are_the_same(network: SileroNetwork) -> None:
    samples = sound(80.0)
    whole, _ = network(torch.from_numpy(np.pad(samples, (CONTEXT_SAMPLES, -len(samples) % PIECE_SAMPLES))))
    rows = SpeechDetector(network).detect(samples, 4001)
    centres = (np.arange(len(whole)) + 0.5) * PIECE_SAMPLES
    np.testing.assert_allclose(rows, np.interp(np.arange(4001) * 320, centres, whole.detach()), atol=2e-5)
