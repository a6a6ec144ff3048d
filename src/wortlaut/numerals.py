"""Spoken numbers as digits: "twenty three" becomes "23" and keeps the time of both words.

The other direction needs no text work: a recognizer that may not write digits writes words, and each of them is
aligned like any other (`Decoding.suppress_numerals`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from itertools import pairwise

from wortlaut.errors import ExtraMissing
from wortlaut.notice import Notice
from wortlaut.number_words import Number, Token, find
from wortlaut.options import Numerals
from wortlaut.transcript import Segment, Word

LANGUAGES = frozenset({"da", "de", "en", "es", "fr", "it", "nl", "pt"})
"""Languages whose numbers text2num reads."""

PAUSE = 0.7
"""Seconds of silence after which a number does not go on."""

_CORE = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)
_DIGIT = re.compile(r"\d")


def check_digits() -> None:
    """Raise `ExtraMissing` if numbers cannot be written in digits here."""
    if find_spec("text_to_num") is None:
        raise ExtraMissing(
            "Writing numbers in digits needs text2num.", hint="Install it with `pip install 'wortlaut[numerals]'`."
        )


def in_digits(segments: Iterable[Segment]) -> Iterator[Segment]:
    """Write the numbers of each segment in digits where its language is one of `LANGUAGES`.

    A number is one word from then on: it spans the words it was said in, is as sure as the least sure of them,
    and keeps the space before and the signs around. What is a number, `number_words` says.
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


def _numbers(words: Sequence[Word], language: str) -> list[Number]:
    tokens = [Token(_parts(word)[1]) for word in words[:1]]
    tokens += [Token(_parts(after)[1], _is_separate(before, after)) for before, after in pairwise(words)]
    return find(tokens, language)


def _is_separate(before: Word, after: Word) -> bool:
    return bool(_parts(before)[2] or _parts(after)[0].strip()) or after.start - before.end > PAUSE


def _parts(word: Word) -> tuple[str, str, str]:
    """Return what stands before the first letter or digit, the word itself, and what stands behind."""
    match = _CORE.match(word.text)
    return (match[1], match[2], match[3]) if match else ("", word.text, "")


def _joined(words: Sequence[Word], text: str) -> Word:
    first, last = words[0], words[-1]
    behind = _parts(last)[2]
    behind = behind[1:] if text.endswith(".") and behind.startswith(".") else behind  # German ordinals end a sentence
    known = [word.confidence for word in words if word.confidence is not None]
    return replace(
        first,
        text=f"{_parts(first)[0]}{text}{behind}",
        end=last.end,
        confidence=min(known) if len(known) == len(words) else None,
        source="aligned" if all(word.source == "aligned" for word in words) else "interpolated",
    )
