"""whisperX's `utils`: languages, and the writers of its formats."""

from __future__ import annotations

import os
import sys
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, TextIO

from wortlaut.compat.flags import TO_LANGUAGE_CODE, optional_float, optional_int, str2bool
from wortlaut.compat.request import ALL_FORMATS
from wortlaut.compat.results import render_json, transcript_of
from wortlaut.errors import OutputUnwritable, UnknownFormat
from wortlaut.formats import RenderOptions, get_format
from wortlaut.formats.clock import clock, to_ms
from wortlaut.recognition import languages
from wortlaut.transcript import Transcript

__all__ = [
    "LANGUAGES",
    "LANGUAGES_WITHOUT_SPACES",
    "TO_LANGUAGE_CODE",
    "ResultWriter",
    "SubtitlesWriter",
    "WriteAudacity",
    "WriteJSON",
    "WriteSRT",
    "WriteTSV",
    "WriteTXT",
    "WriteVTT",
    "compression_ratio",
    "exact_div",
    "format_timestamp",
    "get_writer",
    "optional_float",
    "optional_int",
    "str2bool",
]

LANGUAGES = dict(languages.LANGUAGES)
LANGUAGES_WITHOUT_SPACES = ["ja", "zh"]

Result = Mapping[str, Any]
Options = Mapping[str, Any]


class ResultWriter:
    """Writes a result to `<output_dir>/<name of the recording>.<extension>`.

    Options are `max_line_width`, `max_line_count` and `highlight_words`; each may be missing.
    """

    extension: ClassVar[str]

    def __init__(self, output_dir: str | os.PathLike[str]) -> None:
        self.output_dir = output_dir

    def __call__(self, result: Result, audio_path: str | os.PathLike[str], options: Options | None = None) -> None:
        path = Path(self.output_dir) / f"{Path(audio_path).stem}.{self.extension}"
        content = self.render(result, options or {})
        try:
            path.write_bytes(content)
        except OSError as error:
            raise OutputUnwritable(f"{path} cannot be written: {error.strerror or error}.") from error

    def write_result(self, result: Result, file: TextIO, options: Options | None = None) -> None:
        """Write to a file that is open for text."""
        file.write(self.render(result, options or {}).decode())

    def render(self, result: Result, options: Options) -> bytes:
        """Return what is written."""
        layout = RenderOptions(
            max_line_width=options.get("max_line_width"),
            max_line_count=options.get("max_line_count"),
            highlight_words=bool(options.get("highlight_words")),
        )
        return get_format(self.extension).render(_with_one_speaker_each(result), layout)


class WriteTXT(ResultWriter):
    extension = "txt"


class SubtitlesWriter(ResultWriter):
    """What SubRip and WebVTT have in common."""


class WriteVTT(SubtitlesWriter):
    extension = "vtt"


class WriteSRT(SubtitlesWriter):
    extension = "srt"


class WriteTSV(ResultWriter):
    extension = "tsv"


class WriteAudacity(ResultWriter):
    extension = "aud"


class WriteJSON(ResultWriter):
    """Writes the result as it is, whatever is in it."""

    extension = "json"

    def render(self, result: Result, options: Options) -> bytes:  # noqa: ARG002 the base's
        return render_json(result)


WRITERS: Mapping[str, type[ResultWriter]] = {
    "txt": WriteTXT,
    "vtt": WriteVTT,
    "srt": WriteSRT,
    "tsv": WriteTSV,
    "json": WriteJSON,
    "aud": WriteAudacity,
}


def get_writer(output_format: str, output_dir: str | os.PathLike[str]) -> Callable[..., None]:
    """Return what writes a format, or every one for `all`. Raises `UnknownFormat`."""
    if output_format == "all":
        writers = [WRITERS[name](output_dir) for name in ALL_FORMATS]

        def write_all(result: Result, audio_path: str | os.PathLike[str], options: Options | None = None) -> None:
            for writer in writers:
                writer(result, audio_path, options)

        return write_all
    if output_format not in WRITERS:
        raise UnknownFormat(f"There is no output format {output_format!r}.", hint=f"There are {', '.join(WRITERS)}.")
    return WRITERS[output_format](output_dir)


def _with_one_speaker_each(result: Result) -> Transcript:
    """Read the result such that a segment keeps its own speaker, also where single words say otherwise."""
    transcript = transcript_of(result)
    named = [each.get("speaker") for each in result["segments"] if (each.get("text") or "").strip()]
    if len(named) != len(transcript.segments):  # a segment without words; the words know their speakers
        return transcript
    segments = tuple(
        replace(segment, words=tuple(replace(word, speaker=speaker) for word in segment.words))
        for segment, speaker in zip(transcript.segments, named, strict=True)
    )
    return replace(transcript, segments=segments)


def format_timestamp(seconds: float, always_include_hours: bool = False, decimal_marker: str = ".") -> str:
    """Write `HH:MM:SS.mmm`."""
    return clock(to_ms(seconds), decimal_marker=decimal_marker, shows_zero_hours=always_include_hours)


def exact_div(x: int, y: int) -> int:
    """Divide what can be divided without a rest. Raises `ValueError`."""
    if x % y:
        raise ValueError(f"{x} is no multiple of {y}")
    return x // y


def compression_ratio(text: str) -> float:
    """Bytes of the text by bytes after zlib."""
    content = text.encode()
    return len(content) / len(zlib.compress(content))


def make_safe(text: str) -> str:
    """Return the text as the default encoding can hold it."""
    encoding = sys.getdefaultencoding()
    return text.encode(encoding, errors="replace").decode(encoding)
