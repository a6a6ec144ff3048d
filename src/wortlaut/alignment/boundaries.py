"""From the onsets of tokens to the edges of words.

The attention says where a space or a comma lies, not where one word turns into the next, and it is no finer
than 20 ms. Three rules make edges of it: a pause is kept; a silence moves the edges to its own; otherwise
one word ends where the next begins, at a fixed share of the interval between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from wortlaut.alignment.attention import WordTrack
from wortlaut.alignment.silences import SHORTEST_SILENCE, Silence

SPLIT = 0.7
"""Where a boundary lies in the interval of the space: the attention leaves a word before the voice does."""
SHORTEST_PAUSE = 0.2
"""Seconds. An interval of this length is a pause that belongs to neither word."""

_REACH = 0.3  # seconds that a silence may move an edge
_NEARNESS = 0.05  # seconds between an interval and a silence that still counts as the same pause


@dataclass(frozen=True, slots=True)
class Edges:
    """Start and end of a word in seconds."""

    start: float
    end: float


@dataclass(frozen=True, slots=True)
class _Boundary:
    """Where the word before ends and the word after begins."""

    end: float
    start: float


def find_edges(tracks: Sequence[WordTrack], silences: Sequence[Silence], start: float, end: float) -> list[Edges]:
    """Return the edges of measured tracks in a clip [start, end); tracks, silences and clip on one clock."""
    if not tracks:
        return []
    inner = [_boundary(before, after, silences) for before, after in pairwise(tracks)]
    starts = [_first_start(tracks[0], silences, start), *(boundary.start for boundary in inner)]
    ends = [*(boundary.end for boundary in inner), _last_end(tracks[-1], silences, end)]
    return [Edges(first, last) for first, last in zip(starts, ends, strict=True)]


def _boundary(before: WordTrack, after: WordTrack, silences: Sequence[Silence]) -> _Boundary:
    earliest = max(_middle(before), before.end - _REACH)
    latest = min(_middle(after), after.start + _REACH)
    pause = Silence(before.end - _NEARNESS, after.start + _NEARNESS)
    silence = max(_touching(silences, pause, earliest, latest), key=_length, default=None)
    if silence:
        return _Boundary(silence.start, silence.end)
    if after.start - before.end > SHORTEST_PAUSE:
        return _Boundary(before.end, after.start)
    boundary = before.end + SPLIT * (after.start - before.end)
    return _Boundary(boundary, boundary)


def _first_start(track: WordTrack, silences: Sequence[Silence], start: float) -> float:
    latest = max(track.start + _REACH, _middle(track))
    before = _touching(silences, Silence(start, track.start + _NEARNESS), start, latest)
    return before[-1].end if before else track.start


def _last_end(track: WordTrack, silences: Sequence[Silence], end: float) -> float:
    earliest = max(track.end - _REACH, _middle(track))
    after = _touching(silences, Silence(track.end - _NEARNESS, end), earliest, end)
    return after[0].start if after else track.end


def _touching(silences: Sequence[Silence], interval: Silence, earliest: float, latest: float) -> list[Silence]:
    """Return the silences that touch an interval, cut to [earliest, latest], if they are still long enough."""
    cut = [
        Silence(max(silence.start, earliest), min(silence.end, latest))
        for silence in silences
        if silence.start < interval.end and silence.end > interval.start
    ]
    return [silence for silence in cut if silence.end - silence.start >= SHORTEST_SILENCE]


def _middle(track: WordTrack) -> float:
    return (track.start + track.end) / 2


def _length(silence: Silence) -> float:
    return silence.end - silence.start
