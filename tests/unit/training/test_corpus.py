"""Sentences: distinct, seeded, balanced, and complete; a broken grammar is a coded error."""

import gzip
import json
from itertools import islice

import numpy as np
import pytest

from omnihuman.errors import ConfigError
from omnihuman.training.words.corpus import dictionary_words, expand, load_grammar, sentences, sound_counts, word_list


def test_thousands_of_distinct_finished_sentences():
    texts = list(islice(sentences(load_grammar(), ["map", "vow", "thumb"], 1), 3000))
    assert len(set(texts)) == 3000
    assert not any("{" in text or "True" in text or "False" in text for text in texts)
    assert all(text.rstrip('"')[-1] in ".?!" for text in texts)
    assert 30 < np.mean([len(text) for text in texts]) < 80


def test_watched_sounds_are_balanced():
    grammar = load_grammar()
    texts = list(islice(sentences(grammar, [], 2), 1000))
    totals = np.sum([list(sound_counts(text).values()) for text in texts], axis=0)
    assert totals.min() > 0.4 * totals.max()
    plain = [expand(grammar, "sentence", np.random.default_rng(i)) for i in range(1000)]
    unbalanced = np.sum([list(sound_counts(text).values()) for text in plain], axis=0)
    assert totals.min() / totals.max() > unbalanced.min() / unbalanced.max()


def test_same_seed_same_sentences():
    def first(seed):
        return list(islice(sentences(load_grammar(), ["map"], seed), 20))

    assert first(3) == first(3) != first(4)


def test_sounds_are_counted_by_their_letters():
    counts = sound_counts("Phoebe thought of five puppies, quite well.")
    assert counts == {"p": 3, "b": 1, "m": 0, "f": 3, "v": 1, "w": 2, "th": 1}


def test_capitals_where_the_slot_has_one():
    grammar = {"sentence": ["{Thing} and {thing}."], "thing": ["a map"]}
    assert expand(grammar, "sentence", np.random.default_rng(0)) == "A map and a map."


def test_word_lists_use_the_words():
    text = word_list(["map", "vow"], np.random.default_rng(0))
    assert set(text.lower().replace(",", "").replace(".", "").split()) <= {"map", "vow", "and"}


def test_dictionary_words_are_plain(tmp_path):
    path = tmp_path / "lexicon.json.gz"
    path.write_bytes(gzip.compress(json.dumps({"zebra": "z", "Bob": "b", "it's": "i", "at": "a", "map": {}}).encode()))
    assert dictionary_words(path) == ["map", "zebra"]


@pytest.mark.parametrize("text", ["sentence: ['{thing}']", "thing: [map]"])
def test_a_missing_list_is_named(tmp_path, text):
    path = tmp_path / "grammar.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_grammar(path)
    assert caught.value.code == "grammar_broken"


def test_a_loop_is_found():
    with pytest.raises(ConfigError):
        expand({"a": ["{b}"], "b": ["{a}"]}, "a", np.random.default_rng(0))
