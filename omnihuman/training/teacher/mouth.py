"""Phones -> mouth parameters, by rule: targets per phone, blended by dominance. No learning, no sound.

Cohen and Massaro 1993 (dominance functions) for jaw and lip shape; contacts - lips for m b p, lip on teeth for f v,
tongue on teeth for th l - are bumps that nothing may dilute. Amplitudes are those of conversation, not of diction.

Legend: N phones, F steps at 100 Hz, T frames at 25 fps, D shape columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.latents.motion.parameters import INDEX
from omnihuman.speech.inventory import BILABIALS, SILENCE, VOWELS, TimedPhone
from omnihuman.training.teacher.prosody import Loudness, efforts
from omnihuman.types import Float

STEP_HZ = 100
FRAME_HZ = 25
_POOL = STEP_HZ // FRAME_HZ

SHAPES = ("jaw_open", "pucker", "funnel", "stretch", "upper_lip_raise", "lower_lip_down")
"""Columns that dominance blends; `stretch` stands for both sides."""

_TARGETS: dict[str, tuple[float, ...]] = {
    SILENCE: (0.00, 0.00, 0.00, 0.00, 0.00, 0.00),
    "AA": (0.44, 0.00, 0.06, 0.02, 0.10, 0.20),
    "AE": (0.42, 0.00, 0.00, 0.20, 0.14, 0.24),
    "AH": (0.26, 0.00, 0.03, 0.04, 0.06, 0.14),
    "AO": (0.36, 0.12, 0.38, 0.00, 0.08, 0.14),
    "EH": (0.32, 0.00, 0.00, 0.16, 0.10, 0.20),
    "ER": (0.20, 0.16, 0.30, 0.00, 0.08, 0.14),
    "IH": (0.20, 0.00, 0.00, 0.20, 0.08, 0.18),
    "IY": (0.15, 0.00, 0.00, 0.40, 0.10, 0.20),
    "UH": (0.20, 0.32, 0.22, 0.00, 0.04, 0.10),
    "UW": (0.15, 0.66, 0.18, 0.00, 0.03, 0.09),
    "B": (0.04, 0.00, 0.00, 0.00, 0.00, 0.00),
    "P": (0.04, 0.00, 0.00, 0.00, 0.00, 0.00),
    "M": (0.03, 0.00, 0.00, 0.00, 0.00, 0.00),
    "F": (0.09, 0.00, 0.00, 0.05, 0.16, 0.00),
    "V": (0.09, 0.00, 0.00, 0.05, 0.14, 0.00),
    "W": (0.12, 0.74, 0.20, 0.00, 0.03, 0.09),
    "R": (0.15, 0.26, 0.28, 0.00, 0.08, 0.14),
    "Y": (0.12, 0.00, 0.00, 0.28, 0.06, 0.14),
    "L": (0.18, 0.00, 0.00, 0.05, 0.07, 0.15),
    "S": (0.06, 0.00, 0.03, 0.16, 0.10, 0.22),
    "Z": (0.07, 0.00, 0.03, 0.14, 0.10, 0.22),
    "SH": (0.07, 0.16, 0.52, 0.00, 0.16, 0.22),
    "T": (0.10, 0.00, 0.00, 0.07, 0.07, 0.16),
    "D": (0.11, 0.00, 0.00, 0.06, 0.07, 0.16),
    "N": (0.12, 0.00, 0.00, 0.05, 0.06, 0.14),
    "TH": (0.14, 0.00, 0.00, 0.05, 0.08, 0.17),
    "DH": (0.13, 0.00, 0.00, 0.05, 0.07, 0.15),
    "K": (0.18, 0.00, 0.00, 0.05, 0.06, 0.14),
    "G": (0.18, 0.00, 0.00, 0.05, 0.06, 0.14),
    "NG": (0.17, 0.00, 0.00, 0.06, 0.06, 0.14),
    "HH": (0.24, 0.00, 0.00, 0.03, 0.06, 0.14),
}
_SAME = {"ZH": "SH", "CH": "SH", "JH": "SH"}
_DIPHTHONGS = {"AW": ("AA", "UH"), "AY": ("AA", "IH"), "EY": ("EH", "IY"), "OW": ("AO", "UW"), "OY": ("AO", "IY")}
_SYMBOLS = tuple(_TARGETS)
_OPENING_COLUMNS = (0, 4, 5)
_OPENING_GAIN = 1.5
"""The table gives proportions; with this gain the lip gaps of a take are spread like those of people on video."""

_TARGET_TABLE: Float = np.array([_TARGETS[s] for s in _SYMBOLS], np.float32)
_TARGET_TABLE[:, _OPENING_COLUMNS] *= _OPENING_GAIN


def _dominance_table() -> Float:
    """`symbols D` strength of each phone over each column; 1 = an ordinary vowel."""
    table = np.full((len(_SYMBOLS), len(SHAPES)), 0.5, np.float32)
    jaw, rounding, spread, lips = [0], [1, 2], [3], [4, 5]
    strong_jaw = {"S": 2.5, "Z": 2.5, "SH": 2.5, "F": 2.0, "V": 2.0, "W": 1.0, "Y": 0.7, "TH": 1.0, "DH": 0.8}
    for row, symbol in enumerate(_SYMBOLS):
        if symbol in VOWELS:
            table[row] = 1.0
        elif symbol in BILABIALS:
            table[row, jaw] = 2.5
            table[row, rounding + spread] = 0.1
            table[row, lips] = 2.0
        elif symbol == SILENCE:
            table[row] = 1.6
        elif symbol == "HH":
            table[row] = 0.1
        elif symbol in ("K", "G", "NG"):
            table[row] = 0.25
        table[row, jaw] = strong_jaw.get(symbol, table[row, 0])
        if max(_TARGETS[symbol][1:3]) > 0.2:
            table[row, rounding] = 2.5
    return table


_DOMINANCE = _dominance_table()
_DECAY_HZ = np.array([28.0, 16.0, 16.0, 18.0, 28.0, 28.0])
"""How fast the influence of a phone fades outside it, 1 / s per column: rounding reaches farthest."""


@dataclass(frozen=True)
class MouthStyle:
    """How one person articulates; all factors about 1.

    Attributes:
        jaw: Gain of the jaw.
        lips: Gain of lip raising and lowering.
        rounding: Gain of pucker and funnel.
        spread: Gain of the stretch.
        tilt: Share by which the person's left side moves more than the right, -0.3..0.3.
        lag_s: How late the mouth is against the sound, seconds; negative = early.
    """

    jaw: float = 1.0
    lips: float = 1.0
    rounding: float = 1.0
    spread: float = 1.0
    tilt: float = 0.0
    lag_s: float = 0.0


def _segments(phones: Sequence[TimedPhone], loudness: Loudness | None) -> tuple[Float, Float, np.ndarray, Float]:
    """Start, end, table row and effort of each target; diphthongs give two."""
    rows: list[tuple[float, float, int, float]] = []
    for phone, effort in zip(phones, efforts(phones, loudness), strict=True):
        start, end = phone.start_s, phone.end_s
        if phone.symbol in _DIPHTHONGS:
            middle = start + 0.6 * (end - start)
            first, second = (_SYMBOLS.index(s) for s in _DIPHTHONGS[phone.symbol])
            rows += [(start, middle, first, effort), (middle, end, second, effort)]
            continue
        if phone.symbol == SILENCE:
            # The mouth prepares the first phone before it sounds and closes a moment after the last one.
            start, end = min(start + 0.04, end), max(end - 0.10, start)
        rows.append((start, max(start, end), _SYMBOLS.index(_SAME.get(phone.symbol, phone.symbol)), effort))
    starts, ends, index, effort_column = zip(*rows, strict=True)
    return np.array(starts), np.array(ends), np.array(index), np.array(effort_column)


def _blend(phones: Sequence[TimedPhone], times_s: Float, loudness: Loudness | None) -> Float:
    """Shape columns `F D` by dominance."""
    starts, ends, index, effort = _segments(phones, loudness)
    outside = np.maximum(0.0, np.maximum(starts[:, None] - times_s, times_s - ends[:, None])).astype(np.float32)
    targets = _TARGET_TABLE[index]
    targets = targets * np.where(np.array([1, 0, 0, 0, 1, 1]), effort[:, None], 1.0)
    shapes = np.empty((len(times_s), len(SHAPES)), np.float32)
    for decay in np.unique(_DECAY_HZ):
        near = np.exp(-decay * outside)
        columns = np.flatnonzero(decay == _DECAY_HZ)
        strength = _DOMINANCE[index][:, columns]
        shapes[:, columns] = (near.T @ (strength * targets[:, columns])) / (near.T @ strength + 1e-6)
    return shapes


def _contact(phones: Sequence[TimedPhone], symbols: frozenset[str], times_s: Float, ramp_s: float = 0.04) -> Float:
    """Bumps `F` of height 1 during the given phones; even the shortest holds for 40 ms."""
    spans = np.array([(p.start_s, p.end_s) for p in phones if p.symbol in symbols])
    if not len(spans):
        return np.zeros(len(times_s), np.float32)
    starts = spans[:, :1] - 0.01
    ends = np.maximum(spans[:, 1:] - 0.01, starts + 0.05)
    inside = np.minimum(times_s - starts, ends - times_s).max(axis=0)
    ramp = np.clip(1.0 + inside / ramp_s, 0.0, 1.0).astype(np.float32)
    return ramp * ramp * (3.0 - 2.0 * ramp)


def _smooth(columns: Float, sigma_steps: float) -> Float:
    """Gaussian smoothing along the first axis with repeated ends."""
    reach = int(3 * sigma_steps)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma_steps) ** 2)
    padded = np.pad(columns, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    smoothed: Float = (windows @ (kernel / kernel.sum())).astype(np.float32)
    return smoothed


def step_times_s(num_frames: int) -> Float:
    """Centres of the 100 Hz steps of `num_frames` frames, `F` seconds."""
    return ((np.arange(num_frames * _POOL) + 0.5) / STEP_HZ).astype(np.float32)


def frame_times_s(num_frames: int) -> Float:
    """Centres of the frames, `T` seconds."""
    return ((np.arange(num_frames) + 0.5) / FRAME_HZ).astype(np.float32)


def pool(columns: Float, peak_share: float) -> Float:
    """100 Hz `F ...` -> 25 fps `T ...`: this share of the maximum, the rest of the mean of each frame."""
    frames = columns.reshape(-1, _POOL, *columns.shape[1:])
    pooled: Float = peak_share * frames.max(axis=1) + (1.0 - peak_share) * frames.mean(axis=1)
    return pooled


def speech_presence(phones: Sequence[TimedPhone], times_s: Float, reach_s: float = 0.12) -> Float:
    """1 while somebody speaks, 0 in silence, soft edges of `reach_s`; same length as `times_s`."""
    spans = np.array([(p.start_s, p.end_s) for p in phones if p.symbol != SILENCE])
    if not len(spans):
        return np.zeros(len(times_s), np.float32)
    outside = np.maximum(spans[:, :1] - times_s, times_s - spans[:, 1:]).min(axis=0)
    presence: Float = (1.0 - np.clip(outside / reach_s, 0.0, 1.0)).astype(np.float32)
    return presence


def mouth_motion(
    phones: Sequence[TimedPhone],
    num_frames: int,
    style: MouthStyle,
    mouth_gap_iod: float,
    columns: Float,
    loudness: Loudness | None = None,
) -> None:
    """Writes the speaking mouth into a parameter track.

    At rest all is 0. A person pictured with parted lips would stand gaping between the words, so the wanted gap is
    taken as absolute: where it is smaller than the pictured one the lips seal part of the way (half way at rest,
    which keeps a pictured smile), where it is larger only the difference is added.

    Args:
        phones: In order; may start before 0 and end after the last frame.
        num_frames: T.
        style: How this person articulates.
        mouth_gap_iod: Inner-lip gap in the picture over IOD.
        columns: `T P` track to write to, parameter units.
        loudness: Louder vowels open farther; None = all alike.
    """
    times_s = step_times_s(num_frames) - np.float32(style.lag_s)
    shapes = _smooth(_blend(phones, times_s, loudness), 2.0)
    gains = np.array([style.jaw, style.rounding, style.rounding, style.spread, style.lips, style.lips], np.float32)
    shapes = shapes * gains
    # Soft ceiling: nobody drops the jaw fully in conversation.
    shapes[:, 0] = 0.65 * np.tanh(shapes[:, 0] / 0.65)
    lips = seal = _contact(phones, BILABIALS, times_s)
    dental = 0.9 * _contact(phones, frozenset({"F", "V"}), times_s)
    tip = 0.4 * _contact(phones, frozenset({"L", "N", "D", "T"}), times_s)
    tongue = np.maximum(0.85 * _contact(phones, frozenset({"TH", "DH"}), times_s), tip)
    shapes[:, 0] *= 1.0 - 0.75 * seal
    shapes[:, 4:] *= (1.0 - 0.85 * seal)[:, None]
    wanted_gap = shapes @ np.array([0.30, 0.0, 0.0, 0.0, 0.11, 0.12], np.float32)
    if mouth_gap_iod > 0.01:
        speaking = speech_presence(phones, times_s)
        shut = np.clip(1.0 - wanted_gap / mouth_gap_iod, 0.0, 1.0)
        shapes *= (np.clip(1.0 - 0.8 * mouth_gap_iod / np.maximum(wanted_gap, 1e-3), 0.15, 1.0))[:, None]
        seal = np.maximum(seal, shut * (0.5 + 0.3 * speaking) * min(1.0, mouth_gap_iod / 0.04))
    frames = np.clip(pool(shapes, 0.0), 0.0, 1.0)
    contacts = pool(np.stack([seal, dental, tongue], axis=1), 0.5)
    for column, name in enumerate(SHAPES):
        if name != "stretch":
            columns[:, INDEX[name]] += frames[:, column]
    columns[:, INDEX["stretch_l"]] += frames[:, 3] * (1.0 + style.tilt)
    columns[:, INDEX["stretch_r"]] += frames[:, 3] * (1.0 - style.tilt)
    columns[:, INDEX["seal"]] += contacts[:, 0]
    columns[:, INDEX["labiodental"]] += contacts[:, 1]
    columns[:, INDEX["tongue"]] += contacts[:, 2]
    columns[:, INDEX["lip_press"]] += 0.3 * np.square(pool(lips, 0.5))
