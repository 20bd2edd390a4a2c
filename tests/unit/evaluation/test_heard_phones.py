"""What the product hears becomes phones about their peaks, in order and without overlap."""

import numpy as np

from omnihuman.evaluation.heard_phones import LABEL, heard_phones
from omnihuman.speech.inventory import PHONES
from omnihuman.speech.phones import POSTERIOR_WIDTH

BLANK = len(PHONES)


def posteriors(*named, rows=100):
    table = np.full((rows, POSTERIOR_WIDTH), -9.0, np.float32)
    table[:, BLANK] = -0.5
    for row, symbol in named:
        table[row, PHONES.index(symbol)] = 0.0
    return table


def test_each_peak_is_one_phone_at_its_time():
    phones = [p for p in heard_phones(posteriors((20, "M"), (21, "M"), (26, "AA"), (60, "P"))) if p.symbol != "SIL"]
    assert [p.symbol for p in phones] == ["M", "AA", "P"]
    assert phones[0].start_s < 0.42 < phones[0].end_s <= phones[1].start_s < 0.52 < phones[1].end_s
    assert phones[2].start_s < 1.2 < phones[2].end_s and phones[2].end_s - phones[2].start_s <= 0.11


def test_pauses_lie_between_and_nothing_heard_is_nothing():
    phones = heard_phones(posteriors((20, "M"), (60, "P")))
    assert [p.symbol for p in phones] == ["SIL", "M", "SIL", "P"]
    assert all(a.end_s == b.start_s for a, b in zip(phones, phones[1:], strict=False))
    assert heard_phones(posteriors()) == []
    assert "self" in LABEL
