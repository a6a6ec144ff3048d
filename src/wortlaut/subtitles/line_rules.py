"""The line rules of openai/whisper's and whisperX's subtitle writers: --max_line_width and --max_line_count.

A word goes into the present line while it fits, else into the next line, else into the next cue. Nothing is
balanced and no phrase is kept together; `wortlaut.subtitles.engine` does that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from wortlaut.subtitles.cue import Cue, Row, cue_of, row_text
from wortlaut.subtitles.running_text import running_words
from wortlaut.transcript import Segment, Word

LONG_PAUSE = 3.0
"""Seconds between the starts of two words after which a new cue begins, where cues may span segments."""


@dataclass(frozen=True, slots=True)
class LineRules:
    """At most `max_line_width` characters a line and `max_line_count` lines a cue; None: no limit.

    Only with both limits may a cue span two segments. Unlike in whisperX, which does not count the spaces,
    the width is that of the line as it stands; and as a cue has one speaker, a new speaker starts a new cue.
    """

    max_line_width: int | None = None
    max_line_count: int | None = None

    @property
    def keeps_segments(self) -> bool:
        """Whether every segment starts a cue."""
        return self.max_line_width is None or self.max_line_count is None

    def has_room(self, row: Sequence[Word], word: Word) -> bool:
        """Whether `word` fits into the line behind `row`."""
        return self.max_line_width is None or len(row_text([*row, word])) <= self.max_line_width


@dataclass(slots=True)
class _Draft:
    """The cue that is being filled."""

    rows: list[list[Word]] = field(default_factory=list)

    def add(self, word: Word, rules: LineRules) -> bool:
        """Put the word where there is room; False if the cue is full."""
        if self.rows and rules.has_room(self.rows[-1], word):
            self.rows[-1].append(word)
        elif rules.max_line_count is None or len(self.rows) < max(rules.max_line_count, 1):
            self.rows.append([word])
        else:
            return False
        return True

    def breaks_before(self, word: Word, rules: LineRules) -> bool:
        last = self.rows[-1][-1]
        pauses = not rules.keeps_segments and word.start - last.start > LONG_PAUSE
        return pauses or word.speaker != last.speaker

    def finished(self) -> tuple[Row, ...]:
        return tuple(tuple(row) for row in self.rows)


def cues_by_lines(segments: Iterable[Segment], rules: LineRules) -> list[Cue]:
    """Fill cues line by line."""
    if rules.keeps_segments:
        return [cue for segment in segments for cue in _fill(segment.words, rules)]
    return list(_fill(running_words(segments), rules))


def _fill(words: Iterable[Word], rules: LineRules) -> Iterator[Cue]:
    draft = _Draft()
    for word in words:
        if draft.rows and (draft.breaks_before(word, rules) or not draft.add(word, rules)):
            yield cue_of(draft.finished())
            draft = _Draft()
        if not draft.rows:
            draft.add(word, rules)
    if draft.rows:
        yield cue_of(draft.finished())
