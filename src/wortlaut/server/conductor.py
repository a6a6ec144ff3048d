"""`/transcribe` and `/transcribe/diarize`: the API of the whisperX container that this service replaces.

Its clients send parameters in the query or in the form and read up to nine fields; all are always there.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from wortlaut.formats.whisperx_json import document
from wortlaut.notice import Notice
from wortlaut.options import Options, Speakers
from wortlaut.server.answers import plain_notice, running_text
from wortlaut.server.openapi import CONDUCTOR, PROBLEMS
from wortlaut.server.parameters import Defaults, make_options
from wortlaut.server.requests import Serving, Submitter
from wortlaut.server.service import Service
from wortlaut.transcript import Transcript

router = APIRouter(tags=["conductor"], responses=PROBLEMS)


@router.post("/transcribe", openapi_extra=CONDUCTOR)
async def transcribe(request: Request, service: Serving, caller: Submitter) -> JSONResponse:
    """Transcribe while the caller waits; `diarize=true` says who speaks too."""
    return await _transcribe(request, service, caller, speakers=None)


@router.post("/transcribe/diarize", openapi_extra=CONDUCTOR)
async def transcribe_and_diarize(request: Request, service: Serving, caller: Submitter) -> JSONResponse:
    """Transcribe and say who speaks, while the caller waits."""
    return await _transcribe(request, service, caller, speakers=Speakers())


async def _transcribe(
    request: Request, service: Service, caller: Submitter, *, speakers: Speakers | None
) -> JSONResponse:
    async with service.arrivals.receive(request) as received:
        options = make_options(received.parameters, Defaults(service.settings.model, speakers))
        transcript = await service.transcribe_now(request, received.recording, options, caller)
    return JSONResponse(body(transcript, options, received.parameters.notices()))


def body(transcript: Transcript, options: Options, notices: tuple[Notice, ...] = ()) -> dict[str, Any]:
    """Return the nine fields. Words are left out where nobody asked for their times."""
    plain: dict[str, Any] = document(transcript)
    segments = [_segment(each, has_words=options.words) for each in plain["segments"]]
    warnings = [plain_notice(each) for each in (*transcript.warnings, *notices)]
    return {
        "text": running_text(transcript.segments),
        "segments": segments,
        "language": transcript.language,
        "duration": transcript.duration,
        "word_count": len(transcript.words),
        "has_word_timestamps": options.words and bool(transcript.words),
        "has_diarization": bool(transcript.speakers),
        "speakers": list(transcript.speakers),
        "warnings": warnings,
    }


def _segment(plain: dict[str, Any], *, has_words: bool) -> dict[str, Any]:
    kept = ("word", "start", "end", "score", "speaker")
    words = [{name: word[name] for name in kept} for word in plain["words"]] if has_words else []
    return {**{name: plain[name] for name in ("start", "end", "text", "speaker")}, "words": words}
