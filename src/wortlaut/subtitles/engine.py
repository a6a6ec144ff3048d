"""From a transcript to cues that keep the rules."""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from wortlaut.notice import Notice
from wortlaut.subtitles.condensing import condense
from wortlaut.subtitles.cue import Cue
from wortlaut.subtitles.lateness import late_runs, notices_of
from wortlaut.subtitles.layout import Layout
from wortlaut.subtitles.rules import Rules
from wortlaut.subtitles.running_text import is_wide, running_words
from wortlaut.subtitles.timing import timed_cues
from wortlaut.transcript import Transcript, Word

LONG_PAUSE = 1.5
"""Seconds of silence over which no cue reaches."""


@dataclass(frozen=True, slots=True)
class Subtitles:
    """Cues, and what a reader should know about them: where they come late, what was left out."""

    cues: tuple[Cue, ...]
    notices: tuple[Notice, ...] = ()


def build_cues(transcript: Transcript, rules: Rules) -> list[Cue]:
    """Return the cues with every word: what nobody is told of is not left out."""
    return list(build_subtitles(transcript, rules, condenses=False).cues)


def build_subtitles(transcript: Transcript, rules: Rules, *, condenses: bool = True) -> Subtitles:
    """Cut the transcript into cues that keep the rules: in order, disjoint in time, one speaker each.

    Where people speak faster than can be read, cues come late, by `max_lag` at most; where they would be late for
    everybody to see, hesitations are left out. Where even that is not enough, the reading speed is not kept. All of
    this is said in the notices. Text from right to left stays in its logical order.
    """
    words = [
        piece for word in running_words(transcript.segments) if word.text.strip() for piece in _pieces(word, rules)
    ]
    cues = _cut(words, transcript.language, rules)
    stretches = [late.stretch for late in late_runs(cues)] if condenses else []
    condensed = condense(words, stretches, transcript.language)
    if condensed.omitted:
        cues = _cut(condensed.words, transcript.language, rules)
    return Subtitles(tuple(cues), tuple(notices_of(cues, condensed.omitted, rules)))


def _cut(words: Sequence[Word], language: str, rules: Rules) -> list[Cue]:
    blocks = list(_blocks(words))
    followings = [block[0].start for block in blocks[1:]] + [math.inf]
    rows = [
        cue_rows
        for block, following in zip(blocks, followings, strict=False)
        for cue_rows in Layout(block, rules, language).cues(following)
    ]
    return timed_cues(rows, rules)


def _pieces(word: Word, rules: Rules) -> Iterator[Word]:
    """Split a word that is longer than a line: at its wide characters, which need no spaces, or with hyphens."""
    if rules.width(word.text.strip()) <= rules.line_width:
        yield word
    elif any(is_wide(character) for character in word.text):
        yield from _wide_pieces(word)
    else:
        yield from _hyphenated(word, rules.max_line_chars)


def _wide_pieces(word: Word) -> Iterator[Word]:
    for is_splittable, group in itertools.groupby(enumerate(word.text), key=lambda each: is_wide(each[1])):
        run = list(group)
        for part in [[each] for each in run] if is_splittable else [run]:
            yield _piece(word, part[0][0], part[-1][0] + 1)


def _hyphenated(word: Word, line_chars: int) -> Iterator[Word]:
    """Split into pieces of about the same length; syllables are not known here."""
    length = len(word.text)
    leading = length - len(word.text.lstrip())
    count = math.ceil((length - leading) / max(line_chars - 1, 1))
    cuts = [leading + (length - leading) * number // count for number in range(1, count)]
    cuts = [cut - 1 if unicodedata.category(word.text[cut])[0] == "M" else cut for cut in cuts]
    for start, stop in itertools.pairwise([0, *cuts, length]):
        piece = _piece(word, start, stop)
        has_mark = stop == length or not piece.text[-1].isalnum()
        yield piece if has_mark else replace(piece, text=f"{piece.text}-")


def _piece(word: Word, start: int, stop: int) -> Word:
    """Return the characters [start, stop), with their share of the time."""
    seconds = (word.end - word.start) / len(word.text)
    return replace(
        word,
        text=word.text[start:stop],
        start=word.start + start * seconds,
        end=word.start + stop * seconds,
        source="interpolated",
    )


def _blocks(words: Iterable[Word]) -> Iterator[Sequence[Word]]:
    """Yield runs of words that may share a cue: one speaker, no long pause."""
    block: list[Word] = []
    for word in words:
        if block and (word.speaker != block[-1].speaker or word.start - block[-1].end >= LONG_PAUSE):
            yield block
            block = []
        block.append(word)
    if block:
        yield block
