"""All findings, in the order in which a person would look: software, machine, models, a render."""

from __future__ import annotations

from collections.abc import Iterator

from omnihuman.config import cache_dir
from omnihuman.doctor.finding import Finding, failed
from omnihuman.doctor.machine import look_at_devices, look_at_places
from omnihuman.doctor.models import look_at_models
from omnihuman.doctor.render import try_render
from omnihuman.doctor.software import look_at_codecs, look_at_software
from omnihuman.modelhub.hub import ModelHub
from omnihuman.pipeline.preset import load_preset


def examine(hub: ModelHub, preset: str) -> Iterator[Finding]:
    """Yields each finding when it is known; the render comes last and only when its models are there.

    Args:
        hub: Registry and cache; nothing is fetched.
        preset: Name of the preset.

    Raises:
        ConfigError: no such preset.
    """
    settings = load_preset(preset)
    yield from look_at_software()
    yield from look_at_codecs()
    yield from look_at_devices()
    yield from look_at_places(cache_dir())
    models = list(look_at_models(hub, settings))
    yield from models
    lacking = [finding.topic for finding in models if finding.verdict == "failed"]
    if lacking:
        cause = f"not tried without {', '.join(lacking)}"
        yield failed("render", "model_missing", cause, "Run 'python -m omnihuman doctor --fetch'.")
    else:
        yield try_render(hub, preset)
