r"""Comma-separated values (RFC 4180, but lines end in `\n`): a row a segment, times in seconds."""

from __future__ import annotations

import csv
import io

from wortlaut.formats.plain_text import one_line
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Segment, Transcript

HEADER = ("start", "end", "speaker", "language", "text")


def render(transcript: Transcript, _options: RenderOptions = DEFAULTS, /) -> bytes:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerows([HEADER, *(_row(segment) for segment in transcript.segments)])
    return table.getvalue().encode()


def _row(segment: Segment) -> tuple[str, ...]:
    return (
        f"{segment.start:.3f}",
        f"{segment.end:.3f}",
        one_line(segment.speaker or ""),
        one_line(segment.language),
        one_line(segment.text),
    )
