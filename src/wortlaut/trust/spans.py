"""Stretches of time: how much of one lies in others, and what they leave free."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wortlaut.audio import SpeechRegion
from wortlaut.transcript import Turn, Word

Stretch = SpeechRegion | Turn | Word


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch [start, end) in seconds."""

    start: float
    end: float

    @property
    def length(self) -> float:
        return self.end - self.start

    def within(self, start: float, end: float) -> Span:
        """Return what lies in [start, end); of no length if nothing does."""
        first = min(max(self.start, start), end)
        return Span(first, max(min(self.end, end), first))


def union(stretches: Iterable[Stretch], *, reach: float = 0.0) -> list[Span]:
    """Return disjoint spans in order: all stretches, widened by `reach` on both sides."""
    merged: list[Span] = []
    for span in sorted(Span(one.start - reach, one.end + reach) for one in stretches):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def free(spans: Sequence[Span], start: float, end: float) -> list[Span]:
    """Return what disjoint spans in order leave of [start, end)."""
    edges = [start, *(edge for span in spans for edge in (span.start, span.end)), end]
    gaps = [Span(first, last).within(start, end) for first, last in zip(edges[::2], edges[1::2], strict=True)]
    return [gap for gap in gaps if gap.length > 0]


def shared(span: Span, others: Iterable[Stretch | Span]) -> float:
    """Return how many seconds of a span lie in others that do not overlap each other."""
    return sum(max(min(span.end, one.end) - max(span.start, one.start), 0.0) for one in others)
