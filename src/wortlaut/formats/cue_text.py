"""What SubRip and WebVTT have in common: cues, labels, and words underlined while they are spoken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from wortlaut.formats.clock import spans_ms
from wortlaut.formats.plain_text import one_line
from wortlaut.formats.rendering import RenderOptions
from wortlaut.subtitles.cue import Cue, Row, cues_of_segments
from wortlaut.subtitles.engine import build_subtitles
from wortlaut.subtitles.line_rules import LineRules, cues_by_lines
from wortlaut.subtitles.presets import get_preset
from wortlaut.transcript import Transcript, Word

Escape = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class TimedText:
    """A cue as it is written: whole milliseconds, markup in the text."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None


def cues_for(transcript: Transcript, options: RenderOptions) -> list[Cue]:
    """Cut the transcript into cues as the options ask; cues without text are left out."""
    if options.preset is not None:
        cues = list(build_subtitles(transcript, get_preset(options.preset), condenses=options.condenses).cues)
    elif options.max_line_width is not None or options.max_line_count is not None:
        cues = cues_by_lines(transcript.segments, LineRules(options.max_line_width, options.max_line_count))
    else:
        cues = cues_of_segments(transcript.segments)
    return [cue for cue in cues if any(one_line(line) for line in cue.lines)]


def timed_texts(transcript: Transcript, options: RenderOptions, escape: Escape) -> list[TimedText]:
    """Render cues to text. A preset counts characters, so labels, which would add to them, are left out."""
    shown = [each for cue in cues_for(transcript, options) for each in _steps(cue, options)]
    spans = spans_ms(cue for cue, _ in shown)
    return [
        TimedText(start_ms, end_ms, _text(cue, spoken, options, escape), cue.speaker)
        for (start_ms, end_ms), (cue, spoken) in zip(spans, shown, strict=True)
    ]


def _steps(cue: Cue, options: RenderOptions) -> Iterator[tuple[Cue, Word | None]]:
    """Yield the cue once, or once for each word that is spoken in it and for each pause between."""
    if not options.highlight_words:
        yield cue, None
        return
    last = cue.start
    for word in cue.words:
        if word.start > last:
            yield Cue(last, word.start, cue.rows), None
        yield Cue(word.start, word.end, cue.rows), word
        last = word.end
    if cue.end > last:
        yield Cue(last, cue.end, cue.rows), None


def _text(cue: Cue, spoken: Word | None, options: RenderOptions, escape: Escape) -> str:
    is_labelled = cue.speaker and options.speaker_labels and options.preset is None
    label = escape(f"[{one_line(cue.speaker or '')}]: ") if is_labelled else ""
    lines = [_row_text(row, spoken, escape) for row in cue.rows]
    return label + "\n".join(line for line in lines if line)


def _row_text(row: Row, spoken: Word | None, escape: Escape) -> str:
    at = next((i for i, word in enumerate(row) if word is spoken), None)
    if at is None or spoken is None:
        return escape(one_line("".join(word.text for word in row)))
    before, after = ("".join(word.text for word in part) for part in (row[:at], row[at + 1 :]))
    text = one_line(spoken.text)
    space = " " if before.strip() and spoken.text[:1].isspace() else ""
    gap = " " if after.strip() and after[:1].isspace() else ""
    return f"{escape(one_line(before))}{space}<u>{escape(text)}</u>{gap}{escape(one_line(after))}"
