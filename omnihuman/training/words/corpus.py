"""Sentences for the training voice: a small grammar of our own, and word lists for phonetic coverage. No sound here.

The grammar lies in `configs/training/corpus.yaml`. Words for the lists come from the dictionary of the built-in voice
and are used only while speech is made; none is stored.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from omnihuman.config import configs_dir, read_yaml
from omnihuman.errors import ConfigError

_SLOT = re.compile(r"\{(\w+)\}")
_SOUNDS = {
    "p": re.compile("p(?!h)"),
    "b": re.compile("b"),
    "m": re.compile("m"),
    "f": re.compile("f|ph"),
    "v": re.compile("v"),
    "w": re.compile("w|qu"),
    "th": re.compile("th"),
}
"""Letters that stand for the sounds whose mouth shapes matter most."""
_CANDIDATES = 3
_LIST_SHARE = 0.15
_DEEPEST = 8

Grammar = Mapping[str, Sequence[str]]


def load_grammar(path: Path | None = None) -> Grammar:
    """Reads and checks a grammar.

    Args:
        path: Another file than the shipped one.

    Raises:
        ConfigError: `grammar_broken`: no list `sentence`, or a slot without a list.
    """
    path = path or configs_dir() / "training" / "corpus.yaml"
    grammar = {name: [str(line) for line in lines] for name, lines in read_yaml(path).items()}
    slots = {slot.lower() for lines in grammar.values() for line in lines for slot in _SLOT.findall(line)}
    missing = sorted(slots - grammar.keys()) + ([] if "sentence" in grammar else ["sentence"])
    if missing:
        raise ConfigError("grammar_broken", f"{path.name} has no list '{missing[0]}'", "Add it, or mend the slot.")
    return grammar


def expand(grammar: Grammar, name: str, rng: np.random.Generator, depth: int = 0) -> str:
    """One random line of a list with its slots filled; `{Name}` starts with a capital."""
    if depth > _DEEPEST:
        raise ConfigError("grammar_broken", f"the list '{name}' contains itself", "Remove the loop.")
    lines = grammar[name]
    line = lines[int(rng.integers(len(lines)))]

    def fill(match: re.Match[str]) -> str:
        slot = match.group(1)
        text = expand(grammar, slot.lower(), rng, depth + 1)
        return text[:1].upper() + text[1:] if slot[0].isupper() else text

    return _SLOT.sub(fill, line)


def dictionary_words(path: Path) -> list[str]:
    """Plain words of the voice's dictionary (gzipped JSON, word -> spelling), 3 to 12 letters, sorted."""
    entries = json.loads(gzip.decompress(path.read_bytes()))
    return sorted(word for word in entries if re.fullmatch("[a-z]{3,12}", word))


def word_list(words: Sequence[str], rng: np.random.Generator) -> str:
    """A few unrelated words spoken in a row."""
    count = int(rng.integers(3, 7))
    chosen = [words[int(i)] for i in rng.integers(len(words), size=count)]
    return f"{', '.join(chosen[:-1])} and {chosen[-1]}.".capitalize()


def sound_counts(sentence: str) -> dict[str, int]:
    """How often the letters of each watched sound occur."""
    lower = sentence.lower()
    return {name: len(pattern.findall(lower)) for name, pattern in _SOUNDS.items()}


def sentences(grammar: Grammar, words: Sequence[str], seed: int) -> Iterator[str]:
    """Endless distinct sentences, balanced over the watched sounds.

    Of three candidates the one is taken that adds most to the sounds that came least so far.

    Args:
        grammar: See `load_grammar`.
        words: For the word lists; empty = none.
        seed: The same seed gives the same sentences.

    Yields:
        Sentences with their punctuation.
    """
    rng = np.random.default_rng(seed)
    seen: set[str] = set()
    totals = dict.fromkeys(_SOUNDS, 1.0)
    while True:
        best, best_gain = "", -1.0
        for _ in range(_CANDIDATES):
            from_list = words and rng.random() < _LIST_SHARE
            candidate = word_list(words, rng) if from_list else expand(grammar, "sentence", rng)
            gain = sum(count / totals[name] for name, count in sound_counts(candidate).items()) / len(candidate)
            if candidate not in seen and gain > best_gain:
                best, best_gain = candidate, gain
        if best:
            seen.add(best)
            for name, count in sound_counts(best).items():
                totals[name] += count
            yield best
