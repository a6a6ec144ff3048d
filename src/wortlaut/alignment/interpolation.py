"""Times for words that have none, and the order that all words keep."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import accumulate, groupby

from wortlaut.alignment.spelling import speaking_weight
from wortlaut.audio import SpeechRegion
from wortlaut.transcript import Word

SHORTEST_WORD = 0.02
"""Seconds: one frame of Whisper's encoder. Words of a stretch that is too short for that share it evenly."""

_PER_LETTER = 0.07  # seconds
_SHARE_GIVEN_UP = 0.4  # of a word, to each neighbour without a time


def spread(words: Sequence[str], regions: Sequence[SpeechRegion]) -> list[Word]:
    """Distribute words over the speech of non-empty regions, each as long as it takes to say.

    A word that would reach over a pause lies on the side where most of it is.
    """
    weights = [speaking_weight(word) for word in words]
    total = sum(region.end - region.start for region in regions)
    scale = total / sum(weights) if weights else 0.0
    ends = [spent * scale for spent in accumulate(weights)]
    return [
        Word(word, *_place(first, last, regions), source="interpolated")
        for word, first, last in zip(words, [0.0, *ends], ends, strict=False)
    ]


def fill(words: Sequence[str], aligned: Sequence[Word | None], window: SpeechRegion) -> list[Word]:
    """Put the words that were not aligned between their neighbours, at least one of which was.

    They follow the word before; where there is too little room, the neighbours give some up.
    """
    filled = list(aligned)
    for first, stop in _holes(aligned):
        before = filled[first - 1] if first else None
        after = filled[stop] if stop < len(words) else None
        room = _room(words[first:stop], before, after, window)
        if before:
            filled[first - 1] = replace(before, end=min(before.end, room.start))
        if after:
            filled[stop] = replace(after, start=max(after.start, room.end))
        filled[first:stop] = spread(words[first:stop], [room])
    return [word for word in filled if word]


def in_order(words: Sequence[Word], start: float, end: float) -> list[Word]:
    """Return the words moved as little as needed to be ordered, disjoint and inside [start, end), each start < end."""
    count = len(words)
    shortest = min(SHORTEST_WORD, (end - start) / max(count, 1))
    # Where each word starts at the latest, so that those after it have room. The same numbers bound ends and
    # starts, so that rounding cannot make words overlap.
    latest = [max(end - (count - position) * shortest, start) for position in range(count + 1)]
    ordered: list[Word] = []
    earliest = start
    for position, word in enumerate(words):
        word_start = min(max(word.start, earliest), latest[position])
        earliest = min(max(word.end, word_start + shortest), latest[position + 1])
        ordered.append(replace(word, start=word_start, end=earliest))
    return ordered


def _holes(aligned: Sequence[Word | None]) -> list[tuple[int, int]]:
    """Return [first, stop) of each run of words without a time."""
    holes = []
    for is_missing, group in groupby(range(len(aligned)), key=lambda position: aligned[position] is None):
        positions = list(group)
        if is_missing:
            holes.append((positions[0], positions[-1] + 1))
    return holes


def _room(words: Sequence[str], before: Word | None, after: Word | None, window: SpeechRegion) -> SpeechRegion:
    wanted = _PER_LETTER * sum(map(speaking_weight, words))
    start = before.end if before else window.start
    end = after.start if after else window.end
    lacking = wanted - (end - start)
    if lacking > 0:
        start -= min(lacking / 2, _SHARE_GIVEN_UP * (before.end - before.start)) if before else 0.0
        end += min(lacking / 2, _SHARE_GIVEN_UP * (after.end - after.start)) if after else 0.0
        return SpeechRegion(start, max(end, start))
    return SpeechRegion(start, start + wanted) if before else SpeechRegion(end - wanted, end)


def _place(first: float, last: float, regions: Sequence[SpeechRegion]) -> tuple[float, float]:
    """Map [first, last) of the regions' joined speech into the region that holds most of it."""
    best = (regions[0].start, regions[0].end)
    largest = 0.0
    spent = 0.0
    for region in regions:
        length = region.end - region.start
        inside_start, inside_end = max(first - spent, 0.0), min(last - spent, length)
        if inside_end - inside_start > largest:
            largest = inside_end - inside_start
            best = (region.start + inside_start, region.start + inside_end)
        spent += length
    return best
