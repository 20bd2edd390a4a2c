"""The tiny models of every kind, built in code: a whole pipeline in a second, without a model file.

The person is the drawn face of `tests/unit/perception/drawn_face.py` with its stored landmarks; weights are random.
"""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import torch

from omnihuman.conditions.audio import AUDIO_WIDTH, AudioConditioner
from omnihuman.conditions.reference import REFERENCE_WIDTH
from omnihuman.conditions.sentence import TEXT_WIDTH
from omnihuman.conditions.text import TextConditioner
from omnihuman.denoisers.motion_dit import MotionDiT
from omnihuman.latents.motion.space import SPEC, MotionSpace
from omnihuman.perception.face import FaceLandmarks
from omnihuman.perception.person import PersonTrack
from omnihuman.pipeline.assemble import PipelineParts
from omnihuman.pipeline.generate import OmniHumanPipeline
from omnihuman.pipeline.preset import load_preset
from omnihuman.speech.clock import row_count
from omnihuman.speech.gate import speech_activity
from omnihuman.speech.phones import POSTERIOR_WIDTH
from omnihuman.speech.voice_activity import NOISE_OR_MUSIC, SPEECH, VoiceActivity
from omnihuman.types import Sound
from tests.unit.perception.drawn_face import draw_face

POINTS = Path(__file__).parent / "assets" / "drawn_face_points.npy"
RATE_HZ = 16000


def tiny_denoiser(seed=0) -> MotionDiT:
    torch.manual_seed(seed)
    model = MotionDiT(
        channels=SPEC.channels,
        audio_features=AUDIO_WIDTH,
        reference_width=REFERENCE_WIDTH,
        width=16,
        layers=1,
        heads=2,
        audio_width=8,
        audio_layers=1,
    )
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.05)
    return model.eval()


class TinyPhones:
    """A phonetic network that hears one phone while it is loud and silence else."""

    def log_posteriors(self, sound):
        posteriors = np.full((row_count(sound), POSTERIOR_WIDTH), -9.0, np.float32)
        edges = np.linspace(0, len(sound.samples), len(posteriors) + 1).astype(int)
        rows = [sound.samples[a : b + 1] for a, b in zip(edges, edges[1:], strict=False)]
        loud = [np.abs(row).max(initial=0.0) > 0.05 for row in rows]
        posteriors[np.arange(len(posteriors)), np.where(loud, 1, 0)] = 0.0
        return posteriors


class TinyVoice:
    """A voice that hums as long as the text."""

    def speak(self, text, speaker=None):
        return type("Speech", (), {"sound": hum(0.06 * len(text)), "phones": ()})()


class TinyGate:
    """Takes every sound that is not steady for a voice."""

    def listen(self, sound, log_posteriors=None):
        opening = speech_activity(sound)
        return VoiceActivity(opening, np.where(opening > 0.5, SPEECH, NOISE_OR_MUSIC).astype(np.uint8))


class TinyFace:
    """Finds the drawn face, at any size of the picture, and nobody in a picture of one colour."""

    def detect(self, image, max_faces=8):
        if np.ptp(image) == 0:
            return []
        scale = image.shape[0] / draw_face().shape[0]
        return [FaceLandmarks.from_points(np.load(POINTS) * scale, score=0.9)]

    def track(self, frames):
        for frame in frames:
            yield next(iter(self.detect(frame)), None)


class TinyMatte:
    """The head and shoulders of the drawn face."""

    def estimate(self, image, face, body=None):
        height, width = image.shape[:2]
        y, x = np.mgrid[:height, :width] / height
        head = ((x - 0.5) / 0.3) ** 2 + ((y - 0.5) / 0.36) ** 2 < 1
        body = ((x - 0.5) / 0.41) ** 2 + ((y - 1.02) / 0.21) ** 2 < 1
        return (head | body).astype(np.float32)


class TinyTracker:
    """Follows nobody but the face of `TinyFace`."""

    def track(self, frames, fps, face=1):
        found = [next(iter(TinyFace().detect(frame)), None) for frame in frames]
        return face_track([None if one is None else one.points for one in found], fps)


def face_track(faces, fps) -> PersonTrack:
    """A person of whom only the face is seen; `faces` holds landmarks `478 3`, or None."""
    count = len(faces)
    unseen = np.zeros((478, 3), np.float32)
    return PersonTrack(
        times_s=((np.arange(count) + 0.5) / fps).astype(np.float32),
        width=512,
        height=512,
        face=np.array([unseen if one is None else one for one in faces], np.float32).reshape(count, 478, 3),
        face_seen=np.array([one is not None for one in faces], bool),
        body=np.zeros((count, 33, 3), np.float32),
        body_visibility=np.zeros((count, 33), np.float32),
        hands=np.zeros((count, 2, 21, 3), np.float32),
        hand_score=np.zeros((count, 2), np.float32),
    )


class TinySentences:
    """Embeds a sentence by its letters: the same sentence, the same row."""

    def embed(self, sentences):
        rows = np.zeros((len(sentences), TEXT_WIDTH), np.float32)
        for row, sentence in zip(rows, sentences, strict=True):
            for place, letter in enumerate(sentence):
                row[(7 * place + ord(letter)) % TEXT_WIDTH] += 1.0
        return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-9)


def hum(duration_s: float) -> Sound:
    """Syllables: a tone that swells four times a second."""
    t = np.arange(round(duration_s * RATE_HZ)) / RATE_HZ
    samples = 0.4 * np.sin(2 * np.pi * 180 * t) * np.clip(np.sin(2 * np.pi * 4 * t), 0, 1)
    return Sound(samples.astype(np.float32), RATE_HZ)


def tiny_parts(preset="motion", denoiser=None) -> PipelineParts:
    """The parts of a shipped preset with every model replaced by its tiny counterpart."""
    settings = load_preset(preset)
    model = denoiser or tiny_denoiser()
    return PipelineParts(
        name=preset,
        settings=settings,
        space=MotionSpace(TinyFace(), TinyMatte(), None),
        denoiser=lambda: nullcontext(model),
        audio=AudioConditioner(lambda: nullcontext(TinyPhones())),
        gate=TinyGate(),
        text=TextConditioner(lambda: nullcontext(TinySentences())),
        voice=lambda: nullcontext(TinyVoice()),
        tracker=TinyTracker(),
        model_sha256=dict.fromkeys(settings.model_ids, "0" * 64),
    )


def tiny_pipeline(preset="motion") -> OmniHumanPipeline:
    """`OmniHumanPipeline` on tiny parts."""
    return OmniHumanPipeline(tiny_parts(preset))
