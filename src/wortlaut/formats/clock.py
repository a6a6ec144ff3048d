"""Times as subtitle formats write them."""

from __future__ import annotations

from collections.abc import Iterable

from wortlaut.subtitles.cue import Cue


def to_ms(seconds: float) -> int:
    """Round to whole milliseconds."""
    return round(seconds * 1000)


def clock(time_ms: int, *, decimal_marker: str, shows_zero_hours: bool) -> str:
    """Write `HH:MM:SS.mmm`; the hours have as many digits as they need, at least two."""
    minutes, millis = divmod(time_ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds, millis = divmod(millis, 1000)
    prefix = f"{hours:02d}:" if hours or shows_zero_hours else ""
    return f"{prefix}{minutes:02d}:{seconds:02d}{decimal_marker}{millis:03d}"


def spans_ms(cues: Iterable[Cue], unit_ms: int = 1) -> list[tuple[int, int]]:
    """Round the times of cues to `unit_ms` such that each lasts at least one unit and none runs into the next.

    Cues that overlap by themselves, as when two people talk at once, are left so.
    """
    spans: list[tuple[int, int]] = []
    last_end, last_end_ms = 0.0, 0
    for cue in cues:
        start_ms = _to_unit(cue.start, unit_ms)
        if cue.start >= last_end:
            start_ms = max(start_ms, last_end_ms)
        end_ms = max(_to_unit(cue.end, unit_ms), start_ms + unit_ms)
        spans.append((start_ms, end_ms))
        last_end, last_end_ms = cue.end, end_ms
    return spans


def _to_unit(seconds: float, unit_ms: int) -> int:
    return round(seconds * 1000 / unit_ms) * unit_ms
