"""The windows that a configuration asks for: made up at once, or speech after its precomputation. No training here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from omnihuman.modelhub.hub import ModelHub
from omnihuman.training.dataset import WindowDataset
from omnihuman.training.loop import WindowSource
from omnihuman.training.settings import TrainingSettings
from omnihuman.training.sound.precompute import SpeechSettings, folder_of, precompute
from omnihuman.training.stored import Report
from omnihuman.training.synthetic import SyntheticDataset
from omnihuman.training.teacher.styles import load_styles
from omnihuman.training.words.phrasebook import Phrasebook, open_phrasebook
from omnihuman.training.words.script import ScriptWriter
from omnihuman.types import Float

VOICE_ID = "voice-hibari"
PHONES_ID = "phones-hama"
SENTENCES_ID = "minilm"


def open_windows(settings: TrainingSettings, report: Report) -> tuple[WindowSource, str]:
    """The windows of a run and a name for their content.

    Args:
        settings: The configuration.
        report: Told (recordings done, recordings in all, seconds left) while speech is made.

    Raises:
        ModelError: voice or phone recogniser are missing and cannot be fetched.
        ResourceError: no room for the recordings.
    """
    data = settings.data
    if data.kind == "synthetic":
        made_up = SyntheticDataset(data.frames, settings.seed)
        return made_up, made_up.data_hash
    captions, content = None, ""
    with ModelHub.open() as hub:
        folder = _recordings(hub, data.speech, report)
        if settings.reads_text:
            book = captions_of(hub)
            captions = ScriptWriter(load_styles(), book, data.windows.script)
            content = f"+{book.digest}"
    shards = sorted(folder.glob("*.npz"))
    return WindowDataset(shards, data.windows, settings.seed, captions), folder.name + content


def speech_folder(speech: SpeechSettings, report: Report) -> Path:
    """Folder of the recordings that the settings ask for; what is missing is made first.

    Args:
        speech: What is said, by how many.
        report: As for `open_windows`.

    Raises:
        ModelError, ResourceError: as `open_windows`.
    """
    with ModelHub.open() as hub:
        return _recordings(hub, speech, report)


def speech_name(speech: SpeechSettings) -> str:
    """Name of that folder, which stands for all that decides its content; nothing is made."""
    with ModelHub.open() as hub:
        return folder_of(speech, checksums(hub, VOICE_ID, PHONES_ID)).name


def _recordings(hub: ModelHub, speech: SpeechSettings, report: Report) -> Path:
    sources = checksums(hub, VOICE_ID, PHONES_ID)
    return precompute(speech, hub.handle(VOICE_ID), hub.handle(PHONES_ID), sources, report)


def captions_of(hub: ModelHub) -> Phrasebook:
    """The captions of the shipped styles; the sentence encoder is lent only where they were not embedded before."""

    def embed(sentences: Sequence[str]) -> Float:
        with hub.handle(SENTENCES_ID)() as encoder:
            rows: Float = encoder.embed(sentences)
        return rows

    encoder = json.dumps(checksums(hub, SENTENCES_ID), sort_keys=True)
    return open_phrasebook(load_styles(), embed, encoder)


def checksums(hub: ModelHub, *model_ids: str) -> dict[str, str]:
    """sha256 of every file of some models, by `model/file`."""
    return {
        f"{model_id}/{spec.name}": spec.sha256 or "" for model_id in model_ids for spec in hub.registry[model_id].files
    }
