"""OpenAI's audio API: `/v1/audio/transcriptions`, `/v1/audio/translations` and `/v1/models`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, Literal, cast, get_args

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse

from wortlaut.errors import InvalidOption, UnknownFormat, WortlautError
from wortlaut.formats import FORMATS, RenderOptions
from wortlaut.options import Options, Speakers
from wortlaut.server.answers import language_name, plain_notice, rendered, running_text, warning_headers
from wortlaut.server.jobs_routes import KEEP_ALIVE
from wortlaut.server.openapi import OPENAI, OPENAI_ERRORS, answers
from wortlaut.server.parameters import Defaults, Parameters, make_options, names_of, recognition_models
from wortlaut.server.problems import ModelNotListed, openai_error, status_of
from wortlaut.server.requests import Reader, Serving, Submitter
from wortlaut.transcript import Segment, Transcript

router = APIRouter(prefix="/v1", tags=["openai"], responses=OPENAI_ERRORS)

ResponseFormat = Literal["json", "text", "srt", "vtt", "verbose_json", "diarized_json"]
ANSWERS = answers("application/json", "text/plain", "application/x-subrip", "text/vtt", "text/event-stream")
GRANULARITIES = frozenset({"word", "segment"})


@router.post("/audio/transcriptions", openapi_extra=OPENAI, responses=ANSWERS, response_class=Response)
async def transcriptions(request: Request, service: Serving, caller: Submitter) -> Response:
    """Transcribe while the caller waits."""
    async with service.arrivals.receive(request) as received:
        parameters = received.parameters
        form = _response_format(parameters)
        wants_speakers = form == "diarized_json" or (parameters.text("model") or "").endswith("-diarize")
        defaults = Defaults(service.settings.model, speakers=Speakers() if wants_speakers else None)
        options = _options(parameters, defaults, form)
        if parameters.flag("stream", default=False):
            _require_streamable(form)
            job = await service.begin(received.recording, options, caller)
            return await _streamed(asyncio.create_task(service.finish(request, job)), form)
        transcript = await service.transcribe_now(request, received.recording, options, caller)
    return await _answer(transcript, options, form, parameters)


@router.post("/audio/translations", openapi_extra=OPENAI, responses=ANSWERS, response_class=Response)
async def translations(request: Request, service: Serving, caller: Submitter) -> Response:
    """Translate into English while the caller waits."""
    async with service.arrivals.receive(request) as received:
        form = _response_format(received.parameters)
        if form == "diarized_json":
            raise UnknownFormat(
                "Translations have no diarized_json.", hint="Give json, text, srt, verbose_json or vtt."
            )
        options = _options(received.parameters, Defaults(service.settings.model, task="translate"), form)
        options = replace(options, task="translate")
        transcript = await service.transcribe_now(request, received.recording, options, caller)
    return await _answer(transcript, options, form, received.parameters)


@router.get("/models")
async def models(service: Serving, caller: Reader) -> dict[str, object]:  # noqa: ARG001 only who may read sees them
    """List the models that a request may name. `whisper-1` and its like mean the service's own."""
    own = service.settings.model
    names = dict.fromkeys([own, *(entry.name for entry in recognition_models()), "whisper-1"])
    return {"object": "list", "data": [_model(name) for name in names]}


@router.get("/models/{name:path}")
async def model(name: str, service: Serving, caller: Reader) -> dict[str, object]:  # noqa: ARG001 as above
    """Describe one model."""
    known = {"whisper-1", service.settings.model, *(each for entry in recognition_models() for each in names_of(entry))}
    if name not in known:
        raise ModelNotListed(f"There is no model {name!r}.")
    return _model(name)


def _model(name: str) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "wortlaut"}


def _response_format(parameters: Parameters) -> ResponseFormat:
    name = parameters.text("format") or "json"
    if name not in get_args(ResponseFormat):
        formats = ", ".join(get_args(ResponseFormat))
        raise UnknownFormat(f"There is no response_format {name!r}.", hint=f"The formats are {formats}.")
    return cast("ResponseFormat", name)


def _granularities(parameters: Parameters) -> frozenset[str]:
    asked = frozenset(parameters.values.get("granularities", ()))
    if not asked <= GRANULARITIES:
        raise InvalidOption("timestamp_granularities[] is word or segment.", hint="Give one of them, or both.")
    return asked or frozenset({"segment"})


def _options(parameters: Parameters, defaults: Defaults, form: ResponseFormat) -> Options:
    """Return what is asked for; check what is only needed for the answer before the work begins."""
    _granularities(parameters)
    options = make_options(parameters, defaults)
    if form == "diarized_json" and options.speakers is None:
        raise InvalidOption("diarized_json needs speakers.", hint="Leave out diarize=false and speakers=off.")
    return options


