"""The models of a preset: there, whole by their SHA-256, and under which licence."""

from __future__ import annotations

from collections.abc import Iterator

from omnihuman.doctor.finding import Finding, failed_by, ok
from omnihuman.errors import OmniHumanError
from omnihuman.modelhub.hub import ModelHub, require_ok
from omnihuman.modelhub.integrity import FileState
from omnihuman.modelhub.registry import ModelEntry
from omnihuman.pipeline.preset import PresetSettings


def look_at_models(hub: ModelHub, preset: PresetSettings) -> Iterator[Finding]:
    """One finding per model of the preset; every file is hashed anew.

    Args:
        hub: Registry and cache.
        preset: Whose models.
    """
    for model_id in dict.fromkeys(preset.model_ids):
        try:
            entry = hub.registry[model_id]
        except OmniHumanError as error:
            yield failed_by(model_id, error)
            continue
        yield _model(hub, entry, is_optional=model_id == preset.models.sentences)


def _model(hub: ModelHub, entry: ModelEntry, is_optional: bool) -> Finding:
    reports = hub.examine(entry, thorough=True)
    size = f"{entry.size_bytes / 1e6:.1f} MB" if entry.size_bytes >= 1e5 else f"{entry.size_bytes / 1e3:.0f} kB"
    if is_optional and all(report.state is FileState.MISSING for report in reports):
        return ok(entry.id, f"not here, fetched when --text is first used ({size}), {entry.licence.name}")
    try:
        for report in reports:
            require_ok(report, entry)
    except OmniHumanError as error:
        return failed_by(entry.id, error)
    return ok(entry.id, f"{size}, sha256 right, {entry.licence.name}")
