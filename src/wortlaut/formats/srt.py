"""SubRip, as whisperX writes it.

The format has no way to escape: `-->`, and what players would take for a time or a tag, is replaced.
"""

from __future__ import annotations

import re

from wortlaut.formats.clock import clock
from wortlaut.formats.cue_text import TimedText, timed_texts
from wortlaut.formats.plain_text import text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript

_TIME_FRACTION = re.compile(r"(?<=\d:\d\d:\d\d)[.,](?=\d)")  # two full times in a line are read as those of a cue
_ARROW = re.compile("-{2,}>")
_TAG_START = re.compile(r"<(?=[A-Za-z/!?])")
_OVERRIDE_START = re.compile(r"\{(?=\\)")  # {\an8} places a cue at the top in many players


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    cues = timed_texts(transcript, options, _escape)
    return text_file([line for number, cue in enumerate(cues, 1) for line in _lines(number, cue)])


def _lines(number: int, cue: TimedText) -> list[str]:
    start, end = (clock(time_ms, decimal_marker=",", shows_zero_hours=True) for time_ms in (cue.start_ms, cue.end_ms))
    return [str(number), f"{start} --> {end}", cue.text, ""]


def _escape(text: str) -> str:
    text = _TIME_FRACTION.sub("·", _ARROW.sub("->", text))
    return _OVERRIDE_START.sub("(", _TAG_START.sub("‹", text))
