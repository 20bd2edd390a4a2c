"""The text encoder learns on captions what they ask for, before any window; repeatably, and only where asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from omnihuman.config import configs_dir
from omnihuman.training.files import Files
from omnihuman.training.loop import Run
from omnihuman.training.settings import read_settings
from omnihuman.training.synthetic import SyntheticDataset
from omnihuman.training.words.phrasebook import Phrasebook
from omnihuman.training.words.reading import ReadingSettings, learn_to_read
from omnihuman.training.words.style_sentences import Caption

WIDTH = 384


@pytest.fixture(scope="module")
def book() -> Phrasebook:
    """Two styles whose sentences differ in one small direction, as left and right do."""
    rng = np.random.default_rng(0)
    common, apart = rng.standard_normal((2, WIDTH))
    captions, rows = [], []
    for number in range(60):
        side = number % 2
        captions.append(Caption(f"sentence {number}", (("left", "right")[side],), 1.0))
        rows.append(common + (2 * side - 1) * 0.2 * apart + 0.3 * rng.standard_normal(WIDTH))
    embeddings = np.stack(rows).astype(np.float32)
    return Phrasebook(tuple(captions), embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True))


def encoder() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(WIDTH, 16), nn.SiLU())


def test_it_learns_what_a_sentence_asks_for_and_repeats_itself(book: Phrasebook):
    settings = ReadingSettings(steps=150, batch_size=16, learning_rate=0.005)
    first, second = encoder(), encoder()
    left_over = learn_to_read(lambda text: first(text * WIDTH**0.5), first, book, settings, 3)
    assert left_over < 0.2
    learn_to_read(lambda text: second(text * WIDTH**0.5), second, book, settings, 3)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))


def test_no_steps_change_nothing(book: Phrasebook):
    module = encoder()
    before = [p.clone() for p in module.parameters()]
    assert learn_to_read(module, module, book, ReadingSettings(), 3) == 1.0
    assert all(torch.equal(a, b) for a, b in zip(before, module.parameters(), strict=True))


def test_a_run_reads_before_its_first_step_where_its_settings_ask(book: Phrasebook, tmp_path: Path):
    data = SyntheticDataset(16, 1)
    data.phrasebook = book  # type: ignore[assignment]
    files = Files(tmp_path / "w.safetensors", tmp_path / "c.safetensors")
    plain = read_settings(configs_dir() / "training" / "tiny.yaml")
    reading = plain.model_copy(update={"reading": ReadingSettings(steps=3)})
    unread, read = (Run(settings, data, "made-up", files).model.state_dict() for settings in (plain, reading))
    changed = {name for name in unread if not torch.equal(unread[name], read[name])}
    assert changed and all(name.startswith("text_encoder.") for name in changed)
