"""Transcripts as HTTP answers: which format, which headers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from urllib.parse import quote

from fastapi import Response

from wortlaut.errors import UnknownFormat
from wortlaut.formats import FORMATS, Format, RenderOptions, get_format
from wortlaut.notice import Notice
from wortlaut.recognition.languages import LANGUAGES
from wortlaut.server.problems import NotAcceptable
from wortlaut.transcript import Segment, Transcript

ALSO_CALLED = {"text": "txt"}
"""Names of formats in the APIs of others."""

SAFE = {
    "X-Content-Type-Options": "nosniff",
    # A transcript may be shown as a page: whatever it says, it cannot act for this service.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "media-src 'self' blob: data:; sandbox allow-scripts",
    "Cache-Control": "no-store",
}


def format_named(name: str) -> Format:
    """Return the format of a name or an extension. Raises `UnknownFormat`."""
    wanted = ALSO_CALLED.get(name.lower(), name.lower())
    found = next((each for each in FORMATS.values() if each.extension.lower() == wanted), None)
    return found or get_format(wanted)


def format_accepted(accept: str) -> Format:
    """Return the format that an Accept header likes best. Raises `NotAcceptable`."""
    for media_type in _by_preference(accept):
        if media_type in ("*/*", "application/*", ""):
            return FORMATS["json"]
        for each in FORMATS.values():
            if media_type in (each.media_type, f"{each.media_type.partition('/')[0]}/*"):
                return each
    raise NotAcceptable(f"No format is {accept!r}.")


def _by_preference(accept: str) -> Sequence[str]:
    """Return the media types of an Accept header, the most wanted first."""
    weighted = []
    for part in accept.split(","):
        media_type, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
        try:
            weighted.append((-float(weight), media_type.lower()))
        except ValueError as error:
            raise NotAcceptable(f"{accept!r} is no Accept header.") from error
    return [media_type for weight, media_type in sorted(weighted, key=lambda item: item[0]) if weight < 0]


async def rendered(
    transcript: Transcript, form: Format, layout: RenderOptions, *, is_attachment: bool = False
) -> Response:
    """Return a transcript in a format. Raises `UnknownFormat` where what the format needs is not installed."""
    if not form.is_available:
        raise UnknownFormat(f"The format {form.name} is not available here: {form.description}.")
    content = await asyncio.to_thread(form.render, transcript, layout)
    headers = {**SAFE, **warning_headers(transcript.warnings)}
    if is_attachment:
        headers["Content-Disposition"] = disposition(f"{layout.recording}.{form.extension}")
    return Response(content, headers=headers, media_type=_with_charset(form.media_type))


def _with_charset(media_type: str) -> str:
    return f"{media_type}; charset=utf-8" if media_type.startswith("text/") else media_type


def disposition(name: str) -> str:
    """Return a Content-Disposition for a name that may hold anything (RFC 6266)."""
    plain = "".join(each if each.isascii() and each.isprintable() and each not in '"\\%;' else "_" for each in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def warning_headers(warnings: Iterable[Notice]) -> dict[str, str]:
    """Return the codes of the warnings as a header, for formats that have no place for them."""
    codes = dict.fromkeys(notice.code for notice in warnings)
    return {"Wortlaut-Warnings": ", ".join(codes)} if codes else {}


def running_text(segments: Iterable[Segment]) -> str:
    """Return the text as one line."""
    return " ".join(segment.text for segment in segments)


def language_name(code: str) -> str:
    """Return the English name of a language, as OpenAI and whisper-asr-webservice give it."""
    return LANGUAGES.get(code, "unknown")


def plain_notice(notice: Notice) -> dict[str, object]:
    """Return a warning as JSON has it."""
    return {"code": notice.code, "message": notice.message, "start": notice.start, "end": notice.end}
