"""A cue: what stands on the screen from one moment to another."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wortlaut.transcript import Segment, Word

Row = tuple[Word, ...]
"""The words of one line on the screen."""


@dataclass(frozen=True, slots=True)
class Cue:
    """Rows of words that are shown together.

    `start` and `end` need not be those of the words: a cue may stay on the screen after its last word.
    """

    start: float
    end: float
    rows: tuple[Row, ...]

    @property
    def words(self) -> tuple[Word, ...]:
        """All words, row after row."""
        return tuple(word for row in self.rows for word in row)

    @property
    def lines(self) -> tuple[str, ...]:
        """The text of each row."""
        return tuple(row_text(row) for row in self.rows)

    @property
    def text(self) -> str:
        """The lines as they stand on the screen."""
        return "\n".join(self.lines)

    @property
    def speaker(self) -> str | None:
        """The speaker of the first word: cues are split where the speaker changes."""
        return next((word.speaker for word in self.words), None)


def row_text(row: Iterable[Word]) -> str:
    """Join words to a line, without the space before the first."""
    return "".join(word.text for word in row).strip()


def cue_of(rows: tuple[Row, ...]) -> Cue:
    """Make a cue that is shown exactly as long as its words sound."""
    return Cue(rows[0][0].start, rows[-1][-1].end, rows)


def cues_of_segments(segments: Iterable[Segment]) -> list[Cue]:
    """Make one cue of one line a segment."""
    return [cue_of((segment.words,)) for segment in segments]
