"""From a transcript to cues that keep the rules."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from wortlaut.subtitles.cue import Cue
from wortlaut.subtitles.layout import Layout
from wortlaut.subtitles.rules import Rules
from wortlaut.subtitles.running_text import is_wide, running_words
from wortlaut.subtitles.timing import timed_cues
from wortlaut.transcript import Transcript, Word

LONG_PAUSE = 1.5
"""Seconds of silence over which no cue reaches."""


def build_cues(transcript: Transcript, rules: Rules) -> list[Cue]:
    """Cut the transcript into cues: no word lost, in order, disjoint in time.

    The rules about lines and the longest duration are always kept, but for a single word that breaks them by
    itself. Those about reading speed, the shortest duration and gaps cannot be kept where people speak too fast;
    `check` says where. Speakers never share a cue. Text from right to left stays in its logical order.
    """
    words = [
        piece for word in running_words(transcript.segments) if word.text.strip() for piece in _pieces(word, rules)
    ]
    blocks = list(_blocks(words))
    followings = [block[0].start for block in blocks[1:]] + [math.inf]
    rows = [
        cue_rows
        for block, following in zip(blocks, followings, strict=False)
        for cue_rows in Layout(block, rules, transcript.language).cues(following)
    ]
    return timed_cues(rows, rules)


def _pieces(word: Word, rules: Rules) -> Iterator[Word]:
    """Split a word that is longer than a line at its wide characters, which need no spaces between them."""
    if rules.width(word.text) <= rules.line_width or not any(is_wide(character) for character in word.text):
        yield word
        return
    seconds = (word.end - word.start) / len(word.text)
    for is_splittable, group in itertools.groupby(enumerate(word.text), key=lambda each: is_wide(each[1])):
        run = list(group)
        for part in [[each] for each in run] if is_splittable else [run]:
            start = word.start + part[0][0] * seconds
            end = word.start + (part[-1][0] + 1) * seconds
            text = "".join(character for _, character in part)
            yield replace(word, text=text, start=start, end=end, source="interpolated")


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
