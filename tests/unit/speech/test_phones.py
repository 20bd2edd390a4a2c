from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from omnihuman.errors import ModelError
from omnihuman.speech.clock import row_count
from omnihuman.speech.hama_symbols import BLANK, SYMBOLS, fold, fold_columns
from omnihuman.speech.inventory import PHONES
from omnihuman.speech.phones import LAG_SAMPLES, POSTERIOR_WIDTH, PhoneRecognizer, read_windows
from omnihuman.types import Sound

from .tiny_hama import pack, tiny_tensors, write_tiny

M_COLUMN, SYMBOL_M = PHONES.index("M"), 31


class LoudIsM(torch.nn.Module):
    """Says /m/ in rows around which it is loud: a network whose answer can be told in advance."""

    def __init__(self) -> None:
        super().__init__()
        self.shape = SimpleNamespace(symbols=SYMBOLS)
        self.longest = 0

    def forward(self, samples: torch.Tensor) -> torch.Tensor:
        self.longest = max(self.longest, samples.shape[1])
        padded = torch.nn.functional.pad(samples, (40, 40)).unfold(1, 80, 320)
        loud = padded.abs().amax(-1)[..., None]
        scores = torch.full((*loud.shape[:2], SYMBOLS), -20.0)
        scores[..., [SYMBOL_M]] = torch.log(loud + 1e-6)
        scores[..., BLANK] = -3.0
        return scores.log_softmax(-1)


def bursts(times_s: list[float], duration_s: float, rate_hz: int) -> Sound:
    """A 40 ms tone about each time."""
    samples = np.zeros(int(duration_s * rate_hz), np.float32)
    half = int(0.02 * rate_hz)
    tone = 0.3 * np.sin(2 * np.pi * 300 * np.arange(2 * half) / rate_hz)
    for time_s in times_s:
        middle = round(time_s * rate_hz)
        samples[middle - half : middle + half] = tone
    return Sound(samples, rate_hz)


def heard_s(recognizer: PhoneRecognizer, sound: Sound) -> list[float]:
    """Middle of each run of rows that say /m/."""
    rows = recognizer.log_posteriors(sound).argmax(1) == M_COLUMN
    starts = np.flatnonzero(np.diff(rows.astype(int), prepend=0) == 1)
    ends = np.flatnonzero(np.diff(rows.astype(int), append=0) == -1)
    return [float(a + b) / 2 / 50 for a, b in zip(starts, ends, strict=True)]


def test_fold_keeps_all_probability() -> None:
    rng = np.random.default_rng(0)
    symbols = np.log(rng.dirichlet(np.full(SYMBOLS, 0.1), 20) + 1e-12).astype(np.float32)
    folded = fold(symbols)
    assert folded.shape == (20, 42) and folded.dtype == np.float32
    np.testing.assert_allclose(np.exp(folded).sum(1), np.exp(symbols).sum(1), rtol=1e-5)


def test_fold_survives_impossible_symbols() -> None:
    symbols = np.full((1, SYMBOLS), -np.inf, np.float32)
    symbols[0, BLANK] = 0.0
    folded = fold(symbols)
    assert folded[0, len(PHONES)] == 0.0
    assert np.isfinite(folded).all() and (folded[0, : len(PHONES)] < -60).all()


def test_fold_reaches_every_column_and_keeps_the_blank_apart() -> None:
    columns = fold_columns()
    assert set(columns) == set(range(POSTERIOR_WIDTH))
    assert (columns == len(PHONES)).sum() == 1
    by_symbol = {10: "B", 36: "P", 31: "M", 8: "AY", 89: "AH", 113: "R", 130: "ZH"}
    assert {symbol: PHONES[columns[symbol]] for symbol in by_symbol} == by_symbol
    word_boundary, long_mark = 189, 139
    assert columns[word_boundary] == columns[long_mark] == POSTERIOR_WIDTH - 1


@pytest.mark.parametrize("rows", [1, 199, 999, 1000, 1001, 1199, 1200, 1201, 1800, 1801, 12345])
def test_windows_tile_the_sound_with_context(rows: int) -> None:
    plan = read_windows(rows)
    assert plan[0][2] == 0 and plan[-1][3] == plan[-1][1] == rows
    for start, stop, first, last in plan:
        assert start <= first < last <= stop <= start + 1000
    for before, after in zip(plan, plan[1:], strict=False):
        assert before[3] == after[2]
        assert before[1] - before[3] >= 100 and after[2] - after[0] >= 100


