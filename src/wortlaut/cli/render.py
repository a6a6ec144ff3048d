"""`wortlaut render` and `wortlaut check`: other files from a transcript, and files checked against rules."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer

from wortlaut.cli.output import write_whole
from wortlaut.cli.progress import say
from wortlaut.errors import InputError, InvalidOption, MediaNotFound, MediaUnreadable
from wortlaut.formats import FORMATS, Format, RenderOptions, get_format
from wortlaut.formats.read import read_json
from wortlaut.localization.choice import translator
from wortlaut.notice import Notice
from wortlaut.subtitles.checker import check as violations_of
from wortlaut.subtitles.engine import build_subtitles
from wortlaut.subtitles.presets import PRESETS, get_preset
from wortlaut.subtitles.subtitle_files import read_subtitles

VIOLATED = 8
"""The exit code of `check` where a rule is broken; those below it are errors."""

_SUBTITLES = ("srt", "vtt")
"""The formats that a preset is for."""

_FORMAT_NAMES = ", ".join(FORMATS)
_PRESET_NAMES = ", ".join(PRESETS)


def render(
    transcript: Annotated[Path, typer.Argument(help="A JSON transcript of wortlaut or whisperX.")],
    format_name: Annotated[str, typer.Option("--format", "-f", help=f"One of {_FORMAT_NAMES}.")] = "srt",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file to write, or - for stdout. [default: beside it]")
    ] = None,
    preset: Annotated[str | None, typer.Option(help=f"Subtitle rules: {_PRESET_NAMES}.")] = None,
    max_line_width: Annotated[int | None, typer.Option(help="Characters a subtitle line.")] = None,
    max_line_count: Annotated[int | None, typer.Option(help="Lines a subtitle.")] = None,
    highlight_words: Annotated[bool, typer.Option(help="Underline each word while it is spoken.")] = False,
    word_times: Annotated[bool, typer.Option(help="A time before every word, in lrc.")] = False,
    speaker_labels: Annotated[bool, typer.Option(help="Name the speakers in the text.")] = True,
    recording: Annotated[
        str | None,
        typer.Option(help="The recording's file name, for formats that mention it. [default: as transcript]"),
    ] = None,
) -> None:
    """Render a transcript again, in another format or by other rules, without recognizing anything anew."""
    chosen = get_format(format_name)
    options = RenderOptions(
        recording=recording or transcript.stem,
        max_line_width=max_line_width,
        max_line_count=max_line_count,
        highlight_words=highlight_words,
        word_times=word_times,
        preset=preset,
        speaker_labels=speaker_labels,
        condenses=True,
    )
    read = read_json(_read(transcript))
    _write(chosen.render(read, options), output or _beside(transcript, chosen))
    if preset and chosen.name in _SUBTITLES:
        _warn(build_subtitles(read, get_preset(preset)).notices)


def check(
    subtitles: Annotated[Path, typer.Argument(help="A SubRip (.srt) or WebVTT (.vtt) file.")],
    preset: Annotated[str, typer.Option(help=f"The rules: {_PRESET_NAMES}.")] = "netflix",
) -> None:
    """Check subtitles against published rules. Exits with 8 if any is broken."""
    rules = get_preset(preset)
    cues = read_subtitles(_read(subtitles))
    violations = violations_of(cues, rules)
    for violation in violations:
        print(translator().translate(violation.message))
    say(f"{len(cues)} cues, {len(violations)} violations of {preset}'s rules")
    if violations:
        raise typer.Exit(VIOLATED)


def _warn(notices: Iterable[Notice]) -> None:
    for notice in notices:
        place = "" if notice.start is None else f"{notice.start:.1f} s: "
        say(f"{place}{notice.message} [{notice.code}]")


def _beside(transcript: Path, chosen: Format) -> Path:
    path = transcript.with_suffix(f".{chosen.extension}")
    if path == transcript:
        raise InvalidOption("The transcript would be overwritten.", hint="Name another file with --output.")
    return path


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise MediaNotFound(f"There is no file {path}.") from error
    except PermissionError as error:
        raise MediaUnreadable(f"{path} may not be read.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.") from error


def _write(content: bytes, path: Path) -> None:
    if str(path) == "-":
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
    else:
        write_whole(path, content)
