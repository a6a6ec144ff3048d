"""Praat TextGrid (long text format): for each speaker a tier of segments and a tier of words.

https://www.fon.hum.uva.nl/praat/manual/TextGrid_file_formats.html. Intervals fill a tier: what is not speech
is an interval without text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wortlaut.formats.plain_text import text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.formats.tiers import Interval, tiers_of
from wortlaut.transcript import Transcript


def render(transcript: Transcript, _options: RenderOptions = DEFAULTS, /) -> bytes:
    tiers = [
        (f"{tier.name} - {kind}", intervals)
        for tier in tiers_of(transcript)
        for kind, intervals in (
            ("segments", [utterance.whole for utterance in tier.utterances]),
            ("words", [word for utterance in tier.utterances for word in utterance.words]),
        )
    ]
    end_ms = max([round(transcript.duration * 1000), 1, *(each.end_ms for _, tier in tiers for each in tier)])
    lines = ['File type = "ooTextFile"', 'Object class = "TextGrid"', "", *_span(0, end_ms)]
    lines += ["tiers? <exists>", f"size = {len(tiers)}", "item []:"]
    for number, (name, intervals) in enumerate(tiers, 1):
        lines += [f"    item [{number}]:", *_tier(name, list(_filled(intervals, end_ms)), end_ms)]
    return text_file(lines)


def _filled(intervals: Iterable[Interval], end_ms: int) -> Iterator[Interval]:
    at_ms = 0
    for interval in intervals:
        if interval.start_ms > at_ms:
            yield Interval(at_ms, interval.start_ms, "")
        yield interval
        at_ms = interval.end_ms
    if end_ms > at_ms:
        yield Interval(at_ms, end_ms, "")


def _tier(name: str, intervals: list[Interval], end_ms: int) -> Iterator[str]:
    indent = " " * 8
    yield f'{indent}class = "IntervalTier"'
    yield f"{indent}name = {_quoted(name)}"
    yield from _span(0, end_ms, indent)
    yield f"{indent}intervals: size = {len(intervals)}"
    for number, interval in enumerate(intervals, 1):
        yield f"{indent}intervals [{number}]:"
        yield from _span(interval.start_ms, interval.end_ms, indent * 2)
        yield f"{indent * 2}text = {_quoted(interval.text)}"


def _span(start_ms: int, end_ms: int, indent: str = "") -> list[str]:
    return [f"{indent}xmin = {start_ms / 1000}", f"{indent}xmax = {end_ms / 1000}"]


def _quoted(text: str) -> str:
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
