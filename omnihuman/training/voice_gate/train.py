"""Trains the judge of the voice gate: python -m omnihuman.training.voice_gate.train. Ten CPU-minutes, all from wheels.

What it hears is made in `data.py`; the judge is `speech/voice_activity_judge.py`.
Legend: E sounds, N rows, D features.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from omnihuman.config import StrictModel, configs_dir, load
from omnihuman.modelhub.hub import ModelHub
from omnihuman.speech.voice_activity import VoiceGate
from omnihuman.speech.voice_activity_features import FEATURE_NAMES, PHONE_COLUMNS
from omnihuman.speech.voice_activity_judge import CLASSES, VoiceJudge
from omnihuman.training.sound.singing import SingingVoice
from omnihuman.training.voice_gate.data import IGNORED, labelled_sound
from omnihuman.training.words.corpus import dictionary_words, load_grammar, sentences
from omnihuman.types import Float
from omnihuman.weights_file import write_tensors

Report = Callable[[str, int, int, float], None]
"""(what, done, in all, a figure)."""


class VoiceGateSettings(StrictModel):
    """configs/training/voice-gate.yaml.

    Attributes:
        seeds: Each makes a set of sounds; the first one also seeds the fit.
        sounds: Number of made-up sounds in a set.
        duration_s: Length of each.
        steps: Optimiser steps.
        batch: Sounds per step.
        rows: Rows drawn from each of them.
        learning_rate: Peak of the cosine schedule.
        class_weights: Cost of a mistake on none, speech and singing.
        unknown_phones: Share of the draws without phone posteriors.
        noise: Spread of the noise on every feature.
        timbre_noise: Spread of a constant error of each band, as another microphone would make.
    """

    seeds: tuple[int, ...]
    sounds: int
    duration_s: float
    steps: int
    batch: int
    rows: int
    learning_rate: float
    class_weights: tuple[float, float, float]
    unknown_phones: float
    noise: float
    timbre_noise: float


def made_rows(settings: VoiceGateSettings, hub: ModelHub, report: Report) -> tuple[Float, np.ndarray]:
    """Features ``E N D`` and labels ``E N`` of the made-up sounds."""
    features, labels = [], []
    gate = VoiceGate(hub.handle("voice-detector"), nullcontext)
    with hub.handle("voice-hibari")() as voice, hub.handle("phones-hama")() as recognizer:
        singer, words = SingingVoice.of(voice), dictionary_words(voice.dictionary)
        for seed in settings.seeds:
            texts = sentences(load_grammar(), words, seed)
            for index in range(settings.sounds):
                rng = np.random.default_rng([seed, index])
                example = labelled_sound(singer, texts, settings.duration_s, rng)
                rows = gate.features(example.sound, recognizer.log_posteriors(example.sound))
                # half precision: a set of any size fits in memory
                features.append(rows.astype(np.float16))
                labels.append(example.labels)
                report("sounds", len(labels), settings.sounds * len(settings.seeds), 0.0)
    return np.stack(features), np.stack(labels)


def fit(features: Float, labels: np.ndarray, settings: VoiceGateSettings, report: Report) -> VoiceJudge:
    """Trains a judge on windows of the rows.

    Args:
        features: ``E N D``.
        labels: ``E N``, IGNORED where nobody could say.
        settings: How.
        report: Told the loss.
    """
    torch.manual_seed(settings.seeds[0])
    rng = np.random.default_rng(settings.seeds[0])
    judge = VoiceJudge()
    optimiser = torch.optim.AdamW(judge.parameters(), settings.learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, settings.learning_rate, settings.steps)
    weights = torch.tensor(settings.class_weights)
    for step in range(settings.steps):
        chosen = rng.integers(len(features), size=settings.batch)
        starts = rng.integers(features.shape[1] - settings.rows + 1, size=settings.batch)
        windows = [slice(start, start + settings.rows) for start in starts]
        drawn = np.stack([features[e, w] for e, w in zip(chosen, windows, strict=True)])
        wanted = np.stack([labels[e, w] for e, w in zip(chosen, windows, strict=True)])
        logits = judge(torch.from_numpy(_disturbed(drawn, settings, rng)))
        target = torch.from_numpy(wanted.astype(np.int64))
        loss = functional.cross_entropy(logits.transpose(1, 2), target, weights, ignore_index=IGNORED)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(judge.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        report("steps", step + 1, settings.steps, float(loss.detach()))
    return judge.eval()


def _disturbed(features: Float, settings: VoiceGateSettings, rng: np.random.Generator) -> Float:
    """The features as other microphones, or a missing phonetic network, would give them."""
    disturbed = features + rng.normal(0.0, settings.noise, features.shape)
    first_band = FEATURE_NAMES.index("band_120_hz")
    bands = (len(features), 1, len(FEATURE_NAMES) - first_band)
    disturbed[..., first_band:] += rng.normal(0.0, settings.timbre_noise, bands)
    unknown = rng.random(len(features)) < settings.unknown_phones
    disturbed[unknown, :, PHONE_COLUMNS] = 0.0
    return disturbed.astype(np.float32)


def export(judge: VoiceJudge, settings: VoiceGateSettings, path: Path) -> None:
    """Writes the weights with what they were trained on in the header."""
    header = {
        "features": json.dumps(list(FEATURE_NAMES)),
        "classes": json.dumps(list(CLASSES)),
        "training": settings.model_dump_json(),
    }
    write_tensors(path, judge.state_dict(), header)


def main(path: Path) -> None:
    """Makes the sounds, fits, writes `path`."""
    settings = load(VoiceGateSettings, configs_dir() / "training" / "voice-gate.yaml")

    def report(what: str, done: int, total: int, figure: float) -> None:
        if done % 100 == 0 or done == total:
            sys.stderr.write(f"{what} {done}/{total} {figure:.4f}\n")

    with ModelHub.open() as hub:
        features, labels = made_rows(settings, hub, report)
    export(fit(features, labels, settings, report), settings, path)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "weights/voice-judge.safetensors"))
