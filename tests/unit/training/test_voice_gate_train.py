"""The voice gate's sounds, windows, loss and run: on made-up rows, and once on two real sounds."""

from __future__ import annotations

import json
import math
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
import torch

from omnihuman import weights_file
from omnihuman.config import configs_dir
from omnihuman.errors import ConfigError, InputError, ModelError
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.speech.voice_activity_features import FEATURE_NAMES, PHONE_COLUMNS
from omnihuman.speech.voice_activity_judge import CLASSES, VoiceJudge
from omnihuman.training.files import Files
from omnihuman.training.loop import train
from omnihuman.training.voice_gate import rows as stored_rows
from omnihuman.training.voice_gate import run as run_of_gate
from omnihuman.training.voice_gate.data import IGNORED, NONE, SPOKEN, SUNG, LabelledSound, row_labels
from omnihuman.training.voice_gate.rows import (
    HeardSound,
    SoundMaker,
    VoiceGateSoundSettings,
    folder_of,
    load_heard,
    make_all_heard,
)
from omnihuman.training.voice_gate.run import VoiceGateRun, build_judge, open_voice_gate_run
from omnihuman.training.voice_gate.settings import VoiceGateTrainingSettings, read_voice_gate_settings
from omnihuman.training.voice_gate.step import JudgeLossSettings, judge_step
from omnihuman.training.voice_gate.windows import DisturbanceSettings, VoiceGateBatch, VoiceGateWindows
from omnihuman.types import Sound

CONFIG = configs_dir() / "training" / "voice-gate.yaml"
CLEAN = DisturbanceSettings(unknown_phones=0.0, noise=0.0, timbre_noise=0.0)
NUM_FEATURES = len(FEATURE_NAMES)


def tiny(**changes: object) -> VoiceGateTrainingSettings:
    shipped = read_voice_gate_settings(CONFIG)
    sounds = VoiceGateSoundSettings(count=2, duration_s=3.0)
    small = {
        "data": shipped.data.model_copy(update={"rows": 60, "sounds": sounds}),
        "optimizer": shipped.optimizer.model_copy(update={"warmup_steps": 2}),
        "batch_size": 3,
        "steps": 6,
    }
    return shipped.model_copy(update={**small, **changes})


def heard(seed: int, rows: int = 150) -> HeardSound:
    """Thirty rows of each class in turn; the detector column tells which."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(3, size=rows // 30), 30).astype(np.int8)
    features = rng.normal(0.0, 0.1, (rows, NUM_FEATURES))
    features[:, 0] += labels - 1
    return HeardSound(features.astype(np.float16), labels)


def new_run(folder: Path, settings: VoiceGateTrainingSettings | None = None) -> VoiceGateRun:
    settings = settings or tiny()
    windows = VoiceGateWindows([heard(s) for s in range(4)], settings.data.rows, settings.data.disturbance, 1)
    return VoiceGateRun(settings, windows, "made-up", Files(folder / "w.safetensors", folder / "c.safetensors"))


def test_rows_at_the_edges_of_a_voice_and_in_its_short_silences_are_left_out():
    said = [
        *(TimedPhone(SILENCE, 0.0, 1.0), TimedPhone("M", 1.0, 2.0), TimedPhone(SILENCE, 2.0, 2.2)),
        *(TimedPhone("AA", 2.2, 3.0), TimedPhone(SILENCE, 3.0, 4.0)),
    ]
    labels = row_labels(said, 201, SUNG)
    assert (labels[:48] == NONE).all() and (labels[48:52] == IGNORED).all() and (labels[52:100] == SUNG).all()
    assert (labels[100:110] == IGNORED).all() and (labels[110:148] == SUNG).all()
    assert (labels[148:152] == IGNORED).all() and (labels[152:] == NONE).all()


def test_windows_are_a_pure_function_of_the_step():
    windows = VoiceGateWindows([heard(s) for s in range(4)], 60, DisturbanceSettings(), 1)
    first, again, other = windows.batch(3, 2), windows.batch(3, 2), windows.batch(4, 2)
    assert first.features.shape == (2, 60, NUM_FEATURES) and first.labels.shape == (2, 60)
    torch.testing.assert_close(first.features, again.features, atol=0, rtol=0)
    assert not torch.equal(first.features, other.features)


def test_features_and_labels_are_cut_at_the_same_time():
    batch = VoiceGateWindows([heard(5, 600)], 100, CLEAN, 1).batch(0, 6)
    assert len(batch.labels.unique()) == 3
    told = (batch.features[..., 0] + 1).round().clamp(0, 2)
    assert (told == batch.labels).float().mean() > 0.99


def test_phones_are_unknown_as_often_as_asked():
    settings = DisturbanceSettings(unknown_phones=0.3, noise=0.05, timbre_noise=0.0)
    features = VoiceGateWindows([heard(1)], 60, settings, 1).batch(0, 300).features
    unknown = (features[..., PHONE_COLUMNS] == 0).all(2).all(1)
    assert 0.2 < unknown.float().mean() < 0.4
    assert (features[..., 0] != 0).all()


class Fixed(VoiceJudge):
    """Gives every row the same logits."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return torch.tensor([2.0, 0.0, -1.0]).expand(*features.shape[:2], 3)


