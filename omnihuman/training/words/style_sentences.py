"""Styles -> sentences that people could write for them: templates and words of `styles.yaml`, inflected. No motion.

Legend: a caption = a sentence, the styles that it asks for, and how strongly.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from omnihuman.errors import ConfigError
from omnihuman.training.teacher.styles import StyleEntry, StyleTable

_SLOT = re.compile(r"\{(\w+?)(2?)\}")
_DOUBLED = re.compile(r"[^aeiou]*[aeiou][bdgmnpt]")
_IRREGULAR = {"be": ("is", "being"), "have": ("has", "having"), "do": ("does", "doing"), "lie": ("lies", "lying")}
_ADVERBS = frozenset({"barely", "hardly", "never", "not", "half"})
"""They stand before the verb of a phrase."""
_PRONOUNS = {
    "she": ("she", "her", "her"),
    "he": ("he", "him", "his"),
    "they": ("this person", "this person", "their"),
}
"""As subject, as object, as owner."""
_DEEPEST = 4
_FORMS = ("do", "like", "having", "say")
_STRENGTH_SHARES = (0.16, 0.68, 0.16)
_ATTEMPTS = 40


@dataclass(frozen=True)
class Caption:
    """A sentence and what it asks for: names of styles (none = nothing changes) and one strength for all."""

    sentence: str
    styles: tuple[str, ...]
    strength: float


def third_person(phrase: str) -> str:
    """`nod slowly` -> `nods slowly`."""
    verb, *rest = phrase.split(" ")
    if verb in _ADVERBS:
        return f"{verb} {third_person(' '.join(rest))}"
    if verb in _IRREGULAR:
        verb = _IRREGULAR[verb][0]
    elif re.search("(s|x|z|ch|sh|o)$", verb):
        verb += "es"
    elif re.search("[^aeiou]y$", verb):
        verb = f"{verb[:-1]}ies"
    else:
        verb += "s"
    return " ".join([verb, *rest])


def participle(phrase: str) -> str:
    """`nod slowly` -> `nodding slowly`."""
    verb, *rest = phrase.split(" ")
    if verb in _ADVERBS:
        return f"{verb} {participle(' '.join(rest))}"
    if verb in _IRREGULAR:
        verb = _IRREGULAR[verb][1]
    elif verb.endswith("e") and not verb.endswith(("ee", "oe", "ye")):
        verb = f"{verb[:-1]}ing"
    else:
        verb += f"{verb[-1]}ing" if _DOUBLED.fullmatch(verb) else "ing"
    return " ".join([verb, *rest])


class SentenceMaker:
    """Draws captions.

    Args:
        table: See `load_styles`.

    Raises:
        ConfigError: `styles_broken`: a template asks for a list that is not there.
    """

    def __init__(self, table: StyleTable) -> None:
        self._table = table
        self._lists = {**table.words, **table.lists}
        known = {*self._lists, "who", "they", "them", "their", "does", "doing", *_FORMS}
        lines = [line for group in table.sentences.values() for line in group] + [*table.pairs, *table.neutral]
        for entry in table.styles.values():
            lines += [*entry.do, *entry.like, *entry.having, *entry.say]
        for line in lines:
            if unknown := {slot for slot, _ in _SLOT.findall(line)} - known:
                cause = f"styles.yaml has no list for '{{{min(unknown)}}}'"
                raise ConfigError("styles_broken", cause, "Add it, or mend the slot.")

    def single(self, name: str, rng: np.random.Generator) -> Caption:
        """A caption of one style, mostly at plain strength."""
        entry = self._table.styles[name]
        degree = ("weak", "plain", "strong")[int(rng.choice(3, p=_STRENGTH_SHARES))]
        sentence = self._fill(self._table.sentences[degree], (entry,), rng)  # type: ignore[index]
        return Caption(sentence, (name,), self._table.strengths[degree])  # type: ignore[index]

    def pair(self, rng: np.random.Generator) -> Caption:
        """A caption of two styles that do not get in each other's way."""
        names = list(self._table.styles)
        while True:
            first, second = (names[int(i)] for i in rng.choice(len(names), 2, replace=False))
            one, two = self._table.styles[first], self._table.styles[second]
            if not set(one.uses) & set(two.uses):
                sentence = self._fill(self._table.pairs, (one, two), rng)
                return Caption(sentence, (first, second), self._table.strengths["plain"])

    def neutral(self, rng: np.random.Generator) -> Caption:
        """A caption that asks for nothing."""
        return Caption(self._fill(self._table.neutral, (), rng), (), self._table.strengths["plain"])

    def _fill(self, templates: Sequence[str], entries: Sequence[StyleEntry], rng: np.random.Generator) -> str:
        """One template whose slots these styles can fill."""
        for _ in range(_ATTEMPTS):
            template = _one_of(templates, rng)
            if all(self._offers(slot, int(bool(second)), entries) for slot, second in _SLOT.findall(template)):
                break
        group = ("she", "he", "they")[int(rng.integers(3))]
        text = template
        for _ in range(_DEEPEST):
            text = _SLOT.sub(lambda match: self._word(match, entries, group, rng), text)
        # A third of the people write with a capital, half of those with a full stop.
        if rng.random() < 0.35:
            text = text[:1].upper() + text[1:] + ("." if rng.random() < 0.5 else "")
        return text

    def _offers(self, slot: str, second: int, entries: Sequence[StyleEntry]) -> bool:
        form = "do" if slot in ("does", "doing") else slot
        return form not in _FORMS or (second < len(entries) and bool(getattr(entries[second], form)))

    def _word(self, match: re.Match[str], entries: Sequence[StyleEntry], group: str, rng: np.random.Generator) -> str:
        slot, second = match.group(1), int(bool(match.group(2)))
        if slot == "who":
            return _one_of(self._table.people[group], rng)  # type: ignore[index]
        if slot in ("they", "them", "their"):
            return _PRONOUNS[group][("they", "them", "their").index(slot)]
        if slot in self._lists:
            return _one_of(self._lists[slot], rng)
        if slot in ("does", "doing"):
            phrase = _one_of(entries[second].do, rng)
            return third_person(phrase) if slot == "does" else participle(phrase)
        return _one_of(getattr(entries[second], slot), rng)


def _one_of(lines: Sequence[str], rng: np.random.Generator) -> str:
    return lines[int(rng.integers(len(lines)))]
