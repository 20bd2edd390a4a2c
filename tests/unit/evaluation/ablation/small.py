"""A whole ablation in seconds on made-up windows; and spoken clips whose phones are known, without any model file."""

import numpy as np

from omnihuman.evaluation.ablation.held_out import spoken
from omnihuman.evaluation.ablation.settings import AblationSettings, JudgingSettings
from omnihuman.training.sound.precompute import Recording
from tests.unit.evaluation.spoken import babble

STAGES = [
    {"name": "reference", "steps": 2, "ratios": {"text": 0.0, "reference": 0.7, "audio": 0.0, "pose": 0.0}},
    {"name": "audio", "steps": 3, "ratios": {"text": 0.0, "reference": 0.7, "audio": 0.5, "pose": 0.0}},
]
BASE = {
    "data": {"kind": "synthetic", "frames": 16, "prefix_frames": [2, 4]},
    "model": {"width": 16, "layers": 1, "heads": 2, "mlp_ratio": 1, "audio_width": 8, "audio_layers": 1},
    "batch_size": 3,
    "precision": "fp32",
    "stages": STAGES,
}
JUDGING = {
    "speech": {"recordings": 1, "seed": 1000},
    "clips": 4, "seconds": 1.2, "short_seconds": 0.8, "prefix_frames": 4, "steps": 2,
}  # fmt: skip
VARIANTS = [
    {"name": "base", "axis": "base"},
    {"name": "audio-100", "axis": "audio ratio", "changes": {"stages.audio.ratios.audio": 1.0}},
]


def small(**changes) -> AblationSettings:
    whole = {"base": BASE, "seeds": [1, 2], "variants": VARIANTS, "windows": 7, "judging": JUDGING, **changes}
    return AblationSettings.model_validate(whole)


def judging(**changes) -> JudgingSettings:
    return JudgingSettings.model_validate({**JUDGING, "clips": 24, "seconds": 8.0, "short_seconds": 4.0, **changes})


def spoken_clips(seed=0, **changes):
    """Clips of syllables; the audio rows are noise, for nothing here listens."""
    rng = np.random.default_rng(seed)
    recordings = []
    for _ in range(4):
        phones = babble(rng)
        duration_s = phones[-1].end_s
        features = rng.normal(0, 1, (1, int(50 * duration_s) + 1, 43)).astype(np.float16)
        features[..., -1] = 0.4  # loudness: everybody speaks alike
        recordings.append(Recording(features, tuple(phones), duration_s))
    return spoken(recordings, judging(**changes))
