"""A document for word processors: a paragraph a turn, with speaker and time. Needs the extra `docx`."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from wortlaut.errors import ExtraMissing
from wortlaut.formats.paragraphs import Paragraph, paragraphs_of
from wortlaut.formats.plain_text import one_line
from wortlaut.formats.rendering import DEFAULTS, RenderOptions
from wortlaut.transcript import Transcript

if TYPE_CHECKING:
    from docx.document import Document

FIRST_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
MAX_PROPERTY_CHARACTERS = 255
"""A limit of the file format for the title in the document's properties."""


def render(transcript: Transcript, options: RenderOptions = DEFAULTS, /) -> bytes:
    """Raises `ExtraMissing` where python-docx is not installed."""
    document = _new_document()
    title = one_line(options.recording)
    document.core_properties.title = title[:MAX_PROPERTY_CHARACTERS]
    document.core_properties.author = document.core_properties.comments = ""
    document.add_heading(title, level=1)
    for paragraph in paragraphs_of(transcript.segments):
        _add(document, paragraph, options)
    return _undated(document)


def _new_document() -> Document:
    try:
        import docx  # noqa: PLC0415 - an extra, loaded only when it is asked for
    except ImportError as error:
        raise ExtraMissing(
            "Word documents need python-docx.", hint="Install it with `pip install 'wortlaut[docx]'`."
        ) from error
    return docx.Document()


def _add(document: Document, paragraph: Paragraph, options: RenderOptions) -> None:
    block = document.add_paragraph()
    if paragraph.speaker and options.speaker_labels:
        block.add_run(f"{paragraph.speaker} ").bold = True
    block.add_run(f"[{paragraph.clock}]").italic = True
    block.add_run().add_break()
    block.add_run(paragraph.text)


def _undated(document: Document) -> bytes:
    """Save without the time of day in the archive, so that equal transcripts give equal files."""
    saved, undated = io.BytesIO(), io.BytesIO()
    document.save(saved)
    with zipfile.ZipFile(saved) as source, zipfile.ZipFile(undated, "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            info = zipfile.ZipInfo(entry.filename, FIRST_ZIP_DATE)
            target.writestr(info, source.read(entry), zipfile.ZIP_DEFLATED)
    return undated.getvalue()
