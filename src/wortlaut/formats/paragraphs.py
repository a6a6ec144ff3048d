"""Segments put together for reading: one speaker, one train of thought."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wortlaut.formats.clock import clock, to_ms
from wortlaut.formats.plain_text import one_line
from wortlaut.subtitles.running_text import running_words
from wortlaut.transcript import Segment, Word

LONG_PAUSE = 2.0
"""Seconds of silence after which a new paragraph starts."""

LONG_PARAGRAPH = 60.0
"""Seconds after which a new paragraph starts at the next segment."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Segments of one speaker, without a long pause between them."""

    segments: tuple[Segment, ...]

    @property
    def start(self) -> float:
        return self.segments[0].start

    @property
    def speaker(self) -> str:
        """The speaker's name on one line; empty if unknown."""
        return one_line(self.segments[0].speaker or "")

    @property
    def text(self) -> str:
        """The segments on one line."""
        return one_line("".join(word.text for word in self.words))

    @property
    def words(self) -> list[Word]:
        """The words such that, joined, they are the text."""
        return running_words(self.segments)

    @property
    def clock(self) -> str:
        """The start as people write it, `HH:MM:SS`, not rounded up."""
        whole_seconds_ms = to_ms(self.start) // 1000 * 1000
        return clock(whole_seconds_ms, decimal_marker=".", shows_zero_hours=True).partition(".")[0]

    def takes(self, segment: Segment) -> bool:
        """Whether the segment that follows belongs to this paragraph."""
        last = self.segments[-1]
        return (
            segment.speaker == last.speaker
            and segment.start - last.end < LONG_PAUSE
            and segment.start - self.start < LONG_PARAGRAPH
        )


def paragraphs_of(segments: Iterable[Segment]) -> list[Paragraph]:
    """Group segments in their order."""
    paragraphs: list[Paragraph] = []
    for segment in segments:
        if paragraphs and paragraphs[-1].takes(segment):
            paragraphs[-1] = Paragraph((*paragraphs[-1].segments, segment))
        else:
            paragraphs.append(Paragraph((segment,)))
    return paragraphs
