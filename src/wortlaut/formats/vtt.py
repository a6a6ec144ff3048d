"""WebVTT (https://www.w3.org/TR/webvtt1/), as whisperX writes it, but with `&`, `<` and `>` escaped.

Where a preset leaves no room for labels, speakers are kept in voice tags, which players do not show.
"""

from __future__ import annotations

from wortlaut.formats.clock import clock
from wortlaut.formats.cue_text import TimedText, timed_texts
from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    cues = timed_texts(transcript, options, _escape)
    has_voices = options.preset is not None and options.speaker_labels
    return text_file(["WEBVTT", "", *(line for cue in cues for line in _lines(cue, has_voices=has_voices))])


def _lines(cue: TimedText, *, has_voices: bool) -> list[str]:
    start, end = (clock(time_ms, decimal_marker=".", shows_zero_hours=False) for time_ms in (cue.start_ms, cue.end_ms))
    voice = f"<v {_escape(one_line(cue.speaker))}>" if has_voices and cue.speaker else ""
    return [f"{start} --> {end}", voice + cue.text, ""]


def _escape(text: str) -> str:
    return text.translate(_ENTITIES)
