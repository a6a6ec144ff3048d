"""Labels for Audacity (File > Import > Labels), as whisperX writes them: seconds, no header, `[[SPEAKER]]text`."""

from __future__ import annotations

from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Segment, Transcript


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    return text_file([_label(segment, options) for segment in transcript.segments])


def _label(segment: Segment, options: RenderOptions) -> str:
    speaker = f"[[{one_line(segment.speaker)}]]" if segment.speaker and options.speaker_labels else ""
    return f"{round(segment.start, 3)}\t{round(segment.end, 3)}\t{speaker}{one_line(segment.text)}"
