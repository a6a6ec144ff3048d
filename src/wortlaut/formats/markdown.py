"""Markdown (CommonMark) for reading and editing: a paragraph a turn, with speaker and time."""

from __future__ import annotations

import re

from wortlaut.formats.paragraphs import Paragraph, paragraphs_of
from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript

_INLINE_MARK = re.compile(r"([\\`*\[\]<&~|$]|(?<!\w)_|_(?!\w))")
_BLOCK_MARK = re.compile(r"^(?:([#+\-=:>])|(\d+)([.)]))")  # only the start of a line can open a block


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    title = _escape(one_line(options.recording))
    blocks = [_block(each, options) for each in paragraphs_of(transcript.segments)]
    return text_file([f"# {title}", *(line for block in blocks for line in ("", *block))])


def _block(paragraph: Paragraph, options: RenderOptions) -> list[str]:
    """Return the head line, ended by a backslash that keeps the line break, and the text."""
    speaker = f"**{_escape(paragraph.speaker)}** " if paragraph.speaker and options.speaker_labels else ""
    return [f"{speaker}`{paragraph.clock}`\\", _escape(paragraph.text)]


def _escape(text: str) -> str:
    text = _INLINE_MARK.sub(r"\\\1", text)
    return _BLOCK_MARK.sub(lambda mark: f"\\{mark[1]}" if mark[1] else f"{mark[2]}\\{mark[3]}", text)
