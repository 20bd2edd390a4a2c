"""Phones in speech: log posteriors at 50 rows per second from the phonetic network in the hama wheel.

The network is `hama_network.py`, its symbols `hama_symbols.py`; here are level, timing and windows. Long
sounds are read in overlapping windows, so memory stays flat.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from omnihuman.speech.clock import ANALYSIS_RATE_HZ, ROW_SAMPLES, analysis_samples, row_count
from omnihuman.speech.hama_container import corrupt, read_container
from omnihuman.speech.hama_symbols import POSTERIOR_WIDTH, SYMBOLS, fold
from omnihuman.speech.level import at_speech_level
from omnihuman.types import Float, Sound

if TYPE_CHECKING:
    from omnihuman.speech.hama_network import PhoneNetwork

__all__ = ["POSTERIOR_WIDTH", "PhoneRecognizer"]

_FILE = "asr_waveform.hama"

_WINDOW_ROWS = 1000
"""20 s; the network was built for 30 s at most, and reads 5 s as well as 60 s."""

_CONTEXT_ROWS = 100
"""2 s on either side of a seam are read by both windows and dropped."""

LAG_SAMPLES = 560
"""35 ms: a CTC network names a phone when it has heard it. Measured against phone times: the peak of a posterior comes
35 ms after the middle of its phone (433 phones of the built-in voice), 29 and 35 ms (two real recordings aligned by
pocketsphinx); a linear read-out of the phone at a time is best 30-40 ms later. Rows are read that much later."""

_FRONT_SAMPLES = -LAG_SAMPLES % ROW_SAMPLES
_LAG_ROWS = (LAG_SAMPLES + _FRONT_SAMPLES) // ROW_SAMPLES
"""Silence put in front makes the lag whole rows; so many rows are then dropped."""


class PhoneRecognizer:
    """Sound to phone posteriors.

    Args:
        network: Waveform at the analysis rate to log posteriors of its own symbols.
        device: Torch device that it lies on.
    """

    def __init__(self, network: PhoneNetwork, device: str = "cpu") -> None:
        self._network = network.to(device)
        self._device = device

    @classmethod
    def from_files(cls, files: Mapping[str, Path], device: str = "cpu") -> PhoneRecognizer:
        """Load from the registry's files.

        Args:
            files: Holds the one `.hama` file of the waveform network; its name may carry folders.
            device: Torch device.

        Raises:
            ModelError: `model_missing` or `model_corrupt`.
        """
        from omnihuman.speech.hama_network import PhoneNetwork

        path = next((path for name, path in files.items() if name.endswith(_FILE)), None)
        assert path is not None, f"the registry entry lacks {_FILE}: {sorted(files)}"
        tensors = read_container(path)
        try:
            network = PhoneNetwork.from_tensors(tensors)
        except ValueError as error:
            raise corrupt(path, str(error)) from None
        if network.shape.symbols != SYMBOLS:
            raise corrupt(path, f"the network tells {network.shape.symbols} symbols apart instead of {SYMBOLS}")
        return cls(network, device)

    def log_posteriors(self, sound: Sound) -> Float:
        """Phone posteriors of a sound.

        Args:
            sound: Speech of any rate, level and length.

        Returns:
            ``N 42`` float32 natural logs; columns PHONES, blank, other; row `i` is centred on `i / 50` s.
        """
        rows = row_count(sound)
        samples = at_speech_level(analysis_samples(sound))
        samples = np.pad(samples, (_FRONT_SAMPLES, LAG_SAMPLES))
        folded = np.empty((rows + _LAG_ROWS, POSTERIOR_WIDTH), np.float32)
        for start, stop, first, last in read_windows(len(folded)):
            symbols = self.symbol_log_posteriors(samples[start * ROW_SAMPLES : stop * ROW_SAMPLES])
            folded[first:last] = fold(symbols[first - start : last - start])
        return folded[_LAG_ROWS:]

    def symbol_log_posteriors(self, samples: Float) -> Float:
        """The network's own output for one window, before folding.

        Args:
            samples: `S` at the analysis rate, read as they are.

        Returns:
            ``S//320+1 191`` natural logs, at least the rows of a tenth of a second.
        """
        import torch

        padded = np.pad(samples, (0, max(0, ANALYSIS_RATE_HZ // 10 - len(samples))))
        waveform = torch.from_numpy(np.ascontiguousarray(padded, np.float32))[None].to(self._device)
        # reduced-precision convolutions would move quiet bands by decibels
        with torch.inference_mode(), torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False):
            return self._network(waveform)[0].float().cpu().numpy()


def read_windows(rows: int) -> list[tuple[int, int, int, int]]:
    """Overlapping windows over a long sound.

    Args:
        rows: Rows of the whole sound.

    Returns:
        `(start, stop, first, last)` each: read the rows from `start` to before `stop`, keep those from `first` to
        before `last`; what is kept tiles all rows.
    """
    stride = _WINDOW_ROWS - 2 * _CONTEXT_ROWS
    count = max(1, -(-(rows - 2 * _CONTEXT_ROWS) // stride))
    plan = []
    for start in range(0, count * stride, stride):
        stop = min(start + _WINDOW_ROWS, rows)
        first = start + _CONTEXT_ROWS if start else 0
        plan.append((start, stop, first, rows if stop == rows else stop - _CONTEXT_ROWS))
    return plan
