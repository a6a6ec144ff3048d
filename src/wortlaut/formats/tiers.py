"""A tier a speaker, for annotation tools. On one tier nothing overlaps and everything lasts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from wortlaut.formats.plain_text import one_line
from wortlaut.transcript import Segment, Transcript

UNKNOWN_SPEAKER = "speech"
"""The tier of what nobody is known to have said."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A labelled stretch in whole milliseconds, at least one long."""

    start_ms: int
    end_ms: int
    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A segment and its words; it reaches from the first to the last of them."""

    whole: Interval
    words: tuple[Interval, ...]


@dataclass(frozen=True, slots=True)
class Tier:
    """What one speaker said: sorted and disjoint, without line breaks."""

    name: str
    utterances: tuple[Utterance, ...]


def tiers_of(transcript: Transcript) -> list[Tier]:
    """Return a tier for each speaker, and one for segments without a speaker where there are any."""
    names = unique_names(transcript.speakers, one_line, {UNKNOWN_SPEAKER})
    tiers = [Tier(name, _utterances(transcript, speaker)) for speaker, name in names.items()]
    unknown = _utterances(transcript, None)
    return [*tiers, Tier(UNKNOWN_SPEAKER, unknown)] if unknown or not tiers else tiers


def unique_names(names: Iterable[str], clean: Callable[[str], str], taken: AbstractSet[str]) -> Mapping[str, str]:
    """Clean names for a format; where two would become the same, number them."""
    unique: dict[str, str] = {}
    used = set(taken)
    for name in names:
        wanted = clean(name) or "speaker"
        number, free = 2, wanted
        while free in used:
            number, free = number + 1, f"{wanted} {number}"
        used.add(free)
        unique[name] = free
    return unique


def _utterances(transcript: Transcript, speaker: str | None) -> tuple[Utterance, ...]:
    utterances: list[Utterance] = []
    at_ms = 0
    for segment in transcript.segments:
        if (segment.speaker or None) == speaker:
            utterances.append(_utterance(segment, at_ms))
            at_ms = utterances[-1].whole.end_ms
    return tuple(utterances)


def _utterance(segment: Segment, at_ms: int) -> Utterance:
    words: list[Interval] = []
    for word in segment.words:
        start_ms = max(round(word.start * 1000), at_ms)
        at_ms = max(round(word.end * 1000), start_ms + 1)
        words.append(Interval(start_ms, at_ms, one_line(word.text)))
    return Utterance(Interval(words[0].start_ms, at_ms, one_line(segment.text)), tuple(words))
