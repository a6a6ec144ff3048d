"""What subtitlers leave out where people speak faster than anybody reads: hesitations, and words said twice by mistake.

Words that say something are never left out, whatever the speed. The lists hold what is safe in each language; in a
language without a list nothing is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from types import MappingProxyType

from wortlaut.subtitles.breaks import ends_sentence
from wortlaut.transcript import Word

_HESITATIONS = {
    "en": "uh uhh um umm uhm er err erm hm hmm",
    "de": "äh ähm öh öhm ehm hm hmm",
    "fr": "euh heu hum hmm",
    "es": "eh ehm em mmm",
    "it": "ehm uhm mmm",
    "nl": "eh ehm uh uhm hm",
    "pt": "hum hã ehm",
    "sv": "öh öhm eh ehm hm",
}

_STUTTERED = {
    "en": "i a an the to of in on at and but or we he they my your",
    "de": "ich und aber oder wir ein eine einen in im zu mit von",
    "fr": "je le la un une et de mais il dans",
    "es": "yo el la un una y de pero en con",
    "it": "io il la un una e di ma in con",
    "nl": "ik de het een en maar of we in op met van",
    "pt": "eu o a um uma e de mas em com",
}

HESITATIONS: Mapping[str, frozenset[str]] = MappingProxyType(
    {language: frozenset(words.split()) for language, words in _HESITATIONS.items()}
)
"""Sounds between words. What may be an answer or a word (`mhm`, French `ben`, Portuguese `é`) is not among them."""

STUTTERED: Mapping[str, frozenset[str]] = MappingProxyType(
    {language: frozenset(words.split()) for language, words in _STUTTERED.items()}
)
"""Words that nobody says twice on purpose: `that that`, `very very`, German `die die`, French `nous nous` are right."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Where people speak too fast, [start, end] in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Condensed:
    """What is left, and what was left out."""

    words: tuple[Word, ...]
    omitted: tuple[Word, ...]


def condense(words: Sequence[Word], stretches: Sequence[Stretch], language: str) -> Condensed:
    """Leave out hesitations and stuttered words within the stretches.

    A word that ends a sentence stays, because its full stop does. Who takes over its capital letter is the next
    word.
    """
    kept: list[Word] = []
    omitted: list[Word] = []
    before: Word | None = None  # the first of those left out just now
    for word, following in zip_longest(words, words[1:]):
        if following and _is_within(word, stretches) and _is_dispensable(word, following, language):
            omitted.append(word)
            before = before or word
        else:
            kept.append(_capitalized_like(before, word) if before else word)
            before = None
    return Condensed(tuple(kept), tuple(omitted))


def _is_within(word: Word, stretches: Sequence[Stretch]) -> bool:
    return any(stretch.start <= word.start and word.end <= stretch.end for stretch in stretches)


def _is_dispensable(word: Word, following: Word, language: str) -> bool:
    if ends_sentence(word) or following.speaker != word.speaker:
        return False
    bare = _bare(word)
    is_stuttered = bare == _bare(following) and bare in STUTTERED.get(language, frozenset())
    return is_stuttered or bare in HESITATIONS.get(language, frozenset())


def _bare(word: Word) -> str:
    return word.text.strip().strip(",.…-–—").casefold()


def _capitalized_like(omitted: Word, word: Word) -> Word:
    body = word.text.lstrip()
    if not omitted.text.strip()[0].isupper() or not body[:1].islower():
        return word
    return replace(word, text=word.text[: len(word.text) - len(body)] + body[0].upper() + body[1:])
