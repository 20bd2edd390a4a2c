"""Captions: English, distinct, enough of them; their embeddings made once; scripts of windows as often as asked."""

import hashlib
from collections import Counter

import numpy as np
import pytest

from omnihuman.errors import ConfigError
from omnihuman.training.teacher.styles import load_styles
from omnihuman.training.words.phrasebook import (
    Phrasebook,
    PhrasebookSettings,
    draw_captions,
    open_phrasebook,
    phrasebook_path,
)
from omnihuman.training.words.script import ScriptSettings, ScriptWriter
from omnihuman.training.words.style_sentences import Caption, SentenceMaker, participle, third_person

TABLE = load_styles()
SMALL = PhrasebookSettings(per_style=12, pairs=30, neutral=20)


class Encoder:
    """Unit vectors by hash: the same sentence, the same row."""

    def __init__(self):
        self.calls = 0

    def __call__(self, sentences):
        self.calls += 1
        seeds = [int.from_bytes(hashlib.sha256(s.encode()).digest()[:8], "big") for s in sentences]
        rows = np.stack([np.random.default_rng(seed).standard_normal(384) for seed in seeds]).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("OMNIHUMAN_CACHE", str(tmp_path))
    return tmp_path


@pytest.fixture
def book(cache):
    return open_phrasebook(TABLE, Encoder(), "fake", SMALL)


@pytest.mark.parametrize(
    ("base", "third", "ing"),
    [
        ("nod slowly", "nods slowly", "nodding slowly"),
        ("smile", "smiles", "smiling"),
        ("be sad", "is sad", "being sad"),
        ("barely open the mouth", "barely opens the mouth", "barely opening the mouth"),
        ("carry on", "carries on", "carrying on"),
        ("stay calm", "stays calm", "staying calm"),
        ("catch the breath", "catches the breath", "catching the breath"),
        ("agree with nods", "agrees with nods", "agreeing with nods"),
        ("look up", "looks up", "looking up"),
    ],
)
def test_verbs_are_inflected(base, third, ing):
    assert third_person(base) == third and participle(base) == ing


def test_there_are_tens_of_thousands_of_sentences():
    maker, rng = SentenceMaker(TABLE), np.random.default_rng(0)
    drawn = {maker.single(name, rng).sentence for name in TABLE.styles for _ in range(500)}
    # 26 styles x 500 draws: repeats stay few, so what can come is many times more than what came.
    assert len(drawn) > 0.75 * 500 * len(TABLE.styles)


@pytest.mark.parametrize("name", TABLE.styles)
def test_a_style_has_many_own_phrases(name):
    entry = TABLE.styles[name]
    assert len({*entry.do, *entry.like, *entry.having, *entry.say}) >= 30
    maker, rng = SentenceMaker(TABLE), np.random.default_rng(1)
    captions = [maker.single(name, rng) for _ in range(60)]
    assert not any("{" in caption.sentence or "}" in caption.sentence for caption in captions)
    assert {caption.strength for caption in captions} == set(TABLE.strengths.values())


def test_captions_are_distinct_and_pairs_do_not_collide():
    captions = draw_captions(TABLE, SMALL)
    assert len({caption.sentence.lower() for caption in captions}) == len(captions)
    counts = Counter(len(caption.styles) for caption in captions)
    assert counts[0] == 20 and counts[2] == 30 and counts[1] >= 11 * len(TABLE.styles)
    for caption in captions:
        if len(caption.styles) == 2:
            one, two = (TABLE.styles[name] for name in caption.styles)
            assert not set(one.uses) & set(two.uses)
    assert draw_captions(TABLE, SMALL) == captions


def test_a_template_without_its_list_is_refused():
    broken = TABLE.model_copy(update={"neutral": ("{who} {flies}",)})
    with pytest.raises(ConfigError) as caught:
        SentenceMaker(broken)
    assert caught.value.code == "styles_broken" and "flies" in str(caught.value)


def test_embeddings_are_made_once_per_encoder_and_captions(cache):
    encoder = Encoder()
    first = open_phrasebook(TABLE, encoder, "fake", SMALL)
    again = open_phrasebook(TABLE, encoder, "fake", SMALL)
    assert encoder.calls == 1
    assert np.array_equal(first.embeddings, again.embeddings) and first.captions == again.captions
    assert first.embeddings.shape == (len(first.captions), 384) and first.embeddings.dtype == np.float32
    open_phrasebook(TABLE, encoder, "another", SMALL)
    open_phrasebook(TABLE, encoder, "fake", SMALL.model_copy(update={"seed": 12}))
    assert encoder.calls == 3 and len(list((cache / "training").glob("phrases-*.npy"))) == 3
    assert not list((cache / "training").glob("*.part"))


def test_the_key_knows_what_a_caption_means():
    plain = Caption("nods", ("nodding",), 1.0)
    assert phrasebook_path([plain], "x") != phrasebook_path([Caption("nods", ("shaking",), 1.0)], "x")


def test_embeddings_stay_near_what_they_mean(book):
    rng = np.random.default_rng(0)
    for _ in range(50):
        number = book.single(rng)
        row = book.embedding(number, 0.25, rng)
        assert np.linalg.norm(row) == pytest.approx(1.0, abs=1e-5)
        same = [book.embeddings[i] for i, c in enumerate(book.captions) if c.styles == book.captions[number].styles]
        others = [book.embeddings[i] for i, c in enumerate(book.captions) if c.styles != book.captions[number].styles]
        assert max(row @ other for other in same) > 0.6 > max(row @ other for other in others)


def writer(book, **settings):
    return ScriptWriter(TABLE, book, ScriptSettings(**settings))


def test_scripts_are_as_frequent_as_asked(book):
    scripts = [writer(book).draw(100, np.random.default_rng(i)) for i in range(2000)]
    told = [script for script in scripts if script.present.any()]
    assert len(told) / len(scripts) == pytest.approx(ScriptSettings().text_ratio, abs=0.03)
    changed = [s for s in told if len(s.directions) > 1 or not s.present.all()]
    assert len(changed) / len(told) == pytest.approx(ScriptSettings().change_share, abs=0.03)
    neutral = [s for s in told if not any(d.styles for d in s.directions)]
    assert 0.08 < len(neutral) / len(scripts) < 0.12
    assert 0.05 < np.mean([any(len(d.styles) == 2 for d in s.directions) for s in told]) < 0.2


def test_text_lies_where_the_directions_hold(book):
    every = writer(book, text_ratio=1.0, change_share=1.0, noise=0.0)
    kinds = Counter()
    for i in range(60):
        script = every.draw(100, np.random.default_rng(i))
        held = np.zeros(100)
        for direction in script.directions:
            first = 0 if direction.start_s < 0 else round(direction.start_s * 25)
            last = 100 if direction.end_s > 4.0 else round(direction.end_s * 25)
            assert last - first >= 15
            held[first:last] = 1.0
        assert np.array_equal(script.present, held)
        assert np.array_equal(np.linalg.norm(script.text, axis=1) > 0.5, held > 0)
        kinds[(len(script.directions), bool(held[0]), bool(held[-1]))] += 1
    assert set(kinds) == {(1, False, True), (2, True, True), (1, True, False)}


def test_all_captions_of_a_book_can_come():
    captions = (Caption("nods", ("nodding",), 1.0), Caption("talks", (), 1.0), Caption("both", ("a", "b"), 1.0))
    book = Phrasebook(captions, np.eye(3, dtype=np.float32))
    rng = np.random.default_rng(0)
    assert (book.single(rng), book.neutral(rng), book.pair(rng)) == (0, 1, 2)
