"""The windows that a configuration asks for: made up at once, or speech after its precomputation. No training here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from omnihuman.modelhub.hub import ModelHub
from omnihuman.training.dataset import WindowDataset
from omnihuman.training.loop import WindowSource
from omnihuman.training.precompute import SpeechSettings, folder_of, precompute
from omnihuman.training.settings import TrainingSettings
from omnihuman.training.synthetic import SyntheticDataset

VOICE_ID = "voice-hibari"
PHONES_ID = "phones-hama"


def open_windows(settings: TrainingSettings, report: Callable[[int, int, float], None]) -> tuple[WindowSource, str]:
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
    folder = speech_folder(data.speech, report)
    return WindowDataset(sorted(folder.glob("*.npz")), data.windows, settings.seed), folder.name


def speech_folder(speech: SpeechSettings, report: Callable[[int, int, float], None]) -> Path:
    """Folder of the recordings that the settings ask for; what is missing is made first.

    Args:
        speech: What is said, by how many.
        report: As for `open_windows`.

    Raises:
        ModelError, ResourceError: as `open_windows`.
    """
    with ModelHub.open() as hub:
        return precompute(speech, hub.handle(VOICE_ID), hub.handle(PHONES_ID), _checksums(hub), report)


def speech_name(speech: SpeechSettings) -> str:
    """Name of that folder, which stands for all that decides its content; nothing is made."""
    with ModelHub.open() as hub:
        return folder_of(speech, _checksums(hub)).name


def _checksums(hub: ModelHub) -> dict[str, str]:
    """sha256 of every model file that a recording depends on."""
    return {
        f"{model_id}/{spec.name}": spec.sha256 or ""
        for model_id in (VOICE_ID, PHONES_ID)
        for spec in hub.registry[model_id].files
    }
