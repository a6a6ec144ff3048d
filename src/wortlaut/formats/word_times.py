"""Times for words that come without: put between their neighbours, in proportion to their characters."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from wortlaut.formats.fields import NotAField
from wortlaut.transcript import Word

SHORTEST = 0.01
"""Seconds that a word gets where its neighbours leave it no room; it then overlaps the next by as much."""


@dataclass(frozen=True, slots=True)
class Untimed:
    """A word as a file has it: either time may be missing. `has_spaces`: its text has its leading space."""

    text: str
    start: float | None = None
    end: float | None = None
    confidence: float | None = None
    speaker: str | None = None
    is_aligned: bool = True
    has_spaces: bool = True

    def with_text(self, text: str) -> Untimed:
        return replace(self, text=text, has_spaces=True)

    @property
    def is_timed(self) -> bool:
        return self.start is not None and self.end is not None


def split_words(text: str) -> list[str]:
    """Split at spaces; each word but the first keeps the space before it."""
    return re.findall(r"\s*\S+", text.strip())


def place_words(words: Sequence[Untimed], start: float | None, end: float | None) -> tuple[Word, ...]:
    """Return the words of a segment from `start` to `end` with a time each. Raises `NotAField` if nothing has one."""
    known = [time for word in words for time in (word.start, word.end) if time is not None]
    first = start if start is not None else min(known, default=None)
    last = end if end is not None else max(known, default=None)
    if first is None or last is None or last < first or first < 0:
        raise NotAField("a segment has no times, or ends before it starts")
    return tuple(_placed(words, first, last))


def _placed(words: Sequence[Untimed], first: float, last: float) -> Iterator[Word]:
    """Walk over runs of words that have times and runs that have not."""
    at, position = first, 0
    for is_timed, group in groupby(words, key=lambda word: word.is_timed):
        run = list(group)
        position += len(run)
        following = words[position].start if position < len(words) else last
        placed = list(_timed(run)) if is_timed else _spread(run, at, max(following or at, at))
        yield from placed
        at = placed[-1].end


def _timed(run: Sequence[Untimed]) -> Iterator[Word]:
    for word in run:
        assert word.start is not None
        assert word.end is not None
        yield _word(word, word.start, word.end)


def _spread(run: Sequence[Untimed], start: float, end: float) -> list[Word]:
    """Share [start, end) out by the number of characters."""
    end = max(end, start + SHORTEST * len(run))
    total = sum(_weight(word) for word in run)
    words, at = [], start
    for word in run:
        stop = at + (end - start) * _weight(word) / total
        words.append(_word(replace(word, is_aligned=False), at, stop))
        at = stop
    return words


def _weight(word: Untimed) -> int:
    return max(len(word.text.strip()), 1)


def _word(word: Untimed, start: float, end: float) -> Word:
    if start < 0 or end < start:
        raise NotAField(f"the word {word.text!r} has impossible times, {start} to {end}")
    return Word(
        text=word.text,
        start=start,
        end=end,
        confidence=word.confidence,
        speaker=word.speaker,
        source="aligned" if word.is_aligned else "interpolated",
    )
