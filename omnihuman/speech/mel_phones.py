"""Phones in speech, the fallback: log posteriors from our own mel front end, in place of `phones.py`.

Trained by distillation of the phonetic network on the built-in voice (training/mel_train.py); same columns, rows and
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

_CHUNK_ROWS = 1000
"""Rows whose spectra are held at a time: 20 s."""


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
        features = mel_features(at_speech_level(analysis_samples(sound)), rows)
        told = np.empty((rows, POSTERIOR_WIDTH), np.float32)
        # reduced-precision convolutions would blur the posteriors of unlikely phones
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            for start, stop, first, last in read_windows(rows):
                window = features[:, 2 * start : 2 * stop - 1].to(self._device)
                told[first:last] = self._network(window)[0, first - start : last - start].cpu().numpy()
        return told


def mel_features(samples: Float, rows: int) -> Tensor:
    """Normalised features of a whole sound, ``1 2N-1 M``; spectra are held for 20 s at a time.

    Args:
        samples: `S` at the analysis rate and the nominal level.
        rows: N.
    """
    import torch

    from omnihuman.speech.mel_features import (
        SPECTRUM_SAMPLES,
        band_edges_hz,
        log_bands,
        mel_bank,
        normalised,
        power_spectra,
    )

    margin = SPECTRUM_SAMPLES // 2
    padded = np.pad(samples, (margin, max(0, (rows - 1) * ROW_SAMPLES + margin - len(samples))))
    bank = mel_bank(band_edges_hz())
    parts = []
    with torch.inference_mode():
        for start in range(0, rows, _CHUNK_ROWS):
            # The last frame of a chunk lies halfway to the first row of the next one.
            stop = min(start + _CHUNK_ROWS, rows)
            end = stop * ROW_SAMPLES - (ROW_SAMPLES // 2 if stop < rows else ROW_SAMPLES)
            chunk = torch.from_numpy(padded[start * ROW_SAMPLES : end + SPECTRUM_SAMPLES])[None]
            parts.append(log_bands(power_spectra(chunk) @ bank))
        return normalised(torch.cat(parts, 1))
