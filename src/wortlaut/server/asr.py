"""`/asr` and `/detect-language`: the API of whisper-asr-webservice, as Bazarr and Speakr use it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request, Response

from wortlaut.formats import RenderOptions
from wortlaut.formats.whisperx_json import document
from wortlaut.options import Options
from wortlaut.server.answers import (
    SAFE,
    disposition,
    format_named,
    language_name,
    plain_notice,
    rendered,
    running_text,
    warning_headers,
)
from wortlaut.server.openapi import ASR, DETECTION, PROBLEMS, TRANSCRIPTS
from wortlaut.server.parameters import Defaults, make_options
from wortlaut.server.requests import Serving, Submitter
from wortlaut.server.settings import ServiceSettings
from wortlaut.server.uploads import Received, Recording, with_wave_header
from wortlaut.transcript import Transcript

router = APIRouter(tags=["whisper-asr-webservice"], responses=PROBLEMS)

ENGINE = {"Asr-Engine": "wortlaut"}


@router.post("/asr", openapi_extra=ASR, responses=TRANSCRIPTS, response_class=Response)
async def asr(request: Request, service: Serving, caller: Submitter) -> Response:
    """Transcribe while the caller waits. `encode=false`: the bytes are 16 kHz mono s16le samples, WAV header or not."""
    async with service.arrivals.receive(request) as received:
        parameters = received.parameters
        form = format_named(parameters.text("format") or "txt")
        options = make_options(parameters, Defaults(service.settings.model))
        recording = _recording(received)
        transcript = await service.transcribe_now(request, recording, options, caller)
    transcript = replace(transcript, warnings=(*transcript.warnings, *parameters.notices()))
    if form.name == "json":
        response = _json(transcript, options)
    else:
        response = await rendered(transcript, form, _layout(recording.name, service.settings))
        if form.media_type.startswith("text/") or form.name in ("srt", "vtt", "tsv"):
            response.headers["Content-Type"] = "text/plain; charset=utf-8"
    response.headers.update({**ENGINE, "Content-Disposition": disposition(f"{recording.name}.{form.extension}")})
    return response


@router.post("/detect-language", openapi_extra=DETECTION)
async def detect_language(request: Request, service: Serving, caller: Submitter) -> dict[str, object]:
    """Name the language of a recording, listening to several places in it."""
    async with service.arrivals.receive(request) as received:
        options = replace(make_options(received.parameters, Defaults(service.settings.model)), words=False)
        guess = await service.detect_now(request, _recording(received), options, caller)
    code = str(guess["language"])
    return {"detected_language": language_name(code), "language_code": code, "confidence": guess["probability"]}


def _layout(name: str, settings: ServiceSettings) -> RenderOptions:
    return RenderOptions(
        name,
        max_line_width=settings.subtitle_max_line_width,
        max_line_count=settings.subtitle_max_line_count,
        highlight_words=settings.subtitle_highlight_words,
    )


def _recording(received: Received) -> Recording:
    is_encoded = received.parameters.flag("encode", default=True)
    return received.recording if is_encoded else with_wave_header(received.recording)


def _json(transcript: Transcript, options: Options) -> Response:
    """Everything, with the text as one line."""
    content: dict[str, Any] = document(transcript)
    content["text"] = running_text(transcript.segments)
    content["warnings"] = [plain_notice(each) for each in transcript.warnings]
    if not options.words:
        content["segments"] = [{**each, "words": []} for each in content["segments"]]
        content["word_segments"] = []
    headers = {**SAFE, **warning_headers(transcript.warnings)}
    text = json.dumps(content, ensure_ascii=False).encode(errors="backslashreplace")
    return Response(text, headers=headers, media_type="application/json")
