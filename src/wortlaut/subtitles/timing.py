"""When cues come and go: with their words, longer where there is room, never into each other."""

from __future__ import annotations

import math
from collections.abc import Sequence

from wortlaut.subtitles.cue import Cue, cue_of
from wortlaut.subtitles.layout import Rows
from wortlaut.subtitles.rules import Rules

SHORTEST = 0.1
"""Seconds that a cue stays even where that costs the gap to the next: nobody could see it otherwise."""


def timed_cues(rows: Sequence[Rows], rules: Rules) -> list[Cue]:
    """Give each cue its time.

    A cue takes what it needs to be read from the pause behind it and, if that is not enough, from the pause
    before it. Where words follow each other without a pause, the end of a cue is cut by the gap.
    """
    spoken = [cue_of(each) for each in rows]
    starts = [*_starts(spoken, rules), math.inf]
    cues: list[Cue] = []
    for cue, start, following in zip(spoken, starts, starts[1:], strict=False):
        begin = max(start, cues[-1].end if cues else 0.0)
        cues.append(Cue(begin, _end(cue, begin, following, rules), cue.rows))
    return cues


def _starts(spoken: Sequence[Cue], rules: Rules) -> list[float]:
    """Return the start of each cue: with its first word, or before it if time is short behind the last."""
    ends = [-rules.min_gap, *(cue.end for cue in spoken)]
    followings = [*(cue.start for cue in spoken[1:]), math.inf]
    return [
        cue.start - _lead(cue, cue.start - last_end - rules.min_gap, following, rules)
        for cue, last_end, following in zip(spoken, ends, followings, strict=False)
    ]


def _lead(cue: Cue, room: float, following: float, rules: Rules) -> float:
    missing = _needed(cue, rules) - (min(_latest(cue, rules), following - rules.min_gap) - cue.start)
    return max(min(missing, room, rules.max_lead), 0.0)


def _end(cue: Cue, start: float, following: float, rules: Rules) -> float:
    end = max(cue.end, min(start + _needed(cue, rules), _latest(cue, rules)))
    if following - end < max(rules.chain_gap, rules.min_gap):
        end = following - rules.min_gap
    end = min(end, start + rules.max_duration)
    return max(end, min(following, cue.end, start + SHORTEST), math.nextafter(start, math.inf))


def _needed(cue: Cue, rules: Rules) -> float:
    """Return how long the cue must be shown."""
    return max(rules.min_duration, sum(rules.reading_time(line) for line in cue.lines))


def _latest(cue: Cue, rules: Rules) -> float:
    """Return how long the cue may stay. It stays for `min_duration` in any case."""
    return max(cue.end + rules.max_hold, cue.start + rules.min_duration)
