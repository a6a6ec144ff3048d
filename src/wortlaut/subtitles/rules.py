"""The rules of those who show subtitles, as numbers."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from wortlaut.errors import InvalidOption
from wortlaut.subtitles.running_text import is_wide


@dataclass(frozen=True, slots=True)
class Rules:
    """What a cue may be. Durations and gaps are seconds; None: no limit.

    The limits with `wide` in their names hold for characters that are twice as wide and say about a syllable or
    more each: Chinese, Japanese and Korean. In mixed text every character takes its share of the line and of the
    reading time.
    """

    max_line_chars: int
    max_lines: int
    max_chars_per_second: float | None  # spaces count, line breaks do not
    min_duration: float
    max_duration: float
    min_gap: float  # between the end of a cue and the start of the next
    chain_gap: float  # shorter gaps flicker: they are closed down to min_gap
    max_hold: float  # how long a cue may stay after its last word so that it can be read
    max_lead: float  # how long before its first word a cue may come so that it can be read
    max_lag: float = 10.0  # how long after its first word a cue may come, where people speak too fast to be read
    max_wide_line_chars: int = 16
    max_wide_chars_per_second: float | None = 9.0

    def __post_init__(self) -> None:
        if min(self.max_line_chars, self.max_wide_line_chars, self.max_lines) < 1:
            raise InvalidOption("A cue has at least one line of at least one character.")
        if not 0 < self.min_duration <= self.max_duration:
            raise InvalidOption("min_duration is above 0 and at most max_duration.")
        if min(self.min_gap, self.chain_gap, self.max_hold, self.max_lead, self.max_lag) < 0:
            raise InvalidOption("Gaps, max_hold, max_lead and max_lag are not negative.")
        rates = (self.max_chars_per_second, self.max_wide_chars_per_second)
        if any(rate is not None and rate <= 0 for rate in rates):
            raise InvalidOption("A limit of characters per second is above 0.")

    @property
    def line_width(self) -> int:
        """The width of a full line, in the unit of `width`."""
        return self.max_line_chars * self.max_wide_line_chars

    def width(self, text: str) -> int:
        """Return how much of `line_width` the text takes; marks that combine with others take nothing.

        The unit is chosen such that a full line of either kind of characters is a whole number.
        """
        narrow, wide = count_characters(text)
        return narrow * self.max_wide_line_chars + wide * self.max_line_chars

    def reading_time(self, text: str) -> float:
        """Return the seconds that the text has to be on the screen at least."""
        narrow, wide = count_characters(text)
        narrow_time = narrow / self.max_chars_per_second if self.max_chars_per_second else 0.0
        return narrow_time + (wide / self.max_wide_chars_per_second if self.max_wide_chars_per_second else 0.0)


def count_characters(text: str) -> tuple[int, int]:
    """Return how many characters are narrow and how many are wide; combining and invisible ones are neither."""
    if text.isascii():
        return len(text), 0
    visible = [each for each in text if unicodedata.category(each) not in ("Mn", "Me", "Cf")]
    wide = sum(is_wide(each) for each in visible)
    return len(visible) - wide, wide
