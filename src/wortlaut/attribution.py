"""Words to speakers: each word belongs to the turn that it shares the most time with."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

from wortlaut.transcript import Turn, Word


def attribute(words: Sequence[Word], turns: Sequence[Turn]) -> list[Word]:
    """Give every word a speaker, in order and without loss.

    `turns` are the exclusive ones of a `Diarization`. A word that no turn covers goes to the nearest turn:
    somebody said it, and a transcript with holes in its speakers breaks the programs that read it.
    Without any turn the words come back as they are.
    """
    ordered = sorted(turns, key=lambda turn: turn.start)
    starts = [turn.start for turn in ordered]
    longest = max((turn.end - turn.start for turn in ordered), default=0.0)
    return [_labelled(word, ordered, starts, longest) for word in words]


def _labelled(word: Word, turns: Sequence[Turn], starts: Sequence[float], longest: float) -> Word:
    if not turns:
        return word
    # Turns that can overlap the word start before its end and not earlier than the longest turn before its start.
    first = bisect_left(starts, word.start - longest)
    last = bisect_left(starts, word.end)
    candidates = turns[max(first - 1, 0) : last + 1]
    best = max(candidates, key=lambda turn: _overlap(word, turn))
    return replace(word, speaker=best.speaker)


def _overlap(word: Word, turn: Turn) -> float:
    """Seconds that both share; negative: the seconds between them."""
    return min(word.end, turn.end) - max(word.start, turn.start)
