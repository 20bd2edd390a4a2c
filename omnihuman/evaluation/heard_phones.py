"""Phone times from the product's own phonetic network: what a score made with them shows is self-consistency.

Lips that follow a mishearing score well against the same mishearing. Such a score counts for no bar.
"""

from __future__ import annotations

import numpy as np

from omnihuman.speech.clock import row_times_s
from omnihuman.speech.inventory import PHONES, SILENCE, VOWELS, TimedPhone
from omnihuman.types import Float

LABEL = "self-consistency"
_REACH_S = {True: 0.09, False: 0.05}
"""How far a vowel, or another phone, reaches at most from the row that names it."""


def heard_phones(log_posteriors: Float) -> list[TimedPhone]:
    """The phones that the network names, each about its peak, without overlap; silence between them.

    Args:
        log_posteriors: `N 42` of `PhoneRecognizer.log_posteriors`.
    """
    times_s = row_times_s(len(log_posteriors))
    winners = np.argmax(log_posteriors, axis=1)
    peaks: list[tuple[str, float]] = []
    before = -1
    for row, winner in enumerate(winners.tolist()):
        if winner != before and 0 < winner < len(PHONES):
            stop = next((k for k in range(row, len(winners)) if winners[k] != winner), len(winners))
            top = row + int(np.argmax(log_posteriors[row:stop, winner]))
            peaks.append((PHONES[winner], float(times_s[top])))
        before = winner
    return _spread(peaks)


def _spread(peaks: list[tuple[str, float]]) -> list[TimedPhone]:
    """Phones as long as their neighbours and their kind allow."""
    phones: list[TimedPhone] = []
    end_s = 0.0
    for index, (symbol, middle_s) in enumerate(peaks):
        reach_s = _REACH_S[symbol in VOWELS]
        later_s = peaks[index + 1][1] if index + 1 < len(peaks) else np.inf
        start_s = max(end_s, middle_s - reach_s)
        if start_s > end_s:
            phones.append(TimedPhone(SILENCE, end_s, start_s))
        end_s = max(start_s, min(middle_s + reach_s, (middle_s + later_s) / 2))
        phones.append(TimedPhone(symbol, start_s, end_s))
    return phones
