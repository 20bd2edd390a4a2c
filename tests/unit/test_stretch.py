"""The notation of a stretch: what it means, and that nothing is guessed."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from omnihuman.errors import InputError
from omnihuman.stretch import Stretch, StretchError
from omnihuman.types import build_request


@pytest.mark.parametrize(
    ("text", "start_s", "end_s"),
    [
        ("2.5:10", 2.5, 10),
        (" 3:4 ", 3, 4),
        ("12:", 12, math.inf),
        (":30", 0, 30),
        ("0:05:1:20", 5, 80),
        (":1:30", 0, 90),
        ("1:30:", 90, math.inf),
        ("1:30", 1, 30),
        ("75:00:76:10.5", 4500, 4570.5),
    ],
)
def test_what_is_meant(text, start_s, end_s):
    assert Stretch.parse(text) == Stretch(start_s, end_s)


@pytest.mark.parametrize(
    "text", ["", ":", "::", "5", "5:3", "2:2", "-1:4", "a:b", "nan:3", "1e3:", "1:75:2:00", "1 :2"]
)
def test_what_is_none(text):
    with pytest.raises(StretchError):
        Stretch.parse(text)


@pytest.mark.parametrize("text", ["0:05:30", "1:05:30"])
def test_what_could_be_two_things_is_refused(text):
    with pytest.raises(StretchError, match="two ways"):
        Stretch.parse(text)


@given(st.text(alphabet="0123456789:. -e", max_size=12))
def test_any_text_is_a_stretch_or_an_error(text):
    try:
        found = Stretch.parse(text)
    except StretchError:
        return
    assert 0 <= found.start_s < found.end_s


def test_a_bad_one_is_told_with_the_notation():
    with pytest.raises(InputError, match="--trim: '7' is no stretch of time. Write START:END in seconds or m:ss"):
        build_request({"image": "a.png", "audio": "a.wav", "trim": "7"}, lambda name: f"--{name}")
