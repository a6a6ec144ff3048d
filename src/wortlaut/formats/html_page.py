"""One HTML page with style and script inside: a click on a word plays the recording from there.

The recording lies beside the page under its own name. Nothing else is loaded: the page's own content security
policy forbids it.
"""

from __future__ import annotations

from html import escape
from importlib.resources import files
from urllib.parse import quote

from wortlaut.formats.paragraphs import Paragraph, paragraphs_of
from wortlaut.formats.plain_text import one_line, text_file
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript, Word

DOUBTFUL_BELOW = 0.5
"""Confidence under which a word is marked to be checked."""

SPEAKER_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b8860b", "#56b4e9", "#8a6bd1")
"""Okabe and Ito's colours, which colour-blind people tell apart, as far as they can be read on white and black."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; media-src 'self' file: blob:"


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    title = one_line(options.recording)
    colours = {name: SPEAKER_COLOURS[i % len(SPEAKER_COLOURS)] for i, name in enumerate(transcript.speakers)}
    sections = [_section(each, options, colours) for each in paragraphs_of(transcript.segments)]
    return text_file(
        [
            "<!DOCTYPE html>",
            f'<html lang="{escape(transcript.language)}">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{_asset('page.css')}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{escape(title)}</h1>",
            f'<audio controls preload="metadata" src="./{quote(title)}"></audio></header>',
            "<main>",
            *sections,
            "</main>",
            f"<script>\n{_asset('page.js')}</script>",
            "</body>",
            "</html>",
        ]
    )


def _asset(name: str) -> str:
    return files("wortlaut.formats").joinpath(name).read_text(encoding="utf-8")


def _section(paragraph: Paragraph, options: RenderOptions, colours: dict[str, str]) -> str:
    colour = colours.get(paragraph.segments[0].speaker or "")
    style = f' style="--speaker: {colour}"' if colour else ""
    name = escape(paragraph.speaker) if options.speaker_labels else ""
    speaker = f'<span class="speaker">{name}</span>' if name else ""
    time = f'<button class="time" type="button" data-start="{paragraph.start:.3f}">{paragraph.clock}</button>'
    words = "".join(_word(word) for word in paragraph.words).strip()
    return f'<section{style}>{speaker}{time}<p dir="auto">{words}</p></section>'


def _word(word: Word) -> str:
    is_doubtful = word.confidence is not None and word.confidence < DOUBTFUL_BELOW
    mark = ' class="doubtful"' if is_doubtful else ""
    times = f'data-start="{word.start:.3f}" data-end="{word.end:.3f}"'
    space = " " if word.text[:1].isspace() else ""
    return f"{space}<span{mark} {times}>{escape(one_line(word.text))}</span>"
