"""The windows that a configuration asks for: made up at once, or speech after its precomputation. No training here."""

from __future__ import annotations

from collections.abc import Callable

from omnihuman.modelhub.hub import ModelHub
from omnihuman.training.dataset import WindowDataset
from omnihuman.training.loop import WindowSource
from omnihuman.training.precompute import precompute
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
    with ModelHub.open() as hub:
        checksums = {
            f"{model_id}/{spec.name}": spec.sha256 or ""
            for model_id in (VOICE_ID, PHONES_ID)
            for spec in hub.registry[model_id].files
        }
        folder = precompute(data.speech, hub.handle(VOICE_ID), hub.handle(PHONES_ID), checksums, report)
    return WindowDataset(sorted(folder.glob("*.npz")), data.windows, settings.seed), folder.name
