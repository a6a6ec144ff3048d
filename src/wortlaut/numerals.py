"""Spoken numbers as digits: "twenty three" becomes "23" and keeps the time of both words.

The other direction needs no text work: a recognizer that may not write digits writes words, and each of them is
aligned like any other (`Decoding.suppress_numerals`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from itertools import pairwise
from typing import Protocol

from wortlaut.errors import ExtraMissing
from wortlaut.notice import Notice
from wortlaut.options import Numerals
from wortlaut.transcript import Segment, Word

LANGUAGES = frozenset({"da", "de", "en", "es", "fr", "it", "nl", "pt"})
"""Languages whose numbers text2num reads."""

PAUSE = 0.7
"""Seconds of silence after which a number does not go on."""

CENTURIES, YEARS = range(17, 21), range(10, 100)
"""An English year is two numbers in a row: "nineteen ninety five". "Fifteen twenty" may be a time."""

SCALES = frozenset({1e2, 1e3, 1e6, 1e9, 1e12})
"""A lone "thousands" or "Million" stays a word: "23 million", not "23 1000000"."""
SMALLEST_ORDINAL = 10.0
"""A lone "third" below this stays a word."""
OTHER_MEANINGS = {"de": frozenset({"acht"}), "fr": frozenset({"neuf"}), "it": frozenset({"sei"})}
"""Numbers that, alone, are as often another word: attention, new, you are."""

_CORE = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
_DIGIT = re.compile(r"\d")


class _Number(Protocol):
    """What text2num finds: words [start, end) are the number `text`."""

    start: int
    end: int
    text: str
    value: float
    is_ordinal: bool


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class _Token:
    """A word as text2num wants it: without the signs around it."""

    core: str
    is_separate: bool

    def text(self) -> str:
        return self.core

    def text_lowercase(self) -> str:
        return self.core.lower()

    def nt_separated(self, previous: _Token) -> bool:  # noqa: ARG002 the signature is text2num's
        return self.is_separate

    def not_a_number_part(self) -> bool:
        return bool(_DIGIT.search(self.core))


def check_digits() -> None:
    """Raise `ExtraMissing` if numbers cannot be written in digits here."""
    if find_spec("text_to_num") is None:
        raise ExtraMissing(
            "Writing numbers in digits needs text2num.", hint="Install it with `pip install 'wortlaut[numerals]'`."
        )


def in_digits(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Write the numbers of each segment in digits where its language is one of `LANGUAGES`.

    A number is one word from then on: it spans the words it was said in, is as sure as the least sure of them,
    and keeps the space before and the signs around. A lone "one" or "two" stays a word, as in "no one".
    """
    for segment in segments:
        known = segment.language in LANGUAGES
        yield replace(segment, words=_converted(segment.words, segment.language)) if known else segment


def numeral_notices(segments: Sequence[Segment], wanted: Numerals) -> Iterator[Notice]:
    """Say where numbers are not written as they were asked for."""
    left = [word for segment in segments for word in segment.words if _DIGIT.search(word.text)]
    if wanted == "words" and left:
        yield Notice("numerals-left", f"Words that still have digits: {len(left)}.", left[0].start, left[-1].end)
    foreign = sorted({segment.language for segment in segments} - LANGUAGES)
    if wanted == "digits" and foreign:
        message = f"Numbers were left as they were recognized in: {', '.join(foreign)}."
        yield Notice("numerals-unsupported", message)


def _converted(words: Sequence[Word], language: str) -> tuple[Word, ...]:
    converted: list[Word] = []
    position = 0
    for number in _numbers(words, language):
        converted += words[position : number.start]
        converted.append(_joined(words[number.start : number.end], number.text))
        position = number.end
    return (*converted, *words[position:])


def _numbers(words: Sequence[Word], language: str) -> list[_Found]:
    from text_to_num import find_numbers  # noqa: PLC0415 an extra

    tokens = [_Token(_parts(word)[1], is_separate=False) for word in words[:1]]
    tokens += [_Token(_parts(after)[1], _is_separate(before, after)) for before, after in pairwise(words)]
    numbers: Sequence[_Number] = find_numbers(tokens, language)
    found: list[_Found] = []
    values: list[float] = []
    for number in numbers:
        if number.end - number.start == 1 and _is_a_word(number, tokens[number.start].core.lower(), language):
            continue
        follows = found and found[-1].end == number.start and not tokens[number.start].is_separate
        if language == "en" and follows and not number.is_ordinal and _is_year(values[-1], number.value):
            found[-1] = _Found(found[-1].start, number.end, found[-1].text + number.text)
        else:
            found.append(_Found(number.start, number.end, number.text))
        values.append(-1.0 if number.is_ordinal else number.value)
    return found


def _is_a_word(number: _Number, spoken: str, language: str) -> bool:
    """Whether a number of one word is rather to be read as a word."""
    if number.is_ordinal:
        return number.value < SMALLEST_ORDINAL or number.text.endswith("s")
    return number.value in SCALES or spoken in OTHER_MEANINGS.get(language, frozenset())


def _is_year(century: float, year: float) -> bool:
    return century in CENTURIES and year in YEARS


def _is_separate(before: Word, after: Word) -> bool:
    return bool(_parts(before)[2] or _parts(after)[0].strip()) or after.start - before.end > PAUSE


def _parts(word: Word) -> tuple[str, str, str]:
    """Return what stands before the first letter or digit, the word itself, and what stands behind."""
    match = _CORE.match(word.text)
    return (match[1], match[2], match[3]) if match else ("", word.text, "")


def _joined(words: Sequence[Word], text: str) -> Word:
    first, last = words[0], words[-1]
    known = [word.confidence for word in words if word.confidence is not None]
    return replace(
        first,
        text=f"{_parts(first)[0]}{text}{_parts(last)[2]}",
        end=last.end,
        confidence=min(known) if len(known) == len(words) else None,
        source="aligned" if all(word.source == "aligned" for word in words) else "interpolated",
    )
