"""Prompts hold from moment to moment; schedules are read or refused with the way out."""

import json
import math
from contextlib import nullcontext

import numpy as np
import pytest

from omnihuman.conditions.bundle import Tracks, window_batch
from omnihuman.conditions.prompts import length_s, read_prompts, too_late
from omnihuman.conditions.text import Prompt, TextConditioner, text_rows
from omnihuman.errors import InputError
from omnihuman.types import LatentSpec
from tests.tiny import TinySentences

SPEC = LatentSpec("motion", 5, 25.0)
SHOTS = {"shots": [{"start_s": 2, "prompt": "nods"}, {"start_s": 0.5, "end_s": 1, "prompt": "smiles"}]}


def track(*prompts):
    return TextConditioner(lambda: nullcontext(TinySentences())).encode(prompts)


def embedding(text):
    return TinySentences().embed([text])[0]


def test_a_sentence_holds_throughout():
    values, present = text_rows(track(Prompt("smiles")), np.array([0.0, 3.0, 500.0]))
    assert present.tolist() == [1, 1, 1]
    np.testing.assert_array_equal(values, np.repeat(embedding("smiles")[None], 3, 0))


def test_shots_begin_and_end_at_their_moments_and_the_later_one_wins():
    given = track(Prompt("smiles", 0.5, 1.0), Prompt("nods", 2.0, 3.0), Prompt("waves", 3.0, 4.0))
    values, present = text_rows(given, np.array([0.4, 0.6, 1.2, 2.5, 3.5, 4.5]))
    assert present.tolist() == [0, 1, 0, 1, 1, 0]
    wanted = [None, "smiles", None, "nods", "waves", None]
    for row, text in zip(values, wanted, strict=True):
        np.testing.assert_array_equal(row, 0 if text is None else embedding(text))


def test_of_two_that_overlap_the_later_one_holds_and_the_earlier_one_goes_on():
    given = track(Prompt("smiles", 0.0, 10.0), Prompt("nods", 0.2, 0.4), Prompt("waves", 9.0, 12.0))
    values, present = text_rows(given, np.array([0.1, 0.3, 0.5, 9.5, 11.0, 12.5]))
    assert present.tolist() == [1, 1, 1, 1, 1, 0]
    for row, text in zip(values, ["smiles", "nods", "smiles", "waves", "waves"], strict=False):
        np.testing.assert_array_equal(row, embedding(text))


def test_a_window_sees_the_prompts_of_its_own_time():
    given = Tracks(None, None, text=track(Prompt("smiles", 0.4, 0.8)))
    batch = window_batch(given, SPEC, 5, 20, None)
    assert batch.text_present[0].tolist() == [0.0] * 5 + [1.0] * 10 + [0.0] * 5
    assert batch.text[0, 5].tolist() == pytest.approx(embedding("smiles").tolist())
    assert not window_batch(Tracks(None, None), SPEC, 5, 20, None).text_present.any()


def test_a_sentence_is_a_sentence():
    assert read_prompts("  smiles \n") == [Prompt("smiles")]


def test_prompts_fill_a_time_and_what_comes_too_late_is_told():
    assert length_s([Prompt("a", 0, 2), Prompt("b", 3, 5.5)], 5.0) == 5.5
    assert length_s([Prompt("a", 0, 9), Prompt("b", 3)], 5.0) == 9.0
    assert length_s([Prompt("a")], 5.0) == 5.0
    (warning,) = too_late([Prompt("a", 0.9), Prompt("b", 1.0, 2.0)], 1.0)
    assert "1 s begins after the end" in warning


def test_a_shot_without_an_end_holds_until_the_next_begins():
    content = {"shots": [{"start_s": 0, "prompt": "a"}, {"start_s": 2, "end_s": 4, "prompt": "b"}]}
    prompts = read_prompts(json.dumps(content))
    assert prompts == [Prompt("a", 0.0, 2.0), Prompt("b", 2.0, 4.0)] and length_s(prompts, 5.0) == 4.0


def test_a_schedule_is_sorted_from_a_file_or_inline(tmp_path):
    path = tmp_path / "shots.json"
    path.write_text(json.dumps(SHOTS), encoding="utf-8-sig")
    for given in (str(path), json.dumps(SHOTS)):
        assert read_prompts(given) == [Prompt("smiles", 0.5, 1.0), Prompt("nods", 2.0, math.inf)]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("{not json", "text_unreadable"),
        ("[" * 100_000, "text_unreadable"),
        ("[]", "text_invalid"),
        ('{"shots": [{"start_s": %s, "prompt": "a"}]}' % ("9" * 5000), "text_unreadable"),
        ("{}", "text_invalid"),
        ('{"shots": []}', "text_invalid"),
        ('{"version": 2, "shots": [{"start_s": 0, "prompt": "a"}]}', "text_invalid"),
        ('{"shots": [{"start_s": 0, "prompt": " "}]}', "text_invalid"),
        ('{"shots": [{"start_s": 2, "end_s": 1, "prompt": "a"}]}', "text_invalid"),
        ('{"shots": [{"start_s": NaN, "prompt": "a"}]}', "text_invalid"),
        ('{"shots": [{"start_s": -1, "prompt": "a"}]}', "text_invalid"),
        ('{"shots": [{"start_s": 0, "promt": "a"}]}', "text_invalid"),
    ],
)
def test_a_bad_schedule_is_a_coded_error(content, code, tmp_path):
    path = tmp_path / "shots.json"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        read_prompts(str(path))
    assert caught.value.code == code and "docs/text.md" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "text_empty"),
        (" \n", "text_empty"),
        ("no.json", "text_unreadable"),
        ("shots.yaml", "text_unreadable"),
        ('[{"start_s": 0, "prompt": "a"}]', "text_invalid"),
    ],
)
def test_nothing_or_no_file_is_a_coded_error(text, code):
    with pytest.raises(InputError) as caught:
        read_prompts(text)
    assert caught.value.code == code


def test_a_file_of_bytes_is_a_coded_error(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xff\xfe\x00{")
    with pytest.raises(InputError, match="UTF-8"):
        read_prompts(str(tmp_path / "a.json"))
