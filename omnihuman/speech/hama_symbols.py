"""The symbols of the hama network and how they fold onto the shared phone inventory.

The network's 191 columns are IPA letters of many languages, diacritics, tones, a word boundary and the CTC blank.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from omnihuman.speech.inventory import PHONES
from omnihuman.types import Float

POSTERIOR_WIDTH = len(PHONES) + 2
"""Columns: PHONES, then blank, then other."""

_FOLD: dict[str, tuple[int, ...]] = {
    "SIL": (0, 4, 6),
    "AA": (7, 22, 62, 63, 64, 80),
    "AE": (66,),
    "AH": (26, 79, 88, 89, 97, 125, 175),
    "AO": (65, 81, 83),
    "AW": (9,),
    "AY": (8,),
    "EH": (15, 23, 91),
    "ER": (90, 92, 93),
    "EY": (14, 16, 178),
    "IH": (100, 101, 102, 105, 106),
    "IY": (20, 68, 74, 78),
    "OW": (24, 33, 34, 71),
    "OY": (84,),
    "UH": (72, 76, 111, 123, 127),
    "UW": (25, 48, 56, 77, 122),
    "B": (10, 82, 132, 172),
    "CH": (44, 45, 46, 47),
    "D": (12, 38, 86, 87, 115, 116),
    "DH": (69,),
    "F": (17, 112),
    "G": (18, 94, 95, 96, 107),
    "HH": (19, 55, 67, 73, 99, 117, 118, 174),
    "JH": (13,),
    "K": (11, 27, 28, 29),
    "L": (30, 103, 104, 126),
    "M": (31,),
    "N": (32, 70, 109),
    "NG": (75, 110),
    "P": (35, 36, 37),
    "R": (113, 114),
    "S": (39, 40),
    "SH": (85, 119, 120),
    "T": (41, 42, 43, 121),
    "TH": (173,),
    "V": (49, 108, 124),
    "W": (50, 51, 52, 53, 54, 98, 137),
    "Y": (21, 133),
    "Z": (57, 177),
    "ZH": (128, 129, 130),
}
"""Columns of the network per phone, by what the mouth shows: rounded front vowels go to UH and UW, trills and flaps
of the tongue tip to D, uvulars to HH, tense and aspirated stops to the plain ones; diacritics and tones to other."""

SYMBOLS = 191
BLANK = 190

_LEAST_PROBABILITY = 1e-30


def fold_columns() -> NDArray[np.int64]:
    """Column of the folded row for each symbol of the network, `191` int64."""
    columns = np.full(SYMBOLS, len(PHONES) + 1, np.int64)
    columns[BLANK] = len(PHONES)
    for phone, symbols in _FOLD.items():
        columns[list(symbols)] = PHONES.index(phone)
    return columns


def fold(log_posteriors: Float) -> Float:
    """Log of summed probabilities on the shared inventory: ``N 191`` to ``N 42``, float32, finite."""
    members = np.eye(POSTERIOR_WIDTH)[fold_columns()]
    probabilities = np.exp(log_posteriors.astype(np.float64)) @ members
    return np.log(np.maximum(probabilities, _LEAST_PROBABILITY)).astype(np.float32)
