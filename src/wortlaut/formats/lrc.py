"""LRC, the lyrics of music players: `[mm:ss.xx]text`; with word times, `<mm:ss.xx>` before every word (A2).

A line ends where the next starts; the format knows no other end.
"""

from __future__ import annotations

import re

from wortlaut.formats.cue_text import cues_for
from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.subtitles.cue import Cue
from wortlaut.transcript import Transcript

_TAG_START = re.compile(r"[\[<](?=\w+:)")  # would be read as a time, or as a tag such as [ti:...]


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    header = [f"[ti:{_escape(one_line(options.recording))}]", f"[length:{_clock(transcript.duration)}]"]
    return text_file([*header, *(_line(cue, options) for cue in cues_for(transcript, options))])


def _line(cue: Cue, options: RenderOptions) -> str:
    label = _escape(f"{one_line(cue.speaker)}: ") if cue.speaker and options.speaker_labels else ""
    return f"[{_clock(cue.start)}]{label}{_timed_words(cue) if options.word_times else _escape(_plain(cue))}"


def _plain(cue: Cue) -> str:
    return one_line(" ".join(cue.lines))


def _timed_words(cue: Cue) -> str:
    """Write the times before the words, and the end of the last one behind it."""
    words = " ".join(f"<{_clock(word.start)}>{_escape(one_line(word.text))}" for word in cue.words)
    return f"{words} <{_clock(cue.words[-1].end)}>"


def _clock(seconds: float) -> str:
    minutes, centis = divmod(round(seconds * 100), 6000)
    return f"{minutes:02d}:{centis // 100:02d}.{centis % 100:02d}"


def _escape(text: str) -> str:
    return _TAG_START.sub("(", text)
