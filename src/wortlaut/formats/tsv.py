"""Tab-separated segments, as whisperX writes them: start and end in whole milliseconds, and the text."""

from __future__ import annotations

from wortlaut.formats.clock import to_ms
from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript


def render(transcript: Transcript, _options: RenderOptions = DEFAULTS, /) -> bytes:
    rows = [f"{to_ms(each.start)}\t{to_ms(each.end)}\t{one_line(each.text)}" for each in transcript.segments]
    return text_file(["start\tend\ttext", *rows])
