"""The stochastic teacher: phones -> one of many plausible takes of a person saying them, as motion parameters.

Rules and statistics, no learning and no sound; the denoiser learns the distribution of takes. Stands in for
OmniHuman-1's talking videos in the motion space, which needs no video of real people.

Legend: T frames at 25 fps, P parameters, R reference columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from omnihuman.latents.motion.parameters import HIGH, INDEX, LOW, NUM_PARAMETERS
from omnihuman.speech.inventory import SILENCE, TimedPhone
from omnihuman.training.teacher.body import BodyStyle, body_motion, drift
from omnihuman.training.teacher.face import FaceStyle, face_motion
from omnihuman.training.teacher.mouth import FRAME_HZ, MouthStyle, mouth_motion
from omnihuman.training.teacher.prosody import Loudness, accents
from omnihuman.types import Float


@dataclass(frozen=True)
class Style:
    """Manner of one take."""

    mouth: MouthStyle = field(default_factory=MouthStyle)
    face: FaceStyle = field(default_factory=FaceStyle)
    body: BodyStyle = field(default_factory=BodyStyle)


def random_style(rng: np.random.Generator) -> Style:
    """A person and a mood; people under-articulate more often than they over-articulate."""
    effort = rng.normal(-0.08, 0.20)

    def gain(sigma: float, shared: float = 0.0) -> float:
        return float(np.exp(shared + rng.normal(0.0, sigma)))

    mouth = MouthStyle(
        jaw=gain(0.15, effort),
        lips=gain(0.2, effort),
        rounding=gain(0.12, 0.5 * effort),
        spread=gain(0.2, 0.5 * effort),
        tilt=float(np.clip(rng.normal(0.0, 0.1), -0.3, 0.3)),
    )
    face = FaceStyle(
        blinks_per_min=float(np.clip(17.5 * gain(0.25), 9.0, 32.0)),
        brows=gain(0.35),
        gaze=gain(0.3),
        smile=float(rng.uniform(0.05, 0.4)) if rng.random() < 0.3 else 0.0,
        frown=float(rng.uniform(0.05, 0.3)) if rng.random() < 0.12 else 0.0,
    )
    lively = rng.normal(0.0, 0.2)
    body = BodyStyle(
        head=gain(0.2, lively),
        nods=gain(0.3, lively),
        torso=gain(0.25, lively),
        arms=gain(0.3, lively),
        breath_s=float(np.clip(4.0 * gain(0.15), 2.8, 5.5)),
        pace=gain(0.15, 0.5 * lively),
    )
    return Style(mouth, face, body)


def teach(
    phones: Sequence[TimedPhone],
    duration_s: float,
    reference: Float,
    style: Style,
    rng: np.random.Generator,
    loudness: Loudness | None = None,
) -> Float:
    """One take.

    Takes of the same chance and another style agree in what the style does not change: head, eyes and lids have
    chance of their own.

    Args:
        phones: What is said, in order, silences included; may reach beyond the take on both sides, which lets a
            window know its surroundings. Empty = silence.
        duration_s: Length of the take in seconds.
        reference: `R`, `conditions.reference.reference_vector` of the picture.
        style: Manner.
        rng: Source of chance; the same state gives the same take.
        loudness: Of the sound; louder vowels open farther and stand out more. None = told by their length alone.

    Returns:
        `T P` float32 within the limits of the parameter table, frame i describing its whole 40 ms; all 0 = the
        picture.
    """
    num_frames = max(1, int(np.ceil(duration_s * FRAME_HZ - 1e-6)))
    columns = np.zeros((num_frames, NUM_PARAMETERS), np.float32)
    phones = phones or (TimedPhone(SILENCE, 0.0, duration_s),)
    mouth_motion(phones, num_frames, style.mouth, float(reference[7]) / 5.0, columns, loudness)
    emphasis = accents(phones, rng, loudness)
    body_rng, face_rng, mouth_rng = (np.random.default_rng(int(seed)) for seed in rng.integers(2**63, size=3))
    body_motion(phones, emphasis, reference, style.body, columns, body_rng)
    face_motion(phones, emphasis, style.face, columns, face_rng)
    opening = columns[:, INDEX["jaw_open"]]
    columns[:, INDEX["mouth_x"]] += drift(num_frames, (0.05,), 0.6, mouth_rng)[:, 0] * np.minimum(1.0, opening / 0.2)
    limited: Float = np.clip(columns, LOW, HIGH)
    return limited