def test_a_mistake_costs_what_its_class_costs():
    labels = torch.tensor([[NONE, SPOKEN, SUNG, SUNG, IGNORED]])
    batch = VoiceGateBatch(torch.zeros(1, 5, NUM_FEATURES), labels)
    loss, parts = judge_step(Fixed(), batch, JudgeLossSettings(none=1.0, speech=1.5, singing=1.2))
    whole = math.log(math.exp(2) + 1 + math.exp(-1))
    costs = [whole - 2, whole, whole + 1]
    assert [float(parts[name]) for name in CLASSES] == pytest.approx(costs)
    weighted = costs[0] + 1.5 * costs[1] + 2 * 1.2 * costs[2]
    assert float(loss) == pytest.approx(weighted / (1 + 1.5 + 2.4))


def test_a_batch_without_a_class_or_any_label_has_a_loss():
    judge = build_judge(1)
    for label in (NONE, IGNORED):
        batch = VoiceGateBatch(torch.zeros(1, 5, NUM_FEATURES), torch.full((1, 5), label))
        loss, parts = judge_step(judge, batch, JudgeLossSettings())
        assert loss.isfinite() and all(part.isfinite() for part in parts.values()) and parts["singing"] == 0


def test_a_judge_learns_the_classes(tmp_path: Path):
    settings = tiny(steps=60, batch_size=6)
    optimizer = settings.optimizer.model_copy(update={"learning_rate": 0.02})
    run = new_run(tmp_path, settings.model_copy(update={"optimizer": optimizer}))
    first = run.advance()
    last = [run.advance() for _ in range(59)][-1]
    assert last["loss"] < 0.3 * first["loss"]


def test_it_stops_resumes_exactly_and_exports(tmp_path: Path):
    whole = new_run(tmp_path / "a")
    train(whole, "2026-01-01")
    half = new_run(tmp_path / "b")
    assert not train(half, "2026-01-01", stop=lambda: half.done == 3).finished
    again = new_run(tmp_path / "b")
    again.resume()
    assert again.done == 3
    assert train(again, "2026-01-01").finished
    one, other = (VoiceJudge.from_files({"w": run.files.export}) for run in (whole, again))
    features = heard(9).features.astype(np.float32)
    np.testing.assert_array_equal(one.probabilities(features), other.probabilities(features))
    fresh = build_judge(whole.settings.seed).eval()
    assert np.abs(one.probabilities(features) - fresh.probabilities(features)).max() > 0.01


def test_the_header_tells_features_classes_and_training(tmp_path: Path):
    run = new_run(tmp_path)
    train(run, "2026-01-01")
    header = weights_file.header(run.files.export)
    assert json.loads(header["features"]) == list(FEATURE_NAMES) and json.loads(header["classes"]) == list(CLASSES)
    assert json.loads(header["training"]) == run.settings.model_dump(mode="json")
    assert json.loads(header["result"])["steps"] == 6 and header["data"] == "made-up"


@pytest.mark.parametrize("name", ["features", "classes"])
def test_a_judge_of_another_meaning_is_refused(tmp_path: Path, name: str):
    run = new_run(tmp_path)
    train(run, "2026-01-01")
    header = {**weights_file.header(run.files.export), name: '["other"]'}
    weights_file.write_tensors(tmp_path / "o.safetensors", run.judge.state_dict(), header)
    with pytest.raises(ModelError, match=f"model_corrupt.*{name}"):
        VoiceJudge.from_files({"w": tmp_path / "o.safetensors"})


