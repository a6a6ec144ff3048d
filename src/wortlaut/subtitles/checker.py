"""Which rules a subtitle file breaks, and where."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from wortlaut.subtitles.breaks import starts_badly
from wortlaut.subtitles.cue import Cue
from wortlaut.subtitles.rules import Rules

Rule = Literal[
    "empty", "too-many-lines", "line-too-long", "line-start", "too-short", "too-long", "too-fast", "overlap", "gap"
]

TOLERANCE = 0.0015
"""Seconds: subtitle files round both ends of a cue to milliseconds."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A broken rule. `number` counts cues from 1; `actual` and `limit` are in the rule's own unit."""

    number: int
    rule: Rule
    actual: float
    limit: float

    @property
    def message(self) -> str:
        """One line for people."""
        return f"cue {self.number}: {_MESSAGES[self.rule].format(actual=self.actual, limit=self.limit)}"


_MESSAGES: dict[Rule, str] = {
    "empty": "it has no text",
    "too-many-lines": "{actual:.0f} lines, at most {limit:.0f}",
    "line-too-long": "a line of {actual:.0f} characters, at most {limit:.0f}",
    "line-start": "line {actual:.0f} starts with punctuation that belongs to the line before",
    "too-short": "shown for {actual:.3f} s, at least {limit:.3f}",
    "too-long": "shown for {actual:.3f} s, at most {limit:.3f}",
    "too-fast": "{actual:.1f} characters a second, at most {limit:.1f}",
    "overlap": "the next cue starts {actual:.3f} s before its end",
    "gap": "{actual:.3f} s to the next cue, at least {limit:.3f}",
}


def check(cues: Sequence[Cue], rules: Rules) -> list[Violation]:
    """Return all violations, cue by cue. Cues that came from a file are checked as they stand there."""
    followings = [*(cue.start for cue in cues[1:]), math.inf]
    return [
        violation
        for number, (cue, following) in enumerate(zip(cues, followings, strict=False), 1)
        for violation in (
            *_text_violations(number, cue, rules),
            *_time_violations(number, cue, rules),
            *_gap_violations(number, cue, following, rules),
        )
    ]


def _text_violations(number: int, cue: Cue, rules: Rules) -> Iterator[Violation]:
    if not cue.text.strip():
        yield Violation(number, "empty", 0, 1)
    if len(cue.rows) > rules.max_lines:
        yield Violation(number, "too-many-lines", len(cue.rows), rules.max_lines)
    for line_number, line in enumerate(cue.lines, 1):
        if rules.width(line) > rules.line_width:
            yield Violation(number, "line-too-long", *_line_limit(line, rules))
        if line_number > 1 and starts_badly(line):
            yield Violation(number, "line-start", line_number, 0)


def _line_limit(line: str, rules: Rules) -> tuple[float, float]:
    """Return the length and the limit of a line; of wide characters if it has mainly those."""
    width = rules.width(line)
    is_mainly_wide = 2 * width >= 3 * len(line) * rules.max_wide_line_chars
    limit = rules.max_wide_line_chars if is_mainly_wide else rules.max_line_chars
    return math.ceil(width * limit / rules.line_width), limit


def _time_violations(number: int, cue: Cue, rules: Rules) -> Iterator[Violation]:
    duration = cue.end - cue.start
    if duration < rules.min_duration - TOLERANCE:
        yield Violation(number, "too-short", duration, rules.min_duration)
    if duration > rules.max_duration + TOLERANCE:
        yield Violation(number, "too-long", duration, rules.max_duration)
    needed = reading_time(cue.lines, rules)
    if needed > duration + TOLERANCE:
        characters = sum(len(line) for line in cue.lines)
        yield Violation(number, "too-fast", characters / max(duration, TOLERANCE), characters / needed)


def _gap_violations(number: int, cue: Cue, following: float, rules: Rules) -> Iterator[Violation]:
    gap = following - cue.end
    if gap < -TOLERANCE:
        yield Violation(number, "overlap", -gap, 0)
    elif gap < rules.min_gap - TOLERANCE:
        yield Violation(number, "gap", gap, rules.min_gap)


def reading_time(lines: Iterable[str], rules: Rules) -> float:
    """Return the seconds that the lines have to be on the screen at least."""
    return sum(rules.reading_time(line) for line in lines)
