import json

import pytest

from omnihuman.errors import InputError
from omnihuman.evaluation.phone_times import intervals_of, read_phones, silences_of, speech_of
from omnihuman.speech.inventory import BILABIALS, TimedPhone

PHONES = [
    TimedPhone("SIL", 0.0, 0.3), TimedPhone("M", 0.3, 0.4), TimedPhone("AY", 0.4, 0.6), TimedPhone("SIL", 0.6, 0.65),
    TimedPhone("B", 0.65, 0.7), TimedPhone("IY", 0.7, 0.9), TimedPhone("SIL", 0.9, 1.5),
]  # fmt: skip


def test_intervals_of_one_kind():
    assert intervals_of(PHONES, BILABIALS) == [(0.3, 0.4), (0.65, 0.7)]


def test_pauses_are_silence_and_holds_of_stops_are_speech():
    assert silences_of(PHONES, 2.0) == [(0.0, 0.3), (0.9, 2.0)]
    assert speech_of(PHONES, 2.0) == [(0.3, 0.9)]


def test_a_clip_without_phones_is_silent():
    assert silences_of([], 1.0) == [(0.0, 1.0)]
    assert speech_of([], 1.0) == []


def test_a_clip_cut_within_speech_has_no_silence_at_its_end():
    assert silences_of(PHONES[1:6], 0.9) == [(0.0, 0.3)]
    assert speech_of(PHONES[1:6], 0.9) == [(0.3, 0.9)]


def test_phones_are_read_in_the_order_of_time(tmp_path):
    rows = [{"symbol": phone.symbol, "start_s": phone.start_s, "end_s": phone.end_s} for phone in PHONES]
    path = tmp_path / "phones.json"
    path.write_text(json.dumps(rows[::-1]))
    assert read_phones(path) == PHONES


@pytest.mark.parametrize(
    "rows",
    [[], {"phones": 1}, [{"symbol": "P"}], [1], [{"symbol": "XX", "start_s": 0, "end_s": 1}],
     [{"symbol": "P", "start_s": 1, "end_s": 0.5}], [{"symbol": "P", "start_s": "soon", "end_s": 1}],
     [{"symbol": "P", "start_s": 0, "end_s": float("inf")}]],
)  # fmt: skip
def test_other_files_are_refused_with_the_way_out(tmp_path, rows):
    path = tmp_path / "phones.json"
    path.write_text(json.dumps(rows))
    with pytest.raises(InputError, match="phones_unreadable"):
        read_phones(path)


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(InputError, match="phones_unreadable"):
        read_phones(tmp_path)
    with pytest.raises(InputError, match="phones_missing"):
        read_phones(tmp_path / "none.json")
    for content in ("[{", "[" * 100_000):
        (tmp_path / "broken.json").write_text(content)
        with pytest.raises(InputError, match="phones_unreadable"):
            read_phones(tmp_path / "broken.json")
