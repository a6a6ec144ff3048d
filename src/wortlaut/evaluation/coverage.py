"""Speech without words: what a transcript left out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wortlaut.evaluation.ratio import Ratio
from wortlaut.transcript import Turn, Word

REACH = 0.5
"""Seconds around a recognized word that count as covered: true turns include short pauses, words do not."""

Span = tuple[float, float]


def uncovered_speech(truth: Sequence[Turn | Word], words: Sequence[Word]) -> Ratio:
    """Return the seconds of true speech that lie more than `REACH` from every recognized word."""
    spoken = _union((turn.start, turn.end) for turn in truth)
    covered = _union((word.start - REACH, word.end + REACH) for word in words)
    common = sum(max(0.0, min(end, to) - max(start, since)) for start, end in spoken for since, to in covered)
    whole = sum(end - start for start, end in spoken)
    return Ratio(max(0.0, whole - common), whole)


def _union(spans: Iterable[Span]) -> list[Span]:
    """Merge overlapping spans."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
