r"""Advanced SubStation Alpha v4+: a style a speaker, and karaoke (`\k`) that colours each word as it is spoken.

The format has no escape for braces and backslashes that all renderers know: braces become round brackets,
and a word joiner behind a backslash keeps it from being a command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from wortlaut.formats.clock import spans_ms
from wortlaut.formats.cue_text import cues_for
from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.formats.tiers import unique_names
from wortlaut.subtitles.cue import Cue
from wortlaut.transcript import Transcript

UNIT_MS = 10  # times are in centiseconds
DEFAULT_STYLE = "Default"

# Colours of the words that have been spoken, &HAABBGGRR; easy to tell apart, also for the colour-blind (Okabe, Ito).
SPOKEN_COLOURS = ("&H00E9B456", "&H00009FE6", "&H00739E00", "&H0042E4F0", "&H00A779CC", "&H00005ED5", "&H00B27200")
UNSPOKEN_COLOUR = "&H00FFFFFF"

_STYLE_FIELDS = (
    "Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
    "StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, MarginL, MarginR, MarginV, "
    "Encoding"
)
_EVENT_FIELDS = "Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"
_UNSAFE = str.maketrans({"{": "(", "}": ")", "\\": "\\\u2060"})
_UNSAFE_NAME = {**_UNSAFE, ord(","): ";"}


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    styles = _style_names(transcript)
    cues = cues_for(transcript, options)
    spans = spans_ms(cues, UNIT_MS)
    events = [_event(cue, span, styles) for cue, span in zip(cues, spans, strict=True)]
    return text_file(
        [
            "[Script Info]",
            f"Title: {one_line(options.recording)}",
            "ScriptType: v4.00+",
            "WrapStyle: 0",
            "PlayResX: 1920",
            "PlayResY: 1080",
            "ScaledBorderAndShadow: yes",
            "",
            "[V4+ Styles]",
            f"Format: {_STYLE_FIELDS}",
            *(_style(name, number) for number, name in enumerate([DEFAULT_STYLE, *styles.values()])),
            "",
            "[Events]",
            f"Format: {_EVENT_FIELDS}",
            *events,
        ]
    )


def _style_names(transcript: Transcript) -> Mapping[str, str]:
    return unique_names(transcript.speakers, lambda name: one_line(name).translate(_UNSAFE_NAME), {DEFAULT_STYLE})


def _style(name: str, number: int) -> str:
    spoken = SPOKEN_COLOURS[number % len(SPOKEN_COLOURS)]
    look = "0,0,0,0,100,100,0,0,1,3,1,2,80,80,60,1"
    return f"Style: {name},Arial,60,{spoken},{UNSPOKEN_COLOUR},&H00000000,&H80000000,{look}"


def _event(cue: Cue, span: tuple[int, int], styles: Mapping[str, str]) -> str:
    start, end = (_clock(time_ms) for time_ms in span)
    style = styles.get(cue.speaker or "", DEFAULT_STYLE)
    name = "" if style == DEFAULT_STYLE else style
    text = r"\N".join(_karaoke(cue, span[0]))
    return f"Dialogue: 0,{start},{end},{style},{name},0,0,0,,{text}"


def _karaoke(cue: Cue, start_ms: int) -> Iterator[str]:
    """Yield each row with its times; they count from the cue's start, so that roundings do not add up."""
    at = start_ms // UNIT_MS
    for row in cue.rows:
        parts = []
        for index, word in enumerate(row):
            start, end = (max(round(time * 1000 / UNIT_MS), at) for time in (word.start, word.end))
            pause = rf"{{\k{start - at}}}" if start > at else ""
            space = " " if index and word.text[:1].isspace() else ""
            parts.append(rf"{pause}{space}{{\k{end - start}}}{_escape(word.text)}")
            at = end
        yield "".join(parts)


def _escape(text: str) -> str:
    return one_line(text).translate(_UNSAFE)


def _clock(time_ms: int) -> str:
    minutes, millis = divmod(time_ms, 60_000)
    return f"{minutes // 60}:{minutes % 60:02d}:{millis // 1000:02d}.{millis % 1000 // UNIT_MS:02d}"
