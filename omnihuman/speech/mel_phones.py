"""Phones in speech, the fallback: log posteriors from our own mel front end, in place of `phones.py`.

Trained by distillation of the phonetic network on the built-in voice (training/mel/run.py); same columns, rows and
clock. Its network hears a bounded stretch, so the windows of a long sound give what one pass would give.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omnihuman import weights_file
from omnihuman.errors import ModelError
from omnihuman.speech.clock import ROW_SAMPLES, analysis_samples, row_count
from omnihuman.speech.level import at_speech_level
from omnihuman.speech.phones import POSTERIOR_WIDTH, read_windows
from omnihuman.types import Float, Sound

if TYPE_CHECKING:
    from torch import Tensor

    from omnihuman.speech.mel_network import MelNetwork


class MelPhoneRecognizer:
    """Sound to phone posteriors.

    Args:
        network: Features to log posteriors.
        device: Torch device that it lies on.
    """

    def __init__(self, network: MelNetwork, device: str = "cpu") -> None:
        self._network = network.eval().to(device)
        self._device = device

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> MelPhoneRecognizer:
        """Load from the registry's files.

        Args:
            files: Holds one safetensors file.
            device: Torch device.

        Raises:
            ModelError: `weights_unreadable` or `weights_unfit`.
        """
        from omnihuman.speech.mel_features import BANDS
        from omnihuman.speech.mel_network import MelNetwork

        path = weights_file.only(files)
        network = MelNetwork.read_file(path)
        if (network.bands, network.symbols) != (BANDS, POSTERIOR_WIDTH):
            found, wanted = (network.bands, network.symbols), (BANDS, POSTERIOR_WIDTH)
            cause = f"{path.name} has {found} bands and columns instead of {wanted}"
            raise ModelError("weights_unfit", cause, "Run 'python -m omnihuman models verify'.")
        return cls(network, device)

    def log_posteriors(self, sound: Sound) -> Float:
        """Phone posteriors of a sound.

        Args:
            sound: Speech of any rate, level and length.

        Returns:
            ``N 42`` float32 natural logs; columns PHONES, blank, other; row `i` is centred on `i / 50` s.
        """
        import torch

        rows = row_count(sound)
        samples = at_speech_level(analysis_samples(sound))
        told = np.empty((rows, POSTERIOR_WIDTH), np.float32)
        # reduced-precision convolutions would blur the posteriors of unlikely phones
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            for start, stop, first, last in read_windows(rows):
                features = row_features(samples, rows, start, stop).to(self._device)
                told[first:last] = self._network(features)[0, first - start : last - start].cpu().numpy()
        return told


def row_features(samples: Float, rows: int, start: int, stop: int) -> Tensor:
    """Features of some rows of a sound, the same whatever else is asked for: ``1 2(stop-start)-1 M``.

    Args:
        samples: `S` at the analysis rate and the nominal level.
        rows: Rows of the whole sound.
        start: First row.
        stop: Row after the last one.
    """
    import torch

    from omnihuman.speech.mel_features import (
        HALF_SPAN,
        SPECTRUM_SAMPLES,
        band_edges_hz,
        log_bands,
        mel_bank,
        normalised,
        power_spectra,
    )

    span, margin = HALF_SPAN // 2, SPECTRUM_SAMPLES // 2
    first, last = max(0, start - span), min(rows, stop + span) - 1
    begin, end = first * ROW_SAMPLES - margin, last * ROW_SAMPLES + margin
    heard = np.pad(samples[max(0, begin) : end], (max(0, -begin), max(0, end - len(samples))))
    with torch.inference_mode():
        power = power_spectra(torch.from_numpy(heard)[None])
        features = normalised(log_bands(power @ mel_bank(band_edges_hz())))
    return features[:, 2 * (start - first) : 2 * (stop - first) - 1]
