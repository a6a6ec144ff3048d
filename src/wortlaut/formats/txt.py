"""Plain text: `[SPEAKER_00]: text`, one segment a line, as whisperX writes it."""

from __future__ import annotations

from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Segment, Transcript


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    return text_file([_line(segment, options) for segment in transcript.segments])


def _line(segment: Segment, options: RenderOptions) -> str:
    text = one_line(segment.text)
    return f"[{one_line(segment.speaker)}]: {text}" if segment.speaker and options.speaker_labels else text
