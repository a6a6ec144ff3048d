"""Transcripts as files: one small module a format, one table for the command line, the service and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from types import MappingProxyType

from wortlaut.errors import UnknownFormat
from wortlaut.formats import (
    ass,
    audacity,
    csv_table,
    ctm,
    docx,
    eaf,
    html_page,
    lrc,
    markdown,
    rttm,
    srt,
    stm,
    textgrid,
    tsv,
    txt,
    vtt,
    whisperx_json,
)
from wortlaut.formats.rendering import Render, RenderOptions

__all__ = ["FORMATS", "Format", "Render", "RenderOptions", "get_format"]


DOCX_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file.

    `extension` has no dot; `description` is one line for people. `module` is what has to be importable beyond
    Wortlaut itself; where it is not, rendering raises `ExtraMissing`.
    """

    name: str
    extension: str
    media_type: str
    render: Render
    description: str
    module: str | None = None

    @property
    def is_available(self) -> bool:
        """Whether what it needs is installed."""
        return self.module is None or find_spec(self.module) is not None


def _table(*formats: Format) -> Mapping[str, Format]:
    return MappingProxyType({each.name: each for each in formats})


FORMATS: Mapping[str, Format] = _table(
    Format("txt", "txt", "text/plain", txt.render, "the text, one segment a line"),
    Format("srt", "srt", "application/x-subrip", srt.render, "subtitles for nearly every player"),
    Format("vtt", "vtt", "text/vtt", vtt.render, "subtitles for the web"),
    Format("tsv", "tsv", "text/tab-separated-values", tsv.render, "segments as a table, times in milliseconds"),
    Format("json", "json", "application/json", whisperx_json.render, "everything, in a superset of whisperX's JSON"),
    Format("aud", "aud", "text/plain", audacity.render, "labels for Audacity"),
    Format("rttm", "rttm", "text/plain", rttm.render, "who speaks when, for diarization tools"),
    Format(
        "docx", "docx", DOCX_MEDIA_TYPE, docx.render, "a document for word processors (needs the extra docx)", "docx"
    ),
    Format("md", "md", "text/markdown", markdown.render, "a document in Markdown"),
    Format("html", "html", "text/html", html_page.render, "a page beside the recording; a click on a word plays it"),
    Format("csv", "csv", "text/csv", csv_table.render, "segments as a table for spreadsheets, times in seconds"),
    Format("ass", "ass", "text/x-ssa", ass.render, "subtitles with colours and karaoke"),
    Format("lrc", "lrc", "text/plain", lrc.render, "lyrics for music players"),
    Format("textgrid", "TextGrid", "text/plain", textgrid.render, "tiers of segments and words for Praat"),
    Format("eaf", "eaf", "application/xml", eaf.render, "tiers of segments and words for ELAN"),
    Format("ctm", "ctm", "text/plain", ctm.render, "word times for NIST's scoring tools"),
    Format("stm", "stm", "text/plain", stm.render, "segments for NIST's scoring tools"),
)
"""All formats by name."""


def get_format(name: str) -> Format:
    """Return the format of that name. Raises `UnknownFormat`."""
    if name not in FORMATS:
        raise UnknownFormat(f"There is no output format {name!r}.", hint=f"The formats are {', '.join(FORMATS)}.")
    return FORMATS[name]
