"""SubRip and WebVTT files back to cues, to be checked."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from wortlaut.errors import InputError
from wortlaut.subtitles.cue import Cue, Row
from wortlaut.transcript import Word

_TIME = r"(?:(\d+):)?(\d{1,2}):(\d{1,2})[.,](\d{1,3})"
_TIMES = re.compile(rf"^\s*{_TIME}\s*-->\s*{_TIME}(?:\s.*)?$")
_TAG = re.compile(r"</?(?:[bius]|font|c|v|lang|ruby|rt|\d[\d:.]*)\b[^>]*>|\{\\[^}]*\}", re.IGNORECASE)
_WORD = re.compile(r"\s*\S+")


class SubtitlesInvalid(InputError):
    """The file has no subtitles that can be read."""

    code = "subtitles-invalid"
    default_hint = "Give a SubRip (.srt) or WebVTT (.vtt) file in UTF-8."


def read_subtitles(content: bytes) -> list[Cue]:
    """Read the cues of an SRT or VTT file as they stand there, without tags.

    A file knows no words: they share the time of their cue by their characters. Raises `SubtitlesInvalid`.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SubtitlesInvalid(f"The file is not UTF-8: {error.reason} at byte {error.start}.") from error
    is_vtt = text.startswith("WEBVTT")
    cues = [_cue(block, is_vtt=is_vtt) for block in _blocks(re.split(r"\r\n|\r|\n", text))]
    if not cues and text.strip() and not is_vtt:
        raise SubtitlesInvalid("The file has no line with the times of a cue.")
    return cues


def _blocks(lines: list[str]) -> Iterator[tuple[re.Match[str], list[str]]]:
    """Yield the times of each cue and its lines, which end at an empty line."""
    at = 0
    while at < len(lines):
        times = _TIMES.match(lines[at])
        at += 1
        if times:
            stop = next((i for i in range(at, len(lines)) if not lines[i].strip()), len(lines))
            yield times, lines[at:stop]
            at = stop


def _cue(block: tuple[re.Match[str], list[str]], *, is_vtt: bool) -> Cue:
    times, lines = block
    start, end = _seconds(times.groups()[:4]), _seconds(times.groups()[4:])
    texts = [_TAG.sub("", line).strip() for line in lines]
    texts = [html.unescape(text) if is_vtt else text for text in texts]
    return Cue(start, end, tuple(_row(text, start, end) for text in texts if text))


def _row(text: str, start: float, end: float) -> Row:
    pieces = list(_WORD.finditer(text))
    per_character = (end - start) / len(text)
    return tuple(
        Word(
            piece[0],
            start + piece.start() * per_character,
            start + piece.end() * per_character,
            source="interpolated",
        )
        for piece in pieces
    )


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, fraction = (part or "0" for part in parts)
    return int(hours) * 3600 + int(minutes) * 60 + int(seconds) + int(fraction.ljust(3, "0")) / 1000
