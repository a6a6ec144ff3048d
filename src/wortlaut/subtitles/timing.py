"""When cues come and go: with their words where that can be, late where people speak faster than anybody reads.

A cue needs some time to be read, and a gap behind it. Where the words leave less, cues move as little as they can:

1. Forward: each cue comes as early as it may (`max_lead` before its words) and as the cue before it lets it. No
   schedule that keeps the rules has a cue come earlier, so none lags less.
2. Backward: each cue moves as near to its words as the cue behind it allows.

Only where a cue would lag more than `max_lag` is the time to read those before it cut, by the same share for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from wortlaut.subtitles.cue import Cue, cue_of
from wortlaut.subtitles.layout import Rows
from wortlaut.subtitles.rules import Rules

_LEAST_SHARE = 0.02
"""Of the time that a cue needs, it keeps this much in any case."""
_BISECTIONS = 20


def timed_cues(rows: Sequence[Rows], rules: Rules) -> list[Cue]:
    """Give each cue its time: ordered, disjoint, and each lasts."""
    spoken = [cue_of(each) for each in rows]
    times = _affordable(spoken, [needed_time(cue, rules) for cue in spoken], rules)
    starts = [*_near_to_words(spoken, times, rules), math.inf]
    return [
        Cue(start, _end(cue, start, start + time, following, rules), cue.rows)
        for cue, time, (start, following) in zip(spoken, times, pairwise(starts), strict=True)
    ]


def needed_time(cue: Cue, rules: Rules) -> float:
    """Return how long the cue must be shown."""
    reading_time = sum(rules.reading_time(line) for line in cue.lines)
    return min(max(rules.min_duration, reading_time), rules.max_duration)


def lag_of(cue: Cue) -> float:
    """Return how many seconds after its first word the cue comes."""
    return max(cue.start - cue.words[0].start, 0.0)


def _earliest(spoken: Sequence[Cue], times: Sequence[float], rules: Rules) -> list[float]:
    """Return when each cue can come at the earliest."""
    starts: list[float] = []
    free = 0.0
    for cue, time in zip(spoken, times, strict=True):
        starts.append(max(cue.start - rules.max_lead, free))
        free = starts[-1] + time + rules.min_gap
    return starts


def _near_to_words(spoken: Sequence[Cue], times: Sequence[float], rules: Rules) -> list[float]:
    """Move each cue from its earliest start towards its words; it also leaves in time for what comes behind it."""
    starts: list[float] = []
    free_until = math.inf
    for cue, time, earliest in reversed(list(zip(spoken, times, _earliest(spoken, times, rules), strict=True))):
        stays_until = max(cue.end + rules.max_hold, cue.start + rules.min_duration)
        wanted = min(cue.start, stays_until - time, free_until - rules.min_gap - time)
        starts.append(max(earliest, wanted))
        free_until = starts[-1]
    return starts[::-1]


def _affordable(spoken: Sequence[Cue], needed: Sequence[float], rules: Rules) -> list[float]:
    """Cut the times of the cues before the one that would lag most, where that is more than `max_lag`."""
    times = list(needed)
    lags = [start - cue.start for cue, start in zip(spoken, _earliest(spoken, needed, rules), strict=True)]
    for first, stop in _late_runs(lags):
        peak = max(range(first, stop), key=lags.__getitem__)
        if lags[peak] > rules.max_lag:
            share = _largest_share(spoken[first : peak + 1], needed[first : peak + 1], rules)
            times[first:peak] = [time * share for time in needed[first:peak]]
    return times


def _late_runs(lags: Sequence[float]) -> Iterable[tuple[int, int]]:
    """Return [first, stop) of each run of late cues, with the last cue before them that is on time."""
    on_time = [index for index, lag in enumerate(lags) if lag <= 0 or not index]
    return pairwise([*on_time, len(lags)])


def _largest_share(spoken: Sequence[Cue], needed: Sequence[float], rules: Rules) -> float:
    """Return, by bisection, the share of the time they need with which no cue lags too much."""
    least, most = _LEAST_SHARE, 1.0
    for _ in range(_BISECTIONS):
        share = (least + most) / 2
        starts = _earliest(spoken, [time * share for time in needed], rules)
        fits = all(start - cue.start <= rules.max_lag for cue, start in zip(spoken, starts, strict=True))
        least, most = (share, most) if fits else (least, share)
    return least


def _end(cue: Cue, start: float, read_at: float, following: float, rules: Rules) -> float:
    end = max(cue.end, read_at)
    if following - end < max(rules.chain_gap, rules.min_gap):
        end = following - rules.min_gap
    end = min(end, start + rules.max_duration)
    return max(end, math.nextafter(start, math.inf))