@pytest.mark.parametrize("rate_hz", [8000, 16000, 22050, 44100, 48000])
def test_rows_stand_at_their_times(rate_hz: int) -> None:
    lag_s = LAG_SAMPLES / 16000
    times = [0.5, 1.26, 1.9]
    heard = heard_s(PhoneRecognizer(LoudIsM()), bursts([t + lag_s for t in times], 2.2, rate_hz))
    np.testing.assert_allclose(heard, times, atol=0.011)


def test_long_sounds_are_read_in_pieces_that_fit() -> None:
    network = LoudIsM()
    times = list(np.arange(0.5, 70, 0.73))
    sound = bursts([t + LAG_SAMPLES / 16000 for t in times], 70.0, 16000)
    np.testing.assert_allclose(heard_s(PhoneRecognizer(network), sound), times, atol=0.011)
    assert network.longest <= 20 * 16000


def test_seams_do_not_show(tmp_path: Path) -> None:
    recognizer = PhoneRecognizer.from_files({"asr_waveform.hama": write_tiny(tmp_path)})
    rng = np.random.default_rng(0)
    envelope = np.repeat(rng.random(300) ** 2, 1600)
    sound = Sound((rng.standard_normal(480000) * envelope * 0.2).astype(np.float32), 16000)
    rows = recognizer.log_posteriors(sound)
    step = np.abs(np.diff(rows, axis=0)).mean(1)
    seams = [first for _, _, first, _ in read_windows(len(rows) + 2)[1:]]
    assert len(seams) == 1
    assert max(step[s - 4 : s + 2].max() for s in seams) <= np.percentile(step, 99.9)


@pytest.mark.parametrize("gain_db", [-30, 12])
def test_the_recording_level_does_not_matter(tmp_path: Path, gain_db: float) -> None:
    recognizer = PhoneRecognizer.from_files({"asr_waveform.hama": write_tiny(tmp_path)})
    sound = bursts([0.3, 0.5, 0.9], 1.5, 16000)
    louder = Sound((sound.samples * 10 ** (gain_db / 20)).astype(np.float32), 16000)
    np.testing.assert_allclose(recognizer.log_posteriors(sound), recognizer.log_posteriors(louder), atol=5e-3)


@pytest.mark.parametrize("num_samples", [0, 1, 100, 319, 320, 5000])
@pytest.mark.parametrize("rate_hz", [8000, 44100])
def test_short_sounds_have_their_rows(tmp_path: Path, num_samples: int, rate_hz: int) -> None:
    recognizer = PhoneRecognizer.from_files({"asr_waveform.hama": write_tiny(tmp_path)})
    sound = Sound(np.full(num_samples, 0.1, np.float32), rate_hz)
    rows = recognizer.log_posteriors(sound)
    assert rows.shape == (row_count(sound), 42) == (num_samples * 50 // rate_hz + 1, 42)
    assert np.isfinite(rows).all()


def test_broken_samples_are_silence(tmp_path: Path) -> None:
    recognizer = PhoneRecognizer.from_files({"asr_waveform.hama": write_tiny(tmp_path)})
    samples = bursts([0.3], 0.6, 16000).samples
    samples[4000:4010] = np.nan
    assert np.isfinite(recognizer.log_posteriors(Sound(samples, 16000))).all()


def test_a_folder_in_the_name_is_fine_and_results_repeat(tmp_path: Path) -> None:
    sound = bursts([0.3, 0.7], 1.0, 16000)
    path = write_tiny(tmp_path)
    first = PhoneRecognizer.from_files({"hama/assets/asr_waveform.hama": path}, device="cpu").log_posteriors(sound)
    second = PhoneRecognizer.from_files({"asr_waveform.hama": path}, device="cpu").log_posteriors(sound)
    np.testing.assert_array_equal(first, second)
    assert first.std() > 0.1


def test_a_network_of_other_symbols_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model_corrupt.*12 symbols"):
        PhoneRecognizer.from_files({"asr_waveform.hama": write_tiny(tmp_path, symbols=12)})


def test_a_container_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "asr_waveform.hama"
    tensors = tiny_tensors()
    path.write_bytes(pack({name: tensors[name] for name in list(tensors)[:8]}))
    with pytest.raises(ModelError) as caught:
        PhoneRecognizer.from_files({"asr_waveform.hama": path})
    assert caught.value.code == "model_corrupt"
