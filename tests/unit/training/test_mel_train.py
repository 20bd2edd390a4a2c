"""The mel front end's data, windows, loss and run, on made-up recordings and a tiny network."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from omnihuman.config import configs_dir
from omnihuman.errors import ConfigError, InputError
from omnihuman.speech.clock import row_count
from omnihuman.speech.inventory import PHONES, SILENCE, TimedPhone
from omnihuman.speech.mel_phones import MelPhoneRecognizer
from omnihuman.speech.phones import POSTERIOR_WIDTH, read_windows
from omnihuman.speech.voice import Speech
from omnihuman.training.files import Files
from omnihuman.training.loop import train
from omnihuman.training.mel import data as mel_data
from omnihuman.training.mel.data import HeardRecording, MelSpeechSettings, load_heard, make_all_heard, phone_rows
from omnihuman.training.mel.run import MelRun, build_student
from omnihuman.training.mel.settings import MelTrainingSettings, read_mel_settings
from omnihuman.training.mel.windows import MelWindows
from omnihuman.types import Sound
from tests.unit.training.test_mel_augment import NONE

CONFIG = configs_dir() / "training" / "mel.yaml"
TONES_HZ = {"M": 250.0, "AA": 900.0, "S": 5000.0}
ROW = 320


def tiny(**changes: object) -> MelTrainingSettings:
    shipped = read_mel_settings(CONFIG)
    small = {
        "model": shipped.model.model_copy(update={"width": 16, "expansion": 2, "dilations": (1, 2)}),
        "data": shipped.data.model_copy(update={"rows": 60}),
        "optimizer": shipped.optimizer.model_copy(update={"warmup_steps": 3, "ema_decay": 0.9}),
        "batch_size": 4,
        "steps": 6,
    }
    return shipped.model_copy(update={**small, **changes})


def recording(seed: int, rows: int = 120) -> HeardRecording:
    """Every 10 rows another phone, each of them a tone of its own."""
    rng = np.random.default_rng(seed)
    symbols = [SILENCE, *rng.choice(list(TONES_HZ), size=rows // 10)]
    time = np.arange(10 * ROW) / 16000
    said, sound = [], []
    for symbol in symbols[: rows // 10]:
        said += [PHONES.index(symbol)] * 10
        tone = TONES_HZ.get(str(symbol))
        sound.append(np.zeros(10 * ROW) if tone is None else 0.2 * np.sin(2 * np.pi * tone * time))
    samples = np.concatenate(sound)[: (rows - 1) * ROW + 1] + 1e-4 * rng.standard_normal((rows - 1) * ROW + 1)
    posteriors = np.full((rows, POSTERIOR_WIDTH), -8.0, np.float16)
    posteriors[np.arange(rows), said] = np.log(1 - 41 * np.exp(-8.0))
    stored = np.round(samples * mel_data.FULL_SCALE).astype(np.int16)
    return HeardRecording(stored[None], posteriors, np.array(said), True)


def new_run(folder: Path, settings: MelTrainingSettings | None = None) -> MelRun:
    settings = settings or tiny()
    windows = MelWindows([recording(s) for s in range(4)], settings.data.rows, 0.0, NONE, settings.seed)
    return MelRun(settings, windows, "made-up", Files(folder / "w.safetensors", folder / "c.safetensors"))


def test_windows_are_a_pure_function_of_the_step():
    windows = MelWindows([recording(s) for s in range(4)], 60, 0.0, NONE, 1)
    first, again, other = windows.batch(3, 2), windows.batch(3, 2), windows.batch(4, 2)
    assert first.features.shape == (2, 119, 40) and first.posteriors.shape == (2, 60, POSTERIOR_WIDTH)
    torch.testing.assert_close(first.features, again.features, atol=0, rtol=0)
    assert not torch.equal(first.features, other.features)


def test_sound_and_targets_are_cut_at_the_same_time():
    batch = MelWindows([recording(5, 600)], 100, 0.0, NONE, 1).batch(0, 6)
    low, high = batch.features[:, ::2, :12].mean(-1), batch.features[:, ::2, 34:].mean(-1)
    inner = torch.ones_like(batch.phones, dtype=torch.bool)
    inner[:, 1:] &= batch.phones[:, 1:] == batch.phones[:, :-1]
    inner[:, :-1] &= batch.phones[:, :-1] == batch.phones[:, 1:]
    hissing = batch.phones == PHONES.index("S")
    humming = batch.phones == PHONES.index("M")
    right = ((high > low) == hissing)[inner & (hissing | humming)]
    assert right.float().mean() > 0.97


@pytest.mark.parametrize("first", ["quiet", "spoken"])
def test_quiet_windows_come_as_often_as_asked(first):
    quiet = recording(1)
    quiet = HeardRecording(quiet.samples, quiet.posteriors, np.zeros_like(quiet.phones), False)
    order = [quiet, recording(2)] if first == "quiet" else [recording(2), quiet]
    phones = MelWindows(order, 60, 0.3, NONE, 1).batch(0, 200).phones
    assert 0.2 < (phones == 0).all(1).float().mean() < 0.4


def test_a_tiny_network_learns_the_tones(tmp_path: Path):
    settings = tiny(steps=70)
    optimizer = settings.optimizer.model_copy(update={"learning_rate": 0.01})
    run = new_run(tmp_path, settings.model_copy(update={"optimizer": optimizer}))
    first = run.advance()
    last = [run.advance() for _ in range(69)][-1]
    assert last["divergence"] < 0.3 * first["divergence"]
    assert last["distance"] < 0.3 * first["distance"]
    assert last["phones"] < 0.3 * first["phones"]


def test_it_stops_resumes_exactly_and_exports(tmp_path: Path):
    whole = new_run(tmp_path / "a")
    train(whole, "2026-01-01")
    half = new_run(tmp_path / "b")
    assert not train(half, "2026-01-01", stop=lambda: half.done == 3).finished
    again = new_run(tmp_path / "b")
    again.resume()
    assert again.done == 3
    assert train(again, "2026-01-01").finished
    files = [MelPhoneRecognizer.from_files({"w": run.files.export}) for run in (whole, again)]
    sound = Sound((recording(9).samples[0] / mel_data.FULL_SCALE).astype(np.float32), 16000)
    one, other = (recognizer.log_posteriors(sound) for recognizer in files)
    np.testing.assert_array_equal(one, other)
    assert (tmp_path / "a" / "w.safetensors").stat().st_size < 40_000


def test_another_network_does_not_resume(tmp_path: Path):
    train(new_run(tmp_path), "2026-01-01")
    wider = tiny()
    wider = wider.model_copy(update={"model": wider.model.model_copy(update={"width": 24})})
    with pytest.raises(InputError, match="checkpoint_unfit.*model"):
        new_run(tmp_path, wider).resume()


def test_the_shipped_network_hears_no_farther_than_its_windows_reach():
    seam = read_windows(5000)[1]
    assert build_student(read_mel_settings(CONFIG)).network.reach_rows <= seam[2] - seam[0]


def test_phones_of_rows():
    said = [TimedPhone("SIL", 0.0, 0.05), TimedPhone("M", 0.05, 0.11), TimedPhone("AA", 0.11, 0.3)]
    names = [PHONES[i] for i in phone_rows(said, 7)]
    assert names == ["SIL", "SIL", "SIL", "M", "M", "M", "AA"]


class OneTone:
    """Says every text as half a second of M between pauses; hears M while it is loud."""

    def speak(self, text: str, speaker: object, seed: int) -> Speech:
        samples = np.zeros(16000, np.float32)
        samples[4000:12000] = 0.3 * np.sin(2 * np.pi * 250 * np.arange(8000) / 16000)
        said = (TimedPhone("SIL", 0.0, 0.25), TimedPhone("M", 0.25, 0.75), TimedPhone("SIL", 0.75, 1.0))
        return Speech(Sound(samples, 16000), said)

    def log_posteriors(self, sound: Sound) -> np.ndarray:
        told = np.full((row_count(sound), POSTERIOR_WIDTH), -30.0, np.float32)
        loud = np.abs(np.pad(sound.samples, (0, ROW))[: len(told) * ROW]).reshape(-1, ROW).max(1) > 0.1
        told[np.arange(len(told)), np.where(loud, PHONES.index("M"), len(PHONES))] = 0.0
        return told


def test_recordings_hold_what_is_said_when_it_is_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    both = OneTone()
    both.dictionary = tmp_path  # type: ignore[attr-defined]
    monkeypatch.setattr(mel_data, "dictionary_words", lambda path: ["mama"])
    settings = MelSpeechSettings(recordings=2, utterances_per_recording=2, quiet_recordings=1)
    seen: list[tuple[int, int]] = []

    def make(told: int = 0) -> list[Path]:
        handle = lambda: nullcontext(both)  # noqa: E731
        return make_all_heard(settings, handle, handle, tmp_path / "heard", lambda a, b, s: seen.append((a, b)))

    paths = make()
    spoken, quiet = load_heard(paths[0]), load_heard(paths[2])
    assert spoken.samples.shape[0] == 3 and spoken.samples.dtype == np.int16
    assert spoken.posteriors.min() == -16.0
    heard, said = spoken.posteriors.argmax(1) == PHONES.index("M"), spoken.phones == PHONES.index("M")
    assert (heard == said).mean() > 0.97 and 40 < said.sum() < 60
    assert not quiet.speaks and (quiet.phones == 0).all() and (quiet.posteriors.argmax(1) == len(PHONES)).all()
    made = [path.stat().st_mtime_ns for path in paths]
    make()
    assert [path.stat().st_mtime_ns for path in paths] == made and seen[-1] == (3, 3)


def test_the_folder_knows_settings_and_models():
    settings = MelSpeechSettings()
    folders = {
        mel_data.folder_of(settings, {"a": "1"}),
        mel_data.folder_of(settings, {"a": "2"}),
        mel_data.folder_of(settings.model_copy(update={"seed": 8}), {"a": "1"}),
    }
    assert len(folders) == 3


def test_a_misspelt_key_is_told(tmp_path: Path):
    path = tmp_path / "mel.yaml"
    path.write_text("task: mel\nsteps: 10\nwidht: 3\n")
    with pytest.raises(ConfigError, match="setting_unknown"):
        read_mel_settings(path)