def test_other_costs_do_not_resume(tmp_path: Path):
    train(new_run(tmp_path), "2026-01-01")
    with pytest.raises(InputError, match="checkpoint_unfit.*loss"):
        new_run(tmp_path, tiny(loss=JudgeLossSettings(none=3.0))).resume()


class Ears:
    """Stands for voice, phone recogniser and detector; counts the sounds it hears."""

    def __init__(self, dictionary: Path) -> None:
        self.dictionary, self._session, self._engine = dictionary, None, None
        self.heard = 0

    def log_posteriors(self, sound: Sound) -> np.ndarray:
        self.heard += 1
        return np.full((len(sound.samples) // 320 + 1, 42), -3.0, np.float32)

    def detect(self, samples: np.ndarray, rows: int) -> np.ndarray:
        return np.full(rows, 0.25, np.float32)


@pytest.fixture
def ears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ears:
    """Ears, and a synthesiser of noise in place of the voice; labels tell how long the first sentence was."""
    monkeypatch.setattr(stored_rows, "dictionary_words", lambda path: ["mama", "papa"])

    def noise(voice: object, texts: object, duration_s: float, rng: np.random.Generator) -> LabelledSound:
        samples = rng.standard_normal(int(16000 * duration_s)).astype(np.float32)
        said = next(texts)  # type: ignore[call-overload]
        return LabelledSound(Sound(samples, 16000), np.full(len(samples) // 320 + 1, len(said) % 100, np.int8))

    monkeypatch.setattr(stored_rows, "labelled_sound", noise)
    return Ears(tmp_path)


def test_sounds_are_made_once_and_each_alone(ears: Ears, tmp_path: Path):
    settings = VoiceGateSoundSettings(count=3, duration_s=2.0)
    told: list[tuple[int, int]] = []

    def make(folder: str) -> list[Path]:
        handle = lambda: nullcontext(ears)  # noqa: E731
        maker = SoundMaker(settings, handle, handle, handle)
        return make_all_heard(maker, tmp_path / folder, lambda done, total, left_s: told.append((done, total)))

    paths = make("a")
    sounds = [load_heard(path) for path in paths]
    assert all(sound.features.shape == (101, NUM_FEATURES) == (settings.rows, NUM_FEATURES) for sound in sounds)
    assert all(sound.features.dtype == np.float16 and len(sound.labels) == 101 for sound in sounds)
    assert not np.array_equal(sounds[0].features, sounds[1].features)
    before = [path.read_bytes() for path in paths]
    paths[1].unlink()
    make("a")
    assert [path.read_bytes() for path in paths] == before
    assert ears.heard == 4 and told == [(1, 3), (2, 3), (3, 3)] * 2


def test_the_folder_knows_settings_and_models():
    settings = VoiceGateSoundSettings()
    other = settings.model_copy(update={"seed": 8})
    folders = {folder_of(settings, {"a": "1"}), folder_of(settings, {"a": "2"}), folder_of(other, {"a": "1"})}
    assert len(folders) == 3


def test_two_real_sounds_train_a_judge(tmp_path: Path, model_handle, monkeypatch: pytest.MonkeyPatch):
    for model_id in ("voice-hibari", "phones-hama", "voice-detector"):
        model_handle(model_id)
    monkeypatch.setattr(run_of_gate, "folder_of", lambda *args: tmp_path / "voices-real")
    settings, told = tiny(steps=2), []
    files = Files(tmp_path / "w.safetensors", tmp_path / "c.safetensors")
    run = open_voice_gate_run(settings, files, lambda *args: told.append(args), "cpu")
    assert [args[:2] for args in told] == [(1, 2), (2, 2)] and run.data_hash == "voices-real"
    sounds = [load_heard(path) for path in sorted((tmp_path / "voices-real").iterdir())]
    assert all(sound.features.shape == (151, NUM_FEATURES) and len(sound.labels) == 151 for sound in sounds)
    assert any((sound.labels > NONE).any() for sound in sounds)
    assert train(run, "2026-01-01").finished
    VoiceJudge.from_files({"w": files.export})


@pytest.mark.parametrize(("line", "code"), [("rowss: 5", "setting_unknown"), ("rows: 9000", "setting_invalid")])
def test_a_wrong_setting_is_told(tmp_path: Path, line: str, code: str):
    path = tmp_path / "voice-gate.yaml"
    path.write_text(f"task: voice-gate\nsteps: 10\ndata: {{{line}}}\n")
    with pytest.raises(ConfigError, match=code):
        read_voice_gate_settings(path)