async def _answer(transcript: Transcript, options: Options, form: ResponseFormat, parameters: Parameters) -> Response:
    notices = parameters.notices()
    if form in ("srt", "vtt"):
        whole = replace(transcript, warnings=(*transcript.warnings, *notices))
        return await rendered(whole, FORMATS[form], RenderOptions())
    if form == "text":
        headers = warning_headers((*transcript.warnings, *notices))
        return Response(
            f"{running_text(transcript.segments)}\n", headers=headers, media_type="text/plain; charset=utf-8"
        )
    content = {
        "json": _json,
        "verbose_json": lambda each: _verbose_json(each, options, _granularities(parameters)),
        "diarized_json": _diarized_json,
    }[form](transcript)
    warnings = [plain_notice(each) for each in (*transcript.warnings, *notices)]
    return JSONResponse(content | ({"warnings": warnings} if warnings else {}))


def _json(transcript: Transcript) -> dict[str, Any]:
    """OpenAI's has the text and the usage; some clients read language and duration here too."""
    return {
        "text": running_text(transcript.segments),
        "language": transcript.language,
        "duration": transcript.duration,
        "usage": _usage(transcript),
    }


def _usage(transcript: Transcript) -> dict[str, object]:
    return {"type": "duration", "seconds": round(transcript.duration)}


def _verbose_json(transcript: Transcript, options: Options, granularities: frozenset[str]) -> dict[str, Any]:
    content = {
        "task": options.task,
        "language": "english" if options.task == "translate" else language_name(transcript.language),
        "duration": transcript.duration,
        "text": running_text(transcript.segments),
        "usage": _usage(transcript),
    }
    if "segment" in granularities:
        content["segments"] = [_segment(number, each) for number, each in enumerate(transcript.segments)]
    if "word" in granularities:
        content["words"] = [
            {"word": word.text.strip(), "start": word.start, "end": word.end} for word in transcript.words
        ]
    return content


def _segment(number: int, segment: Segment) -> dict[str, Any]:
    """What is not kept of Whisper's own measures is null: an invented 0.0 would be read as certainty."""
    return {
        "id": number,
        "seek": 0,
        "start": segment.start,
        "end": segment.end,
        "text": segment.text,
        "tokens": [],
        "temperature": None,
        "avg_logprob": segment.avg_logprob,
        "compression_ratio": None,
        "no_speech_prob": None,
        "speaker": segment.speaker,
    }


def _diarized_json(transcript: Transcript) -> dict[str, Any]:
    return {
        "task": "transcribe",
        "duration": transcript.duration,
        "text": running_text(transcript.segments),
        "segments": _diarized(transcript),
        "usage": _usage(transcript),
    }


def _diarized(transcript: Transcript) -> list[dict[str, Any]]:
    """Return the segments with speakers called A, B ... in the order of their first words."""
    heard = dict.fromkeys(segment.speaker or "?" for segment in transcript.segments)
    names = {speaker: _letters(number) for number, speaker in enumerate(heard)}
    return [
        {
            "type": "transcript.text.segment",
            "id": f"seg_{number}",
            "start": segment.start,
            "end": segment.end,
            "text": segment.text,
            "speaker": names[segment.speaker or "?"],
        }
        for number, segment in enumerate(transcript.segments)
    ]


def _letters(number: int) -> str:
    """Count A ... Z, AA, AB ..."""
    letters = ""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def _require_streamable(form: ResponseFormat) -> None:
    if form not in ("json", "text", "diarized_json"):
        raise InvalidOption(f"{form} cannot be streamed.", hint="Give json or diarized_json, or stream=false.")


async def _streamed(work: asyncio.Task[Transcript], form: ResponseFormat) -> Response:
    """Answer soon and keep the line warm; the text follows when it is there."""
    done, _ = await asyncio.wait({work}, timeout=FIRST)
    if done and work.exception() is not None:
        work.result()
    return StreamingResponse(_events(work, form), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


FIRST = 1.0
"""Seconds for which the answer is held back: what is refused at once still gets a status of its own."""


async def _events(work: asyncio.Task[Transcript], form: ResponseFormat) -> AsyncIterator[str]:
    try:
        while not work.done():
            yield ": still here\n\n"
            await asyncio.wait({work}, timeout=KEEP_ALIVE)
        for event in _text_events(work.result(), form):
            yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n"
    except WortlautError as error:
        yield f"event: error\ndata: {json.dumps(openai_error(error, status_of(error)))}\n\n"
    finally:
        work.cancel()


def _text_events(transcript: Transcript, form: ResponseFormat) -> list[Mapping[str, Any]]:
    events: list[Mapping[str, Any]] = []
    diarized = _diarized(transcript)
    for number, segment in enumerate(diarized):
        text = segment["text"] if not number else f" {segment['text']}"
        events.append({"type": "transcript.text.delta", "delta": text, "segment_id": segment["id"]})
        if form == "diarized_json":
            events.append(segment)
    warnings = [plain_notice(each) for each in transcript.warnings]
    done = {"type": "transcript.text.done", "text": running_text(transcript.segments), "usage": _usage(transcript)}
    return [*events, done | ({"warnings": warnings} if warnings else {})]
