"""A preset and the hub -> the parts of a pipeline. The only table of latent spaces."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from omnihuman.conditions.audio import AudioConditioner
from omnihuman.conditions.text import TextConditioner
from omnihuman.latents.base import LatentSpace
from omnihuman.latents.motion.space import MotionSpace
from omnihuman.modelhub.hub import ModelHub
from omnihuman.perception.body import BodyPerception
from omnihuman.perception.face import FacePerception
from omnihuman.perception.hands import HandPerception
from omnihuman.perception.matte import PersonMatte
from omnihuman.perception.tracker import PersonTracker
from omnihuman.pipeline.preset import ModelIds, PresetSettings, load_preset
from omnihuman.pipeline.watch import Tracker
from omnihuman.speech.voice_activity import VoiceGate
from omnihuman.types import Handle


@dataclass(frozen=True)
class PipelineParts:
    """What a pipeline is made of; tests hand in tiny ones.

    Attributes:
        name: Name of the preset.
        settings: The preset.
        space: Latent space.
        denoiser: Handle of the denoiser.
        audio: Sound -> audio condition.
        gate: Where somebody speaks or sings.
        text: Prompts -> text condition.
        voice: Handle of the built-in voice.
        tracker: Follows the person of a driving video.
        model_sha256: Model id -> SHA-256 of its files, for the record.
    """

    name: str
    settings: PresetSettings
    space: LatentSpace
    denoiser: Handle
    audio: AudioConditioner
    gate: VoiceGate
    text: TextConditioner
    voice: Handle
    tracker: Tracker
    model_sha256: dict[str, str]


def assemble(name: str, hub: ModelHub) -> PipelineParts:
    """Builds the parts of a preset; models load when they are first used.

    Raises:
        ConfigError: no such preset.
        ModelError: a model is not in the registry.
    """
    preset = load_preset(name)
    models = preset.models
    return PipelineParts(
        name=name,
        settings=preset,
        space=SPACES[preset.space](models, hub),
        denoiser=hub.handle(models.denoiser),
        audio=AudioConditioner(hub.handle(models.phones)),
        gate=VoiceGate(hub.handle(models.voice_detector), hub.handle(models.voice_judge)),
        text=TextConditioner(hub.handle(models.sentences)),
        voice=hub.handle(models.voice),
        tracker=tracker_of(models, hub),
        model_sha256={model_id: _fingerprint(hub, model_id) for model_id in preset.model_ids},
    )


def _fingerprint(hub: ModelHub, model_id: str) -> str:
    """SHA-256 of a model: of its file, or of the list of its files' hashes."""
    hashes = [spec.sha256 or "unpinned" for spec in hub.registry[model_id].files]
    return hashes[0] if len(hashes) == 1 else hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def tracker_of(models: ModelIds, hub: ModelHub) -> PersonTracker:
    """What follows a person: face, body and hands."""
    face = FacePerception(hub.handle(models.face_detector), hub.handle(models.face_mesh))
    return PersonTracker(face, BodyPerception(hub.handle(models.body_pose)), HandPerception(hub.handle(models.hands)))


def _motion_space(models: ModelIds, hub: ModelHub) -> LatentSpace:
    face = FacePerception(hub.handle(models.face_detector), hub.handle(models.face_mesh))
    matte = PersonMatte(hub.handle(models.person_matte))
    body, hands = BodyPerception(hub.handle(models.body_pose)), HandPerception(hub.handle(models.hands))
    return MotionSpace(face, matte, body, hands)


SPACES: dict[str, Callable[[ModelIds, ModelHub], LatentSpace]] = {"motion": _motion_space}
